/**
 * Kafka's `range` assignor: the partitions of each topic are divided into one range per subscriber, and the subscribers get them
 * in the same order. Members with the same subscriptions therefore get equal partition numbers of topics of equal size. Current
 * targets are not used; static members are ordered by instance id, which does not change.
 */
import { assert } from '../../../runtime/assert.ts'
import {
  type Assignment,
  type Assignor,
  type GroupSpec,
  type MemberSpec,
  PartitionAssignorError,
  type TopicDescriber
} from './assignor.ts'
import { capacityFor, hashOfString, inHashOrder, uuidHashing } from './hash-set.ts'

type Entry = readonly [memberId: string, member: MemberSpec]

/** The unassigned partitions and subscribers of a topic. */
interface Remainder {
  next: number
  readonly end: number
  subscribers: number
}

/** Assigns ranges: static members first, by instance id, then by member id. */
export const rangeAssignor: Assignor = {
  name: 'range',
  assign({ members }, topics) {
    const inOrder = inHashOrder(hashOfString, members)
    const remainders = countSubscribers(members, topics)
    const hashOfTopic = uuidHashing()
    const assigned = new Map<string, Assignment>()
    for (const [memberId, { subscribedTopicIds }] of [...inOrder].sort(staticMembersFirst)) {
      const ranges = takeRanges(subscribedTopicIds, remainders)
      assigned.set(memberId, new Map(inHashOrder(hashOfTopic, ranges, capacityFor(subscribedTopicIds.size))))
    }
    return new Map(inOrder.map(([memberId]) => [memberId, assigned.get(memberId) ?? new Map()]))
  }
}

function countSubscribers(members: GroupSpec['members'], topics: TopicDescriber): ReadonlyMap<string, Remainder> {
  const remainders = new Map<string, Remainder>()
  for (const { subscribedTopicIds } of members.values()) {
    for (const topicId of subscribedTopicIds) {
      const end = topics.partitionCount(topicId)
      if (end === undefined) throw new PartitionAssignorError('Member is subscribed to a non-existent topic')
      const remainder = remainders.get(topicId) ?? { next: 0, end, subscribers: 0 }
      remainder.subscribers++
      remainders.set(topicId, remainder)
    }
  }
  return remainders
}

/** Takes from each topic the member's share of the remaining partitions, rounded up: earlier members get one more. */
function takeRanges(topicIds: ReadonlySet<string>, remainders: ReadonlyMap<string, Remainder>): Assignment {
  const ranges = new Map<string, ReadonlySet<number>>()
  for (const topicId of topicIds) {
    const remainder = remainders.get(topicId)
    assert(remainder, 'each subscription has been counted')
    const first = remainder.next
    const length = Math.ceil((remainder.end - first) / remainder.subscribers--)
    if (length === 0) continue
    ranges.set(topicId, new Set(Array.from({ length }, (_, index) => first + index)))
    remainder.next += length
  }
  return ranges
}

function staticMembersFirst([a, { instanceId: nameOfA }]: Entry, [b, { instanceId: nameOfB }]: Entry): number {
  if (nameOfA !== null && nameOfB !== null) return compare(nameOfA, nameOfB)
  if (nameOfA !== null) return -1
  return nameOfB !== null ? 1 : compare(a, b)
}

function compare(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1
}
