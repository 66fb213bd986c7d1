/** Kafka's `uniform` assignor, the default: as even as can be, and of what is even, that which moves least. */
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

/** Two ways, by whether all members want the same topics; the simpler question has the simpler answer. */
export const uniformAssignor: Assignor = {
  name: 'uniform',
  assign: (group, topics) => (group.isHomogeneous ? assignHomogeneous : assignHeterogeneous)(group, topics)
}

/**
 * The uniform assignment where all members subscribe to the same topics: everybody keeps what they have up to a fair
 * share, and the rest goes to those who have less. So no two members differ by more than one partition, and no partition
 * moves that need not.
 */
interface TopicPartition {
  readonly topicId: string
  readonly partition: number
}

/** Assigns the topics of any one member, which are those of all. */
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
 * Takes what is above each member's fair share and adds it to `unassigned`; answers how much those below it may get.
 * Where shares do not come out even, some members get one more: they who have it already, and they who come last when as
 * many are left as there are extras.
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

/** Takes all but `quota` partitions of the topics from a member; answers how many are missing to the quota. */
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
