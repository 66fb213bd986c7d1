/**
 * The transitions of a transaction by Kafka's rules (KIP-98, KIP-360, KIP-890). Each command returns the state to write, or
 * throws the KafkaError of the response. Its only side effect is the allocation of a producer id if epochs are exhausted.
 */

import { type ErrorName, KafkaError } from '../protocol/errors.ts'
import { MAX_PRODUCER_EPOCH, NO_PRODUCER_EPOCH, NO_PRODUCER_ID } from '../protocol/records/batch.ts'
import type { TxnResult } from '../protocol/records/control.ts'
import { TRANSACTIONS_V0, TRANSACTIONS_V2 } from '../protocol/transaction-version.ts'
import {
  contains,
  isEnding,
  isExhausted,
  isIdle,
  moved,
  NO_PARTITIONS,
  nextEpoch,
  type Txn,
  type TxnPartitions,
  union
} from './txn.ts'

/** The producer id and epoch of a request. */
export interface Producer {
  readonly producerId: bigint
  readonly producerEpoch: number
}

export interface InitCommand {
  readonly timeoutMs: number
  /** The producer id and epoch that the client has (KIP-360); undefined for a new instance, which fences all earlier ones. */
  readonly expected: Producer | undefined
  /** Allocates an unused producer id. */
  readonly newProducerId: () => bigint
}

/**
 * InitProducerId: the state with the new epoch, or 'abort first' if a transaction is open. The caller then aborts it and returns
 * CONCURRENT_TRANSACTIONS; the client retries and gets a further epoch.
 */
export function initProducer(
  txn: Txn,
  { timeoutMs, expected, newProducerId }: InitCommand,
  now: number
): Txn | 'abort first' {
  if (expected && !mayContinue(txn, expected)) throw fenced(txn, expected)
  if (isEnding(txn)) throw concurrent(txn)
  if (txn.state === 'Ongoing') return 'abort first'
  const empty = { timeoutMs, partitions: NO_PARTITIONS, startedMs: -1, updatedMs: now }
  if (isExhausted(txn.producerEpoch) && (expected?.producerEpoch ?? txn.producerEpoch) === txn.producerEpoch) {
    const lastProducerEpoch = expected ? txn.producerEpoch : NO_PRODUCER_EPOCH
    return moved(txn, 'Empty', { ...empty, producerId: newProducerId(), producerEpoch: 0, lastProducerEpoch })
  }
  return moved(txn, 'Empty', { ...empty, ...epochAfterInit(txn, expected) })
}

/** True if `expected` has the current producer id or the previous one with exhausted epochs, or if the id is new. */
function mayContinue(txn: Txn, { producerId, producerEpoch }: Producer): boolean {
  if (txn.producerEpoch === NO_PRODUCER_EPOCH || producerId === txn.producerId) return true
  return producerId === txn.previousProducerId && isExhausted(producerEpoch)
}

function epochAfterInit(txn: Txn, expected: Producer | undefined): Pick<Txn, 'producerEpoch' | 'lastProducerEpoch'> {
  const { producerEpoch, lastProducerEpoch } = txn
  if (!expected) return { producerEpoch: nextEpoch(producerEpoch), lastProducerEpoch: NO_PRODUCER_EPOCH }
  if (producerEpoch === NO_PRODUCER_EPOCH || expected.producerEpoch === producerEpoch) {
    return { producerEpoch: nextEpoch(producerEpoch), lastProducerEpoch: producerEpoch }
  }
  // A retry whose first response was lost. No other instance has initialized since, because that resets the last epoch.
  if (expected.producerEpoch === lastProducerEpoch) return { producerEpoch, lastProducerEpoch }
  throw fenced(txn, expected)
}

