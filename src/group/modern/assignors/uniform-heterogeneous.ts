/**
 * The uniform assignor for members with different subscriptions. Members keep the partitions of topics that they subscribe to;
 * unassigned partitions go to the members with the fewest. Then partitions move, topic by topic, from members with the most to
 * members with the fewest. With overlapping subscriptions the result is nearly balanced, not always exactly.
 */

import { assert } from '../../../runtime/assert.ts'
import { type Assignment, type GroupSpec, partitionCountOf, type TopicDescriber } from './assignor.ts'
import { draftAll, finishAll, type MemberDraft } from './draft.ts'
import { capacityFor } from './hash-set.ts'

/** Maximum number of passes over all topics. Each pass about halves the imbalance. */
const MAX_ROUNDS = 16

interface Subscriber {
  /** Its position among the members, which breaks ties. */
  readonly index: number
  readonly draft: MemberDraft
  /** The number of its partitions, of all topics. */
  load: number
}

interface Topic {
  readonly topicId: string
  readonly subscribers: Subscriber[]
  /** By partition. */
  readonly owners: (Subscriber | undefined)[]
}

/** Assigns to each member partitions of its subscribed topics. */
export function assignHeterogeneous({ members }: GroupSpec, describer: TopicDescriber): Map<string, Assignment> {
  const drafts = draftAll(members)
  const subscribers = Array.from(drafts.values(), (draft, index): Subscriber => ({ index, draft, load: 0 }))
  const topics = subscribe(subscribers, describer)
  for (const subscriber of subscribers) keepSubscribed(subscriber, topics)
  const inOrder = [...topics.values()].sort(compareTopics)
  for (const topic of inOrder) assignUnowned(topic)
  balance(inOrder.filter(({ subscribers }) => subscribers.length > 1))
  return finishAll(drafts)
}

function subscribe(subscribers: readonly Subscriber[], describer: TopicDescriber): ReadonlyMap<string, Topic> {
  const topics = new Map<string, Topic>()
  for (const subscriber of subscribers) {
    for (const topicId of subscriber.draft.member.subscribedTopicIds) {
      const topic = topics.get(topicId) ?? newTopic(topicId, partitionCountOf(describer, topicId))
      topics.set(topicId, topic)
      topic.subscribers.push(subscriber)
    }
  }
  return topics
}

function newTopic(topicId: string, partitions: number): Topic {
  return { topicId, subscribers: [], owners: new Array<undefined>(partitions).fill(undefined) }
}

function keepSubscribed(subscriber: Subscriber, topics: ReadonlyMap<string, Topic>): void {
  const { draft } = subscriber
  for (const { topicId, partitions } of draft.had()) {
    const topic = draft.member.subscribedTopicIds.has(topicId) ? topics.get(topicId) : undefined
    if (!topic) {
      draft.removeTopic(topicId)
      continue
    }
    for (const partition of partitions) {
      if (partition < topic.owners.length) {
        topic.owners[partition] = subscriber
        subscriber.load++
      } else draft.remove(topicId, partition)
    }
  }
}

/** Orders topics by most partitions per subscriber, then fewest subscribers, then smallest id in Kafka's order. */
function compareTopics(a: Topic, b: Topic): number {
  const density = b.owners.length / b.subscribers.length - a.owners.length / a.subscribers.length
  return density || a.subscribers.length - b.subscribers.length || compareIds(a.topicId, b.topicId)
}

/** Ids are compared as two signed numbers. */
function compareIds(a: string, b: string): number {
  const [ours, theirs] = [Buffer.from(a, 'base64url'), Buffer.from(b, 'base64url')]
  for (const half of [0, 8]) {
    const [x, y] = [ours.readBigInt64BE(half), theirs.readBigInt64BE(half)]
    if (x !== y) return x < y ? -1 : 1
  }
  return 0
}

