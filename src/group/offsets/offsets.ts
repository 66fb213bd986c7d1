/**
 * Committed offsets: what one partition of __consumer_offsets holds of them, and the rules that need nothing else.
 * Only `apply` and its kin change anything, live and on loading alike. Offsets of open transactions stand beside the
 * committed ones, by producer id, until their marker comes.
 */

import type { ErrorName } from '../../protocol/errors.ts'
import type { TxnResult } from '../../protocol/records/control.ts'
import { ZERO_UUID } from '../../protocol/wire/bytes.ts'
import type { OffsetCommitKey, OffsetCommitValue } from '../records.ts'
import type { ResponseBudget } from '../response-budget.ts'
import { PendingTransactionalOffsets } from './pending-transactional-offsets.ts'

/** A topic whose offsets are to change. The handler has resolved names and ids, and left out what does not exist. */
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

/** What has become of a commit, or of a deletion. */
export type CommitResponseTopic = OffsetTopic<{ readonly partitionIndex: number; readonly errorCode: ErrorName }>

/** A topic of a fetch; the id is zero where the request has none. */
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

/** A record to be written: an offset, or the end of one. */
export interface OffsetRecord {
  readonly type: 'OffsetCommit'
  readonly key: OffsetCommitKey
  readonly value: OffsetCommitValue | null
}

/** The offsets of one group: topic, partition, commit. */
export type GroupOffsets = ReadonlyMap<string, ReadonlyMap<number, OffsetCommitValue>>

/** What a partition of an answer takes beside its metadata. */
const FETCHED_OFFSET_BYTES = 20

const NO_OFFSETS: GroupOffsets = new Map()

/** A commit in force, and its position among all commits written to the partition. */
interface CommitAtOffset extends OffsetCommitValue {
  readonly position: number
}

export class Offsets {
  readonly #byGroup = new Map<string, Map<string, Map<number, CommitAtOffset>>>()
  readonly #pending = new PendingTransactionalOffsets()
  #lastPosition = 0

  /** The offsets of a group; empty when it has none. */
  of(groupId: string): GroupOffsets {
    return this.#byGroup.get(groupId) ?? NO_OFFSETS
  }

  /** Those of open transactions. */
  get pending(): Pick<PendingTransactionalOffsets, 'of' | 'isPending' | 'hasPending'> {
    return this.#pending
  }

  /** The end of an offset is that of all which wait to take its place, too. */
  apply({ key, value }: OffsetRecord): void {
    this.#lastPosition++
    if (value) {
      this.#put(key, { ...value, position: this.#lastPosition })
    } else {
      this.#remove(key)
      this.#pending.drop(key)
    }
  }

  /** As `apply`, for what a producer commits within its transaction: a commit waits until that ends. */
  holdBack(record: OffsetRecord, producerId: bigint): void {
    const { key, value } = record
    if (value) this.#pending.hold(producerId, { key, value, position: ++this.#lastPosition })
    else this.apply(record)
  }

  /**
   * A producer's transaction has ended. The offsets it committed count from now on, except where another commit was
   * written after them. Gives what was committed.
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
    const topics = getOrMake(this.#byGroup, group, () => new Map())
    getOrMake(topics, topic, () => new Map<number, CommitAtOffset>()).set(partition, value)
  }

  #remove({ group, topic, partition }: OffsetCommitKey): void {
    const topics = this.#byGroup.get(group)
    const partitions = topics?.get(topic)
    if (!topics || !partitions?.delete(partition)) return
    if (partitions.size === 0) topics.delete(topic)
    if (topics.size === 0) this.#byGroup.delete(group)
  }
}

function getOrMake<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const existing = map.get(key)
  if (existing !== undefined) return existing
  const made = make()
  map.set(key, made)
  return made
}

export interface CommitRequest {
  readonly groupId: string
  /** How long to keep the offsets, -1 for the broker's own rule (OffsetCommit v2-v4). */
  readonly retentionTimeMs: bigint
  readonly topics: readonly CommitTopic[]
}

/** What a valid commit writes, and its answer. Metadata that is too long fails its own partition only. */
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

/** True for what the partition's own error is OFFSET_METADATA_TOO_LARGE. */
export function isTooLong(
  { committedMetadata }: { readonly committedMetadata: string | null },
  maxBytes: number
): boolean {
  return committedMetadata !== null && committedMetadata.length > maxBytes
}

/** The same answer for every partition of a commit. */
export function refuseCommit(topics: readonly CommitTopic[], errorCode: ErrorName): CommitResponseTopic[] {
  return topics.map(({ name, topicId, partitions }) => ({
    name,
    topicId,
    partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode }))
  }))
}

/**
 * The offsets that are asked for, -1 where there is none; all of the group's when `topics` is null. One that `isUnstable`,
 * for an open transaction may commit another, is told as UNSTABLE_OFFSET_COMMIT (KIP-447).
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

/** A topic that was deleted and made anew does not inherit offsets. Older commits and requests carry no id. */
function isSameTopic(topicId: string, other: string): boolean {
  return topicId === other || topicId === ZERO_UUID || other === ZERO_UUID
}

function fetched(partitionIndex: number, { offset, leaderEpoch, metadata }: OffsetCommitValue): FetchedOffset {
  return { partitionIndex, committedOffset: offset, committedLeaderEpoch: leaderEpoch, metadata, errorCode: 'NONE' }
}

/** No offset, or none that the asker may have. */
export function notFound(partitionIndex: number, errorCode: ErrorName = 'NONE'): FetchedOffset {
  return { partitionIndex, committedOffset: -1n, committedLeaderEpoch: -1, metadata: '', errorCode }
}