/** AddPartitionsToTxn: the state with the partitions, or undefined if all of them are in the transaction already. */
export function addPartitions(
  txn: Txn,
  producer: Producer,
  added: TxnPartitions,
  clientVersion: number,
  now: number
): Txn | undefined {
  checkProducer(txn, producer)
  if (txn.state === 'Ongoing' && contains(txn.partitions, added)) return undefined
  const startedMs = txn.state === 'Ongoing' ? txn.startedMs : now
  return moved(txn, 'Ongoing', { partitions: union(txn.partitions, added), startedMs, updatedMs: now, clientVersion })
}

/** True if the partition is in the open transaction of the producer. Throws the errors of AddPartitionsToTxn. */
export function verifyPartition(txn: Txn, producer: Producer, topic: string, partition: number): boolean {
  checkProducer(txn, producer)
  return txn.partitions.get(topic)?.has(partition) ?? false
}

function checkProducer(txn: Txn, { producerId, producerEpoch }: Producer): void {
  if (txn.producerId !== producerId) throw otherProducer(txn, producerId)
  if (txn.producerEpoch !== producerEpoch) throw fenced(txn, { producerId, producerEpoch })
  if (isEnding(txn)) throw concurrent(txn)
}

export interface EndCommand {
  readonly producer: Producer
  readonly result: TxnResult
  /** The `transaction.version` that follows from the request version. */
  readonly clientVersion: number
  readonly newProducerId: () => bigint
}

/** EndTxn: the prepared state with the result, or undefined for a retry after the transaction completed with this result. */
export function endTxn(txn: Txn, command: EndCommand, now: number): Txn | undefined {
  return command.clientVersion < TRANSACTIONS_V2 ? endClassic(txn, command, now) : endWithBump(txn, command, now)
}

function endClassic(txn: Txn, { producer, result, newProducerId }: EndCommand, now: number): Txn | undefined {
  if (txn.producerId !== producer.producerId) throw otherProducer(txn, producer.producerId)
  if (txn.producerEpoch !== producer.producerEpoch) throw fenced(txn, producer)
  if (txn.state === 'Ongoing') return prepared(txn, result, TRANSACTIONS_V0, newProducerId, now)
  if (txn.state === completeState(result)) return undefined
  throw cannotEnd(txn, result)
}

/**
 * With KIP-890 every end bumps the epoch. A retry therefore comes with the epoch before the current one, a new command with the
 * current one. An abort without an open transaction is valid: batches of the client may still arrive, and the bump fences them.
 */
function endWithBump(
  txn: Txn,
  { producer, result, clientVersion, newProducerId }: EndCommand,
  now: number
): Txn | undefined {
  const isRetryOfLast = retriesLastEpochs(txn, producer)
  if (txn.producerId !== producer.producerId && !isRetryOfLast) throw otherProducer(txn, producer.producerId)
  const isRetry = isRetryOfLast || txn.producerEpoch === producer.producerEpoch + 1
  const isCurrent = txn.producerEpoch === producer.producerEpoch
  if (!(isEnding(txn) ? isRetry && !isRetryOfLast : isCurrent || (isRetry && isComplete(txn))))
    throw fenced(txn, producer)
  if (txn.state === 'Ongoing') return prepared(txn, result, clientVersion, newProducerId, now)
  if (isRetry && txn.state === completeState(result)) return undefined
  if (isIdle(txn) && result === 'ABORT' && !isRetry) {
    return prepared({ ...txn, startedMs: now }, result, clientVersion, newProducerId, now)
  }
  throw cannotEnd(txn, result)
}

/** True if the request has the last epoch of the previous producer id, which was replaced because its epochs were exhausted. */
function retriesLastEpochs(txn: Txn, { producerId, producerEpoch }: Producer): boolean {
  return (
    txn.previousProducerId === producerId &&
    isExhausted(producerEpoch) &&
    producerEpoch < MAX_PRODUCER_EPOCH &&
    txn.producerEpoch === 0
  )
}

function isComplete({ state }: Txn): boolean {
  return state === 'CompleteCommit' || state === 'CompleteAbort'
}

/**
 * The coordinator's abort of an open transaction, because of a new instance or the transaction timeout. It fences the producer.
 * `transactionVersion` is the finalized `transaction.version`.
 */
