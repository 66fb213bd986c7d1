/**
 * The target assignment of one member under construction: a view of the current target, copied at the first change. Its sets are
 * ordered as in Java, so that records, and later assignments, have Kafka's order.
 */
import { assert } from '../../../runtime/assert.ts'
import type { Assignment, GroupSpec, MemberSpec } from './assignor.ts'
import { HashSet, hashOfInteger, hashOfString, inHashOrder, uuidHashing } from './hash-set.ts'

/** Partitions of one topic. */
export interface TopicPartitions {
  readonly topicId: string
  readonly partitions: HashSet<number>
}

interface Copy {
  readonly topicIds: HashSet<string>
  readonly byTopic: Map<string, HashSet<number>>
}

/** The new target of one member. */
export class MemberDraft {
  readonly member: MemberSpec
  readonly #hashOfTopic: (topicId: string) => number
  #copy: Copy | undefined

  constructor(member: MemberSpec, hashOfTopic: (topicId: string) => number) {
    this.member = member
    this.#hashOfTopic = hashOfTopic
  }

  /** The current target of the member, in the order that Kafka has after reading it. */
  had(): readonly TopicPartitions[] {
    return inHashOrder(this.#hashOfTopic, this.member.assigned).map(([topicId, partitions]) => ({
      topicId,
      partitions: HashSet.copyOf(hashOfInteger, partitions)
    }))
  }

  /** Adds a partition. `capacity` is that of Kafka's set if this is the first partition of the topic. */
  add(topicId: string, partition: number, capacity?: number): void {
    const { topicIds, byTopic } = this.#writable()
    const partitions = byTopic.get(topicId) ?? new HashSet(hashOfInteger, capacity)
    topicIds.addIfAbsent(topicId)
    byTopic.set(topicId, partitions)
    partitions.add(partition)
  }

  /** Removes a partition of the member. */
  remove(topicId: string, partition: number): void {
    const partitions = this.#writable().byTopic.get(topicId)
    assert(partitions, 'a partition is taken from its owner')
    partitions.delete(partition)
    if (partitions.size === 0) this.removeTopic(topicId)
  }

  /** Removes all partitions of a topic. */
  removeTopic(topicId: string): void {
    const { topicIds, byTopic } = this.#writable()
    topicIds.delete(topicId)
    byTopic.delete(topicId)
  }

  /** The new target; the current one, as the same object, if nothing was added or removed. */
  finish(): Assignment {
    if (!this.#copy) return this.member.assigned
    const { topicIds, byTopic } = this.#copy
    return new Map(Array.from(topicIds, topicId => [topicId, new Set(byTopic.get(topicId))]))
  }

  #writable(): Copy {
    if (this.#copy) return this.#copy
    const byTopic = new Map(this.had().map(({ topicId, partitions }) => [topicId, partitions]))
    this.#copy = { topicIds: new HashSet(this.#hashOfTopic, byTopic.size).addAll(byTopic.keys()), byTopic }
    return this.#copy
  }
}

/** A draft for each member, in the order in which Kafka visits them. */
export function draftAll(members: GroupSpec['members']): Map<string, MemberDraft> {
  const hashOfTopic = uuidHashing()
  const inOrder = inHashOrder(hashOfString, members)
  return new Map(inOrder.map(([memberId, member]) => [memberId, new MemberDraft(member, hashOfTopic)]))
}

/** The targets of all drafts. */
export function finishAll(drafts: ReadonlyMap<string, MemberDraft>): Map<string, Assignment> {
  return new Map(Array.from(drafts, ([memberId, draft]) => [memberId, draft.finish()]))
}
