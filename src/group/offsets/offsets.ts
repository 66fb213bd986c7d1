/**
 * The committed offsets of one partition of `__consumer_offsets`, and the rules of commits and fetches. Only `apply`, `addPending`
 * and `endTransaction` change the offsets, for new records and on loading. Offsets of open transactions are kept separately, by
 * producer id, until the transaction marker.
 */

import type { ErrorName } from '../../protocol/errors.ts'
import type { TxnResult } from '../../protocol/records/control.ts'
import { ZERO_UUID } from '../../protocol/wire/bytes.ts'
import type { OffsetCommitKey, OffsetCommitValue } from '../records.ts'
import type { ResponseBudget } from '../response-budget.ts'
import { PendingTransactionalOffsets } from './pending-transactional-offsets.ts'

/** A topic whose offsets change. The handler has resolved names and ids and left out topics that do not exist. */
export interface OffsetTopic<Partition = { readonly partitionIndex: number }> {
  readonly name: string
  readonly topicId: string
  readonly partitions: readonly Partition[]
}

/** A topic of a commit. */
export type CommitTopic = OffsetTopic<{
  readonly partitionIndex: number
  readonly committedOffset: bigint
  readonly committedLeaderEpoch: number
  readonly committedMetadata: string | null
}>

/** The result of a commit or a deletion. */
export type CommitResponseTopic = OffsetTopic<{ readonly partitionIndex: number; readonly errorCode: ErrorName }>

/** A topic of an OffsetFetch; the id is zero if the request has none. */
export interface FetchTopic {
  readonly name: string
  readonly topicId: string
  readonly partitionIndexes: readonly number[]
}

export interface FetchResponseTopic {
  readonly name: string
  readonly topicId: string
  readonly partitions: readonly FetchedOffset[]
}

export interface FetchedOffset {
  readonly partitionIndex: number
  readonly committedOffset: bigint
  readonly committedLeaderEpoch: number
  readonly metadata: string
  readonly errorCode: ErrorName
}

/** A record to write: an offset or a tombstone. */
export interface OffsetRecord {
  readonly type: 'OffsetCommit'
  readonly key: OffsetCommitKey
  readonly value: OffsetCommitValue | null
}

/** The offsets of one group: topic, partition, commit. */
export type GroupOffsets = ReadonlyMap<string, ReadonlyMap<number, OffsetCommitValue>>

/** Approximate bytes of a partition in a response, without its metadata. */
const FETCHED_OFFSET_BYTES = 20

const NO_OFFSETS: GroupOffsets = new Map()

/** A committed offset and its position among all commits of the partition. */
interface CommitAtOffset extends OffsetCommitValue {
  readonly position: number
}

export class Offsets {
  readonly #byGroup = new Map<string, Map<string, Map<number, CommitAtOffset>>>()
  readonly #pending = new PendingTransactionalOffsets()
  #lastPosition = 0

  /** The offsets of a group; empty if it has none. */
  of(groupId: string): GroupOffsets {
    return this.#byGroup.get(groupId) ?? NO_OFFSETS
  }

  /** The pending transactional offsets. */
  get pending(): Pick<PendingTransactionalOffsets, 'of' | 'isPending' | 'hasPending'> {
    return this.#pending
  }

  /** Applies a record outside a transaction. A tombstone also drops the pending transactional offsets of its key. */
  apply({ key, value }: OffsetRecord): void {
    this.#lastPosition++
    if (value) {
      this.#put(key, { ...value, position: this.#lastPosition })
    } else {
      this.#remove(key)
      this.#pending.drop(key)
    }
  }

  /** Applies a record of a transaction: the offset is pending until the transaction ends. A tombstone is applied at once. */
  addPending(record: OffsetRecord, producerId: bigint): void {
    const { key, value } = record
    if (value) this.#pending.hold(producerId, { key, value, position: ++this.#lastPosition })
    else this.apply(record)
  }

  /**
   * Ends a producer's transaction. Its offsets become committed offsets, unless a later commit was written. Returns the released
   * commits; none after an abort.
   */
  endTransaction(producerId: bigint, result: TxnResult): readonly Pick<OffsetRecord, 'key'>[] {
    const released = this.#pending.release(producerId)
    if (result === 'ABORT') return []
    for (const { key, value, position } of released) {
      const committed = this.#byGroup.get(key.group)?.get(key.topic)?.get(key.partition)
      if (!committed || committed.position < position) this.#put(key, { ...value, position })
    }
    return released
  }

  #put({ group, topic, partition }: OffsetCommitKey, value: CommitAtOffset): void {
    const topics = getOrCreate(this.#byGroup, group, () => new Map())
    getOrCreate(topics, topic, () => new Map<number, CommitAtOffset>()).set(partition, value)
  }

  #remove({ group, topic, partition }: OffsetCommitKey): void {
    const topics = this.#byGroup.get(group)
    const partitions = topics?.get(topic)
    if (!topics || !partitions?.delete(partition)) return
    if (partitions.size === 0) topics.delete(topic)
    if (topics.size === 0) this.#byGroup.delete(group)
  }
}