export function fenceAndAbort(txn: Txn, transactionVersion: number, newProducerId: () => bigint, now: number): Txn {
  if (transactionVersion >= TRANSACTIONS_V2) return prepared(txn, 'ABORT', transactionVersion, newProducerId, now)
  const fencing = { ...txn, producerEpoch: nextEpoch(txn.producerEpoch), lastProducerEpoch: NO_PRODUCER_EPOCH }
  return prepared(fencing, 'ABORT', 0, newProducerId, now)
}

function prepared(txn: Txn, result: TxnResult, clientVersion: number, newProducerId: () => bigint, now: number): Txn {
  const state = result === 'COMMIT' ? 'PrepareCommit' : 'PrepareAbort'
  if (clientVersion < TRANSACTIONS_V2) return moved(txn, state, { updatedMs: now, clientVersion })
  const nextProducerId = isExhausted(txn.producerEpoch) ? newProducerId() : NO_PRODUCER_ID
  const { producerEpoch: lastProducerEpoch } = txn
  const producerEpoch = nextEpoch(lastProducerEpoch)
  return moved(txn, state, { updatedMs: now, clientVersion, nextProducerId, producerEpoch, lastProducerEpoch })
}

/**
 * The completed state, after all markers are written. With KIP-890 it switches to the next producer id if epochs are exhausted.
 */
export function completed(txn: Txn, now: number): Txn {
  const state = completeState(resultOf(txn))
  const done = { partitions: NO_PARTITIONS, updatedMs: now }
  if (txn.nextProducerId === NO_PRODUCER_ID) return moved(txn, state, done)
  return moved(txn, state, { ...done, producerId: txn.nextProducerId, producerEpoch: 0 })
}

/** The result of an ending transaction. */
export function resultOf({ state }: Txn): TxnResult {
  return state === 'PrepareCommit' ? 'COMMIT' : 'ABORT'
}

/** True if the transaction has been open for longer than `transaction.timeout.ms` of its producer. */
export function isTimedOut({ state, startedMs, timeoutMs }: Txn, now: number): boolean {
  return state === 'Ongoing' && startedMs + timeoutMs < now
}

/** True if no transaction is open or ending, and the id was not used for `expirationMs` (`transactional.id.expiration.ms`). */
export function isExpired(txn: Txn, expirationMs: number, now: number): boolean {
  return isIdle(txn) && txn.updatedMs <= now - expirationMs
}

function completeState(result: TxnResult): 'CompleteCommit' | 'CompleteAbort' {
  return result === 'COMMIT' ? 'CompleteCommit' : 'CompleteAbort'
}

/**
 * The error of an EndTxn in the wrong state: CONCURRENT_TRANSACTIONS if the same result is decided already, else
 * INVALID_TXN_STATE.
 */
function cannotEnd(txn: Txn, result: TxnResult): KafkaError {
  if (isEnding(txn) && resultOf(txn) === result) return concurrent(txn)
  return refusal('INVALID_TXN_STATE', txn, `has the state ${txn.state} and cannot end with ${result}`)
}

function concurrent(txn: Txn): KafkaError {
  return refusal('CONCURRENT_TRANSACTIONS', txn, 'is not yet complete')
}

function fenced(txn: Txn, { producerId, producerEpoch }: Producer): KafkaError {
  const now = `producer ${txn.producerId} with epoch ${txn.producerEpoch}`
  return refusal('PRODUCER_FENCED', txn, `belongs to ${now}, not ${producerId} with epoch ${producerEpoch}`)
}

function otherProducer(txn: Txn, producerId: bigint): KafkaError {
  return refusal('INVALID_PRODUCER_ID_MAPPING', txn, `belongs to producer ${txn.producerId}, not ${producerId}`)
}

function refusal(code: ErrorName, { transactionalId }: Txn, why: string): KafkaError {
  return new KafkaError(code, `the transaction of ${transactionalId} ${why}`)
}