function assignUnowned(topic: Topic): void {
  if (!topic.owners.includes(undefined)) return
  const receivers = leastLoaded(byLoad(topic.subscribers))
  for (const [partition, owner] of topic.owners.entries()) {
    if (!owner) assignTo(topic, partition, receivers.next().value)
  }
}

/** Balances the topics in rounds, until a whole round has moved no partition. */
function balance(topics: readonly Topic[]): void {
  let lastMoved: Topic | undefined
  for (let round = 0; round < MAX_ROUNDS; round++) {
    for (const topic of topics) {
      if (topic === lastMoved) return
      if (balanceTopic(topic) || !lastMoved) lastMoved = topic
    }
  }
}

/**
 * Moves partitions of a topic until the loads of its subscribers differ by at most one, or the most loaded ones have none of
 * them. Returns true if one was moved.
 */
function balanceTopic(topic: Topic): boolean {
  const subscribers = byLoad(topic.subscribers)
  if ((subscribers.at(-1)?.load ?? 0) - (subscribers[0]?.load ?? 0) <= 1) return false
  const owned = new Map(subscribers.map(subscriber => [subscriber, [] as number[]]))
  for (const [partition, owner] of topic.owners.entries()) if (owner) owned.get(owner)?.push(partition)
  const receivers = leastLoaded(subscribers)
  let moved = false
  for (const previousOwner of mostLoaded(subscribers, subscriber => owned.get(subscriber)?.length !== 0)) {
    const partition = owned.get(previousOwner)?.pop()
    const newOwner = receivers.next().value
    if (partition === undefined || previousOwner.load - newOwner.load <= 1) break
    assignTo(topic, partition, newOwner)
    moved = true
  }
  return moved
}

function byLoad(subscribers: readonly Subscriber[]): Subscriber[] {
  return [...subscribers].sort((a, b) => a.load - b.load || a.index - b.index)
}

function assignTo({ topicId, owners, subscribers }: Topic, partition: number, newOwner: Subscriber): void {
  const previousOwner = owners[partition]
  if (previousOwner) {
    previousOwner.draft.remove(topicId, partition)
    previousOwner.load--
  }
  newOwner.draft.add(topicId, partition, capacityFor(Math.ceil(owners.length / subscribers.length)))
  newOwner.load++
  owners[partition] = newOwner
}

// Members sorted by load. One generator fills the least loaded evenly, the other takes evenly from the most loaded. A step costs
// the same for any number of members. Both read one array and see its loads change; the caller stops when they meet.

/** Anything with a number of partitions. */
export interface Loaded {
  readonly load: number
}

/**
 * Yields the least loaded member without end. Assumes that each yielded member gets one more. Requires at least one member.
 */
function* leastLoaded<M extends Loaded>(members: readonly M[]): Generator<M, never> {
  const [lowest] = members
  assert(lowest, 'a topic without subscribers has no assigned partitions')
  let end = 0
  for (let level = lowest.load; ; level++) {
    while (members[end]?.load === level) end++
    yield* members.slice(0, end)
  }
}

/**
 * Yields the most loaded member that can give, until none can. Assumes that each yielded member has one less afterwards.
 * Changes the array: members that cannot give are swapped behind those that can.
 */
function* mostLoaded<M extends Loaded>(members: M[], canGive: (member: M) => boolean): Generator<M, void> {
  let start = members.length
  let end = members.length
  let level = members[end - 1]?.load
  while (level !== undefined) {
    while (members[start - 1]?.load === level) start--
    for (let at = end - 1; at >= start; at--) {
      const member = members[at]
      if (member && canGive(member)) yield member
      else swap(members, at, --end)
    }
    level = end > start ? level - 1 : members[start - 1]?.load
  }
}

function swap<M>(members: M[], index: number, other: number): void {
  const [a, b] = [members[index], members[other]]
  assert(a && b, 'both members are in the array')
  members[index] = b
  members[other] = a
}