function getOrCreate<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const existing = map.get(key)
  if (existing !== undefined) return existing
  const made = make()
  map.set(key, made)
  return made
}

export interface CommitRequest {
  readonly groupId: string
  /** The requested retention time in ms, -1 for `offsets.retention.minutes` (OffsetCommit v2-v4). */
  readonly retentionTimeMs: bigint
  readonly topics: readonly CommitTopic[]
}

/** The records of a commit and its response. Metadata that is too large fails only its own partition. */
export function decideCommit(
  { groupId, retentionTimeMs, topics }: CommitRequest,
  maxMetadataBytes: number,
  now: number
): { records: OffsetRecord[]; topics: CommitResponseTopic[] } {
  const records: OffsetRecord[] = []
  const commitTimestamp = BigInt(now)
  const expireTimestamp = retentionTimeMs === -1n ? -1n : commitTimestamp + retentionTimeMs
  const responses = topics.map(({ name, topicId, partitions }) => ({
    name,
    topicId,
    partitions: partitions.map(partition => {
      const { partitionIndex, committedOffset, committedLeaderEpoch, committedMetadata } = partition
      if (isTooLong(partition, maxMetadataBytes))
        return { partitionIndex, errorCode: 'OFFSET_METADATA_TOO_LARGE' as const }
      const metadata = committedMetadata ?? ''
      const offset = { offset: committedOffset, leaderEpoch: committedLeaderEpoch, metadata }
      const value = { ...offset, commitTimestamp, expireTimestamp, topicId }
      records.push({ type: 'OffsetCommit', key: { group: groupId, topic: name, partition: partitionIndex }, value })
      return { partitionIndex, errorCode: 'NONE' as const }
    })
  }))
  return { records, topics: responses }
}

/** True if the metadata exceeds `offset.metadata.max.bytes`: the partition gets OFFSET_METADATA_TOO_LARGE. */
export function isTooLong(
  { committedMetadata }: { readonly committedMetadata: string | null },
  maxBytes: number
): boolean {
  return committedMetadata !== null && committedMetadata.length > maxBytes
}

/** The same error for every partition of a commit. */
export function refuseCommit(topics: readonly CommitTopic[], errorCode: ErrorName): CommitResponseTopic[] {
  return topics.map(({ name, topicId, partitions }) => ({
    name,
    topicId,
    partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode }))
  }))
}

/**
 * The requested offsets, or all of the group if `topics` is null; -1 for partitions without an offset. Partitions for which
 * `isUnstable` returns true get UNSTABLE_OFFSET_COMMIT (KIP-447).
 */
export function fetchOffsets(
  offsets: GroupOffsets,
  topics: readonly FetchTopic[] | null,
  budget: ResponseBudget,
  isUnstable: (topic: string, partition: number) => boolean
): FetchResponseTopic[] {
  if (!topics) return fetchAll(offsets, budget, isUnstable)
  return topics.map(({ name, topicId, partitionIndexes }) => {
    budget.spend(name.length)
    const ofTopic = offsets.get(name)
    const partitions = partitionIndexes.map(partitionIndex => {
      if (isUnstable(name, partitionIndex)) return within(budget, notFound(partitionIndex, 'UNSTABLE_OFFSET_COMMIT'))
      const commit = ofTopic?.get(partitionIndex)
      const found = commit && isSameTopic(commit.topicId, topicId) ? fetched(partitionIndex, commit) : undefined
      return within(budget, found ?? notFound(partitionIndex))
    })
    return { name, topicId, partitions }
  })
}

function fetchAll(
  offsets: GroupOffsets,
  budget: ResponseBudget,
  isUnstable: (topic: string, partition: number) => boolean
): FetchResponseTopic[] {
  return [...offsets].map(([name, commits]) => {
    budget.spend(name.length)
    const partitions = [...commits].map(([index, commit]) => {
      return within(
        budget,
        isUnstable(name, index) ? notFound(index, 'UNSTABLE_OFFSET_COMMIT') : fetched(index, commit)
      )
    })
    return { name, topicId: ZERO_UUID, partitions }
  })
}

function within(budget: ResponseBudget, offset: FetchedOffset): FetchedOffset {
  budget.spend(FETCHED_OFFSET_BYTES + offset.metadata.length)
  return offset
}

/** A topic that was deleted and created again does not inherit offsets. Older commits and requests have no topic id. */
function isSameTopic(topicId: string, other: string): boolean {
  return topicId === other || topicId === ZERO_UUID || other === ZERO_UUID
}

function fetched(partitionIndex: number, { offset, leaderEpoch, metadata }: OffsetCommitValue): FetchedOffset {
  return { partitionIndex, committedOffset: offset, committedLeaderEpoch: leaderEpoch, metadata, errorCode: 'NONE' }
}

/** The result of a partition without an offset, or with an error. */
export function notFound(partitionIndex: number, errorCode: ErrorName = 'NONE'): FetchedOffset {
  return { partitionIndex, committedOffset: -1n, committedLeaderEpoch: -1, metadata: '', errorCode }
}
