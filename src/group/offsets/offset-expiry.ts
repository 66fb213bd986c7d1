/**
 * Expiration and deletion of committed offsets: by retention (KIP-211), with their topic or group, or on request. Functions
 * without side effects that return tombstones.
 */
import { ZERO_UUID } from '../../protocol/wire/bytes.ts'
import type { Group } from '../group.ts'
import type { GroupRecord, OffsetCommitValue } from '../records.ts'
import type { GroupOffsets, OffsetRecord, OffsetTopic } from './offsets.ts'
import type { PendingTransactionalOffset, PendingTransactionalOffsets } from './pending-transactional-offsets.ts'

/**
 * The tombstones of a group's expired offsets, and of the group itself if no offsets are left. Partitions with pending
 * transactional offsets are kept, and so is their group.
 */
export function expireGroup(
  group: Group,
  offsets: GroupOffsets,
  pending: Pick<PendingTransactionalOffsets, 'isPending' | 'hasPending'>,
  now: number,
  retentionMs: number
): GroupRecord[] {
  const tombstones: GroupRecord[] = []
  let count = 0
  for (const [topic, partitions] of offsets) {
    count += partitions.size
    if (group.isSubscribedTo(topic)) continue
    for (const [partition, commit] of partitions) {
      if (pending.isPending(group.groupId, topic, partition)) continue
      if (isExpired(group, commit, now, retentionMs)) tombstones.push(tombstone(group.groupId, topic, partition))
    }
  }
  const noneLeft = tombstones.length === count
  const isRemovable = noneLeft && group.deletionError === 'NONE' && !pending.hasPending(group.groupId)
  return isRemovable ? [...tombstones, ...group.tombstones()] : tombstones
}

function isExpired(group: Group, commit: OffsetCommitValue, now: number, retentionMs: number): boolean {
  const since = group.retainedSince(Number(commit.commitTimestamp))
  if (since === null) return false
  if (commit.expireTimestamp !== -1n) return now >= commit.expireTimestamp
  return now - since >= retentionMs
}

/** The tombstones of a group's offsets for a deleted topic, including pending transactional offsets. */
export function forgetTopic(
  groupId: string,
  offsets: GroupOffsets,
  pending: Iterable<PendingTransactionalOffset>,
  topic: { readonly name: string; readonly topicId: string }
): OffsetRecord[] {
  const ofThisTopic = ({ topicId }: OffsetCommitValue) => topicId === ZERO_UUID || topicId === topic.topicId
  const committed = [...(offsets.get(topic.name) ?? [])].filter(([, commit]) => ofThisTopic(commit))
  const waiting = [...pending].filter(({ key, value }) => key.topic === topic.name && ofThisTopic(value))
  const partitions = new Set([...committed.map(([partition]) => partition), ...waiting.map(({ key }) => key.partition)])
  return Array.from(partitions, partition => tombstone(groupId, topic.name, partition))
}

/**
 * The tombstones of a group's offsets for topics that no longer exist: a broker may crash between the deletion of a topic and
 * these tombstones. A partition with pending transactional offsets for a new topic of the same name is left out, because they
 * replace its offset.
 */
export function expireDeletedTopics(
  groupId: string,
  offsets: GroupOffsets,
  pending: Iterable<PendingTransactionalOffset>,
  exists: (topicId: string) => boolean
): OffsetRecord[] {
  const isOfDeletedTopic = ({ topicId }: OffsetCommitValue) => topicId !== ZERO_UUID && !exists(topicId)
  const tombstones = new Map<string, OffsetRecord>()
  const forget = (topic: string, partition: number) =>
    tombstones.set(`${topic}/${partition}`, tombstone(groupId, topic, partition))
  for (const [topic, partitions] of offsets)
    for (const [partition, commit] of partitions) if (isOfDeletedTopic(commit)) forget(topic, partition)
  const waiting = [...pending]
  for (const { key, value } of waiting) if (isOfDeletedTopic(value)) forget(key.topic, key.partition)
  for (const { key, value } of waiting) if (!isOfDeletedTopic(value)) tombstones.delete(`${key.topic}/${key.partition}`)
  return [...tombstones.values()]
}

/** The tombstones of all offsets of a group, including pending transactional offsets. */
export function forgetGroup(
  groupId: string,
  offsets: GroupOffsets,
  pending: Iterable<PendingTransactionalOffset>
): OffsetRecord[] {
  const committed = [...offsets].flatMap(([topic, partitions]) =>
    Array.from(partitions.keys(), partition => tombstone(groupId, topic, partition))
  )
  const waiting = new Map<string, OffsetRecord>()
  for (const { topic, partition } of Array.from(pending, ({ key }) => key)) {
    if (offsets.get(topic)?.has(partition)) continue
    waiting.set(`${topic}/${partition}`, tombstone(groupId, topic, partition))
  }
  return [...committed, ...waiting.values()]
}

/** The tombstones of the requested partitions that have a committed or pending transactional offset. */
export function forgetPartitions(
  groupId: string,
  topics: readonly OffsetTopic[],
  offsets: GroupOffsets,
  pending: Pick<PendingTransactionalOffsets, 'isPending'>
): OffsetRecord[] {
  const isKept = (topic: string, partition: number) =>
    offsets.get(topic)?.has(partition) || pending.isPending(groupId, topic, partition)
  const tombstones = new Map<string, OffsetRecord>()
  for (const { name, partitions } of topics) {
    for (const { partitionIndex } of partitions) {
      if (isKept(name, partitionIndex))
        tombstones.set(`${name}/${partitionIndex}`, tombstone(groupId, name, partitionIndex))
    }
  }
  return [...tombstones.values()]
}

function tombstone(group: string, topic: string, partition: number): OffsetRecord {
  return { type: 'OffsetCommit', key: { group, topic, partition }, value: null }
}
