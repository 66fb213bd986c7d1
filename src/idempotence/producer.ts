/**
 * The state of one producer in a partition, and the checks of its batches and markers before an append (KIP-98, KIP-360,
 * KIP-890). The checks change nothing.
 */
import { type ErrorName, KafkaError } from '../protocol/errors.ts'
import {
  decrementSequence,
  incrementSequence,
  MAX_PRODUCER_EPOCH,
  NO_PRODUCER_EPOCH
} from '../protocol/records/batch.ts'
import type { EndTxnMarker } from '../protocol/records/control.ts'
import { TRANSACTIONS_V2 } from '../protocol/transaction-version.ts'

/** The header fields of a batch that the checks read. */
export interface ProducerBatch {
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly baseSequence: number
  readonly lastSequence: number
  readonly baseOffset: bigint
  readonly lastOffset: bigint
  readonly lastOffsetDelta: number
  readonly maxTimestamp: bigint
  readonly isTransactional: boolean
  readonly isControl: boolean
}

/** A batch of a producer that has been appended. */
export interface AppendedBatch {
  readonly lastSequence: number
  readonly lastOffset: bigint
  readonly offsetDelta: number
  readonly timestamp: bigint
}

/** The state of a producer in a partition (Kafka's ProducerStateEntry). */
export interface Producer {
  readonly epoch: number
  /** The last batches, oldest first, all of this epoch. */
  readonly batches: readonly AppendedBatch[]
  readonly lastTimestamp: bigint
  /** The coordinator epoch of the last marker; -1 before the first marker. */
  readonly coordinatorEpoch: number
  /** First offset of the open transaction. */
  readonly txnFirstOffset: bigint | undefined
}

/**
 * A pending verification of a transaction's first batch (KIP-890). If several such batches of the newest epoch are pending,
 * only the one with the lowest sequence may open the transaction.
 */
export interface VerificationState {
  readonly epoch: number
  readonly lowestSequence: number
  /** True if the first of these batches came from a client of transactions V2 (KIP-890), which bumps epochs. */
  readonly bumpsEpochs: boolean
  readonly sinceMs: number
}

/**
 * The state of a producer without batches: its first batch may have any sequence (KIP-360). As in Kafka, a batch without an
 * epoch is accepted in this state too.
 */
export const UNKNOWN: Producer = {
  epoch: NO_PRODUCER_EPOCH,
  batches: [],
  lastTimestamp: -1n,
  coordinatorEpoch: -1,
  txnFirstOffset: undefined
}

/** The retained batch that `batch` duplicates, with the same epoch and sequences; undefined for a new batch. */
export function repeatedBy(batch: ProducerBatch, { epoch, batches }: Producer): AppendedBatch | undefined {
  const { producerEpoch, baseSequence, lastSequence } = batch
  if (producerEpoch !== epoch) return undefined
  return batches.find(
    candidate => lastSequence === candidate.lastSequence && baseSequence === firstSequenceOf(candidate)
  )
}

/** Throws INVALID_PRODUCER_EPOCH for a fenced epoch. */
export function checkEpoch({ producerId, producerEpoch }: ProducerBatch, { epoch }: Producer): void {
  if (producerEpoch >= epoch) return
  throw refused('INVALID_PRODUCER_EPOCH', producerId, `has epoch ${producerEpoch}, but the current epoch is ${epoch}`)
}

/**
 * Throws OUT_OF_ORDER_SEQUENCE_NUMBER if the sequence is not the next one. A producer without state may start with any sequence
 * (KIP-360), unless a verification with a lower sequence is pending or the client uses transactions V2. Transactions V2
 * begin with sequence 0 (KIP-890).
 */
export function checkSequence(
  batch: ProducerBatch,
  { epoch, batches }: Producer,
  verification: VerificationState | undefined
): void {
  const { producerEpoch, baseSequence } = batch
  if (verification?.bumpsEpochs && baseSequence !== 0 && epoch === NO_PRODUCER_EPOCH) throw outOfOrder(batch, 0)
  if (verification && baseSequence > verification.lowestSequence) throw outOfOrder(batch, verification.lowestSequence)
  const expected = producerEpoch > epoch ? 0 : nextSequence(batches)
  if (baseSequence !== expected && epoch !== NO_PRODUCER_EPOCH) throw outOfOrder(batch, expected)
}

/** Throws INVALID_TXN_STATE for a non-transactional batch of a producer with an open transaction. */
export function checkMix({ producerId, isTransactional }: ProducerBatch, { txnFirstOffset }: Producer): void {
  if (isTransactional || txnFirstOffset === undefined) return
  throw refused('INVALID_TXN_STATE', producerId, 'has an open transaction, but the batch is not transactional')
}

/** Throws INVALID_PRODUCER_EPOCH or TRANSACTION_COORDINATOR_FENCED for a marker of an older producer or coordinator epoch. */
export function checkMarker(marker: EndTxnMarker, producer: Producer, transactionVersion: number): void {
  const { producerId, producerEpoch, coordinatorEpoch } = marker
  const { epoch, txnFirstOffset } = producer
  // A repeated marker completes no transaction, and an epoch at its maximum cannot be bumped: both are accepted.
  const isRepeated = producerEpoch === epoch && (txnFirstOffset === undefined || producerEpoch === MAX_PRODUCER_EPOCH)
  // With transactions V2 the epoch of a marker is higher than the epoch of the transaction's data.
  const least = transactionVersion >= TRANSACTIONS_V2 && !isRepeated ? epoch + 1 : epoch
  if (producerEpoch < least) {
    throw refused('INVALID_PRODUCER_EPOCH', producerId, `has epoch ${epoch}, but the marker has epoch ${producerEpoch}`)
  }
  if (coordinatorEpoch < producer.coordinatorEpoch) {
    const seen = `has coordinator epoch ${producer.coordinatorEpoch}`
    throw refused(
      'TRANSACTION_COORDINATOR_FENCED',
      producerId,
      `${seen}, but the marker has coordinator epoch ${coordinatorEpoch}`
    )
  }
}

function outOfOrder({ producerId, producerEpoch, baseSequence }: ProducerBatch, expected: number): KafkaError {
  const sent = `sent sequence ${baseSequence} in epoch ${producerEpoch}, expected ${expected}`
  return refused('OUT_OF_ORDER_SEQUENCE_NUMBER', producerId, sent)
}

function refused(code: ErrorName, producerId: bigint, why: string): KafkaError {
  return new KafkaError(code, `producer ${producerId} ${why}`)
}

function firstSequenceOf({ lastSequence, offsetDelta }: AppendedBatch): number {
  return decrementSequence(lastSequence, offsetDelta)
}

function nextSequence(batches: readonly AppendedBatch[]): number {
  const last = batches.at(-1)
  return last ? incrementSequence(last.lastSequence, 1) : 0
}
