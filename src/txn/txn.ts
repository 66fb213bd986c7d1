/**
 * The state of one transactional id (Kafka: TransactionMetadata). It is immutable: every change makes a new value, which the
 * coordinator writes to the log before it replaces the old one. Fields that are not in Kafka's records are marked as memory only.
 */
import { MAX_PRODUCER_EPOCH, NO_PRODUCER_EPOCH, NO_PRODUCER_ID } from '../protocol/records/batch.ts'
import { TRANSACTIONS_V0 } from '../protocol/transaction-version.ts'
import { assert } from '../runtime/assert.ts'

/** The states. Their indexes are the status numbers in the records of `__transaction_state`. */
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
 * The valid previous states of each state. Dead is the state of an expired id, written as a tombstone. PrepareEpochFence is
 * Kafka's state while it fences a producer and has not written the abort yet; here both are one step, so no transaction stays in
 * it.
 */
const FROM: Record<TxnState, readonly TxnState[]> = {
  Empty: ['Empty', 'CompleteCommit', 'CompleteAbort'],
  Ongoing: ['Ongoing', 'Empty', 'CompleteCommit', 'CompleteAbort'],
  PrepareCommit: ['Ongoing'],
  // From the idle states only with transactions V2: an abort bumps the epoch even if no transaction is open.
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
  /**
   * The producer id before the last transition, often the same; -1 before the first. Identifies retries after a change of the id.
   */
  readonly previousProducerId: bigint
  /** The producer id after an ending transaction whose producer epochs are exhausted, else -1. */
  readonly nextProducerId: bigint
  /** -1 until the first InitProducerId is written. */
  readonly producerEpoch: number
  /** The epoch before the last bump, for a client that retries because it got no response; else -1. Memory only. */
  readonly lastProducerEpoch: number
  readonly timeoutMs: number
  readonly partitions: TxnPartitions
  /** The start of the transaction, -1 if there is none. */
  readonly startedMs: number
  readonly updatedMs: number
  /** The `transaction.version` of the client that made the last change: 2 for KIP-890. */
  readonly clientVersion: number
}

export const NO_PARTITIONS: TxnPartitions = new Map()

/** The state of a new transactional id. It is not stored until its first InitProducerId is written. */
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

/** The fields that a transition changes. A field that is absent keeps its value; `nextProducerId` becomes -1. */
type Change = Partial<Omit<Txn, 'transactionalId' | 'state' | 'previousProducerId'>>

/**
 * Applies a transition: checks that it is valid and keeps the previous producer id. Every transition uses it. Spreads would be
 * slower: three transitions belong to each transaction.
 */
export function moved(txn: Txn, state: TxnState, change: Change): Txn {
  assert(FROM[state].includes(txn.state), `${txn.transactionalId} can change from ${txn.state} to ${state}`)
  return {
    transactionalId: txn.transactionalId,
    state,
    producerId: change.producerId ?? txn.producerId,
    previousProducerId: txn.producerId,
    nextProducerId: change.nextProducerId ?? NO_PRODUCER_ID,
    producerEpoch: change.producerEpoch ?? txn.producerEpoch,
    lastProducerEpoch: change.lastProducerEpoch ?? txn.lastProducerEpoch,
    timeoutMs: change.timeoutMs ?? txn.timeoutMs,
    partitions: change.partitions ?? txn.partitions,
    startedMs: change.startedMs ?? txn.startedMs,
    updatedMs: change.updatedMs ?? txn.updatedMs,
    clientVersion: change.clientVersion ?? txn.clientVersion
  }
}

/** True if at most one epoch is left, reserved to fence the producer: the next InitProducerId needs a new producer id. */
export function isExhausted(epoch: number): boolean {
  return epoch >= MAX_PRODUCER_EPOCH - 1
}

/** The following epoch; the maximum stays. */
export function nextEpoch(epoch: number): number {
  return Math.min(epoch + 1, MAX_PRODUCER_EPOCH)
}

/** True if the transaction is decided and some markers are missing. */
export function isEnding({ state }: Txn): boolean {
  return state === 'PrepareCommit' || state === 'PrepareAbort'
}

/** True if no transaction is open or ending. */
export function isIdle({ state }: Txn): boolean {
  return state === 'Empty' || state === 'CompleteCommit' || state === 'CompleteAbort'
}

/** True if `partitions` has all of `requested`. */
export function contains(partitions: TxnPartitions, requested: TxnPartitions): boolean {
  for (const [topic, indexes] of requested) {
    const existing = partitions.get(topic)
    for (const index of indexes) if (!existing?.has(index)) return false
  }
  return true
}

/** The union of both sets of partitions. */
export function union(partitions: TxnPartitions, added: TxnPartitions): TxnPartitions {
  const all = new Map(partitions)
  for (const [topic, indexes] of added) all.set(topic, new Set([...(partitions.get(topic) ?? []), ...indexes]))
  return all
}
