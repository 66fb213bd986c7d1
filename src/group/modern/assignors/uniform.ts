/** Kafka's `uniform` assignor, the default: as balanced as possible, with as few moves as possible. */
import {
  type Assignment,
  type Assignor,
  type GroupSpec,
  PartitionAssignorError,
  partitionCountOf,
  type TopicDescriber
} from './assignor.ts'
import { draftAll, finishAll, type MemberDraft } from './draft.ts'
import { HashSet, uuidHashing } from './hash-set.ts'
import { assignHeterogeneous } from './uniform-heterogeneous.ts'

/** Uses the simpler algorithm if all members subscribe to the same topics. */
export const uniformAssignor: Assignor = {
  name: 'uniform',
  assign: (group, topics) => (group.isHomogeneous ? assignHomogeneous : assignHeterogeneous)(group, topics)
}

interface TopicPartition {
  readonly topicId: string
  readonly partition: number
}

/**
 * Assigns the topics that all members subscribe to. Members keep their partitions up to a fair share, the rest goes to members
 * below it. So members differ by at most one partition, and no partition moves without need.
 */
function assignHomogeneous({ members }: GroupSpec, topics: TopicDescriber): Map<string, Assignment> {
  const drafts = draftAll(members)
  const [anyDraft] = drafts.values()
  const topicIds = anyDraft?.member.subscribedTopicIds ?? new Set()
  const partitions = partitionsOf(topicIds, topics)
  const owned = ownedPartitions(members)
  const unassigned = partitions.filter(({ topicId, partition }) => !owned.get(topicId)?.has(partition))
  const rooms = keepFairShares([...drafts.values()], topicIds, partitions.length, unassigned)
  let next = 0
  for (const [draft, room] of rooms) {
    for (const { topicId, partition } of unassigned.slice(next, next + room)) draft.add(topicId, partition)
    next += room
  }
  if (next < unassigned.length) throw new PartitionAssignorError('Partitions were left unassigned')
  return finishAll(drafts)
}

function partitionsOf(topicIds: ReadonlySet<string>, topics: TopicDescriber): TopicPartition[] {
  return Array.from(HashSet.copyOf(uuidHashing(), topicIds)).flatMap(topicId =>
    Array.from({ length: partitionCountOf(topics, topicId) }, (_, partition) => ({ topicId, partition }))
  )
}

function ownedPartitions(members: GroupSpec['members']): ReadonlyMap<string, ReadonlySet<number>> {
  const owned = new Map<string, Set<number>>()
  for (const { assigned } of members.values()) {
    for (const [topicId, partitions] of assigned) {
      const ofTopic = owned.get(topicId) ?? new Set()
      owned.set(topicId, ofTopic)
      for (const partition of partitions) ofTopic.add(partition)
    }
  }
  return owned
}

/**
 * Removes partitions above each member's fair share and adds them to `unassigned`. Returns how many partitions each member
 * still gets. If the total is not divisible, some members get one more: those that already have it, and the last members if
 * extra partitions are left over.
 */
function keepFairShares(
  drafts: readonly MemberDraft[],
  topicIds: ReadonlySet<string>,
  total: number,
  unassigned: TopicPartition[]
): Map<MemberDraft, number> {
  const share = Math.floor(total / drafts.length)
  let extras = total % drafts.length
  const rooms = new Map<MemberDraft, number>()
  for (const [index, draft] of drafts.entries()) {
    const extra = extras > 0 ? 1 : 0
    const room = keep(draft, share + extra, topicIds, unassigned)
    const passesOn = room > 0 && drafts.length - index > extras ? extra : 0
    extras -= extra - passesOn
    rooms.set(draft, room - passesOn)
  }
  return rooms
}

/** Removes all but `quota` partitions of the topics from a member. Returns the number that is missing to the quota. */
function keep(draft: MemberDraft, quota: number, topicIds: ReadonlySet<string>, unassigned: TopicPartition[]): number {
  let room = quota
  for (const { topicId, partitions } of draft.had()) {
    if (!topicIds.has(topicId)) draft.removeTopic(topicId)
    else
      for (const partition of partitions) {
        if (room > 0) room--
        else {
          draft.remove(topicId, partition)
          unassigned.push({ topicId, partition })
        }
      }
  }
  return room
}
