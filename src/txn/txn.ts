/**
 * The state of one transactional id, immutable: every change makes a new value, which the coordinator records before it
 * takes effect. What is here is Kafka's TransactionMetadata; that which is not in its records is said to be memory only.
 */
import { MAX_PRODUCER_EPOCH, NO_PRODUCER_EPOCH, NO_PRODUCER_ID } from '../protocol/records/batch.ts'
import { TRANSACTIONS_V0 } from '../protocol/transaction-version.ts'
import { assert } from '../runtime/assert.ts'

/** The states by their numbers in the records of `__transaction_state`. */
export const TXN_STATES = [
  'Empty',
  'Ongoing',
  'PrepareCommit',
  'PrepareAbort',
  'CompleteCommit',
  'CompleteAbort',
  'Dead',
  'PrepareEpochFence'
] as const

export type TxnState = (typeof TXN_STATES)[number]

/**
 * From which states each may be entered. Dead is the tombstone of an id that has expired. PrepareEpochFence is Kafka's
 * state between fencing a producer and recording that; here both are one step, so nothing ever stays in it.
 */
const FROM: Record<TxnState, readonly TxnState[]> = {
  Empty: ['Empty', 'CompleteCommit', 'CompleteAbort'],
  Ongoing: ['Ongoing', 'Empty', 'CompleteCommit', 'CompleteAbort'],
  PrepareCommit: ['Ongoing'],
  // From a state without a transaction with transactions V2 alone: an abort moves the epoch whatever there is to abort.
  PrepareAbort: ['Ongoing', 'PrepareEpochFence', 'Empty', 'CompleteCommit', 'CompleteAbort'],
  CompleteCommit: ['PrepareCommit'],
  CompleteAbort: ['PrepareAbort'],
  Dead: ['Empty', 'CompleteCommit', 'CompleteAbort'],
  PrepareEpochFence: ['Ongoing']
}

/** Partitions by topic, in the order in which they were added. */
export type TxnPartitions = ReadonlyMap<string, ReadonlySet<number>>

export interface Txn {
  readonly transactionalId: string
  readonly state: TxnState
  readonly producerId: bigint
  /** The one before the last transition, or the same; -1 before the first. It tells a retry that meets a new producer id. */
  readonly previousProducerId: bigint
  /** While a transaction ends whose epochs are used up: the id that comes after it, else -1. */
  readonly nextProducerId: bigint
  /** -1 until the first InitProducerId has been recorded. */
  readonly producerEpoch: number
  /** The epoch before, for a client that did not hear of the newer one; else -1. Memory only. */
  readonly lastProducerEpoch: number
  readonly timeoutMs: number
  readonly partitions: TxnPartitions
  /** When the transaction began, -1 where there is none. */
  readonly startedMs: number
  readonly updatedMs: number
  /** The `transaction.version` by which the client that made the last change works: 2 for KIP-890. */
  readonly clientVersion: number
}

export const NO_PARTITIONS: TxnPartitions = new Map()

/** A transactional id that was never seen. It is nothing until its first InitProducerId has been recorded. */
export function newTxn(transactionalId: string, producerId: bigint, timeoutMs: number, now: number): Txn {
  return {
    transactionalId,
    state: 'Empty',
    producerId,
    previousProducerId: NO_PRODUCER_ID,
    nextProducerId: NO_PRODUCER_ID,
    producerEpoch: NO_PRODUCER_EPOCH,
    lastProducerEpoch: NO_PRODUCER_EPOCH,
    timeoutMs,
    partitions: NO_PARTITIONS,
    startedMs: -1,
    updatedMs: now,
    clientVersion: TRANSACTIONS_V0
  }
}

/** The only way a transaction changes: a legal move, whose producer id before it is remembered. */
export function moved(txn: Txn, state: TxnState, change: Partial<Txn>): Txn {
  assert(FROM[state].includes(txn.state), `${txn.transactionalId} can go from ${txn.state} to ${state}`)
  return { ...txn, previousProducerId: txn.producerId, nextProducerId: NO_PRODUCER_ID, ...change, state }
}

/** Whether no client may get another epoch of the producer id: one more must be left to fence it. */
export function isExhausted(epoch: number): boolean {
  return epoch >= MAX_PRODUCER_EPOCH - 1
}

/** The epoch after; the largest stays. */
export function nextEpoch(epoch: number): number {
  return Math.min(epoch + 1, MAX_PRODUCER_EPOCH)
}

/** Whether the transaction has been decided and waits for its markers. */
export function isEnding({ state }: Txn): boolean {
  return state === 'PrepareCommit' || state === 'PrepareAbort'
}

/** Whether there is no transaction, neither open nor ending. */
export function isIdle({ state }: Txn): boolean {
  return state === 'Empty' || state === 'CompleteCommit' || state === 'CompleteAbort'
}

/** Whether `partitions` has all of `requested`. */
export function contains(partitions: TxnPartitions, requested: TxnPartitions): boolean {
  for (const [topic, indexes] of requested) {
    const existing = partitions.get(topic)
    for (const index of indexes) if (!existing?.has(index)) return false
  }
  return true
}

/** The partitions of both. */
export function union(partitions: TxnPartitions, added: TxnPartitions): TxnPartitions {
  const all = new Map(partitions)
  for (const [topic, indexes] of added) all.set(topic, new Set([...(partitions.get(topic) ?? []), ...indexes]))
  return all
}
