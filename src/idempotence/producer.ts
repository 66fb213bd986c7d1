/**
 * What one partition knows of one producer, and what the producer may do next by that: the checks that decide before an
 * append (KIP-98, KIP-360, KIP-890). They change nothing.
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

/** The part of a batch's header that idempotence looks at. */
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

/** A batch that the log holds already. */
export interface AppendedBatch {
  readonly lastSequence: number
  readonly lastOffset: bigint
  readonly offsetDelta: number
  readonly timestamp: bigint
}

/** What is known of a producer. */
export interface Producer {
  readonly epoch: number
  /** Oldest first, all of this epoch. */
  readonly batches: readonly AppendedBatch[]
  readonly lastTimestamp: bigint
  /** Of the last marker, -1 before the first. */
  readonly coordinatorEpoch: number
  /** Where its open transaction begins. */
  readonly txnFirstOffset: bigint | undefined
}

/**
 * The verification of a first transactional batch that is not appended yet (KIP-890). Of several such batches of the newest epoch
 * only the one with the lowest sequence may open the transaction.
 */
export interface VerificationState {
  readonly epoch: number
  readonly lowestSequence: number
  /** Whether the first of these batches came from a client of KIP-890. */
  readonly bumpsEpochs: boolean
  readonly sinceMs: number
}

/** A producer without an epoch, whose first batch may have any sequence. A batch without an epoch is Kafka's special case, too. */
export const UNKNOWN: Producer = {
  epoch: NO_PRODUCER_EPOCH,
  batches: [],
  lastTimestamp: -1n,
  coordinatorEpoch: -1,
  txnFirstOffset: undefined
}

/** The batch that `batch` repeats, if it is a retry of one that is remembered. */
export function repeatedBy(batch: ProducerBatch, { epoch, batches }: Producer): AppendedBatch | undefined {
  const { producerEpoch, baseSequence, lastSequence } = batch
  if (producerEpoch !== epoch) return undefined
  return batches.find(
    candidate => lastSequence === candidate.lastSequence && baseSequence === firstSequenceOf(candidate)
  )
}

/** Throws INVALID_PRODUCER_EPOCH for an epoch that has been fenced. */
export function checkEpoch({ producerId, producerEpoch }: ProducerBatch, { epoch }: Producer): void {
  if (producerEpoch >= epoch) return
  throw refused('INVALID_PRODUCER_EPOCH', producerId, `uses epoch ${producerEpoch}, but epoch ${epoch} has been seen`)
}

/**
 * Throws OUT_OF_ORDER_SEQUENCE_NUMBER for a gap. An unknown producer may start anywhere (KIP-360), unless a
 * verification with a lower sequence is pending, or the client works by KIP-890: its transactions begin with sequence 0.
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

/** Throws INVALID_TXN_STATE for a batch that would mix with its producer's open transaction. */
export function checkMix({ producerId, isTransactional }: ProducerBatch, { txnFirstOffset }: Producer): void {
  if (isTransactional || txnFirstOffset === undefined) return
  throw refused('INVALID_TXN_STATE', producerId, 'has a transaction open, and this batch is not of it')
}

/** Throws INVALID_PRODUCER_EPOCH and TRANSACTION_COORDINATOR_FENCED for a marker that comes late. */
export function checkMarker(marker: EndTxnMarker, producer: Producer, transactionVersion: number): void {
  const { producerId, producerEpoch, coordinatorEpoch } = marker
  const { epoch, txnFirstOffset } = producer
  // The same marker once more ends nothing, and does no harm.
  const isRepeated = producerEpoch === epoch && (txnFirstOffset === undefined || producerEpoch === MAX_PRODUCER_EPOCH)
  // With transactions V2 the epoch of a marker is one above that of its data.
  const least = transactionVersion >= TRANSACTIONS_V2 && !isRepeated ? epoch + 1 : epoch
  if (producerEpoch < least) {
    throw refused('INVALID_PRODUCER_EPOCH', producerId, `is in epoch ${epoch}, the marker in ${producerEpoch}`)
  }
  if (coordinatorEpoch < producer.coordinatorEpoch) {
    const seen = `has seen coordinator epoch ${producer.coordinatorEpoch}`
    throw refused('TRANSACTION_COORDINATOR_FENCED', producerId, `${seen}, the marker is of ${coordinatorEpoch}`)
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
