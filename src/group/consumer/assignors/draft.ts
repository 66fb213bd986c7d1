/**
 * The assignment of one member in the making: what it has, copied when the first partition goes or comes. Everything is
 * kept in Java's order, so that it is written, and found the next time, as Kafka writes and finds it.
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

/** What one member shall have. */
export class MemberDraft {
  readonly member: MemberSpec
  readonly #hashOfTopic: (topicId: string) => number
  #copy: Copy | undefined

  constructor(member: MemberSpec, hashOfTopic: (topicId: string) => number) {
    this.member = member
    this.#hashOfTopic = hashOfTopic
  }

  /** What the member had before, in the order in which Kafka has it after it has read it. */
  had(): readonly TopicPartitions[] {
    return inHashOrder(this.#hashOfTopic, this.member.assigned).map(([topicId, partitions]) => ({
      topicId,
      partitions: HashSet.copyOf(hashOfInteger, partitions)
    }))
  }

  /** Gives the member a partition; `capacity` is that of Kafka's set where this is the topic's first. */
  add(topicId: string, partition: number, capacity?: number): void {
    const { topicIds, byTopic } = this.#writable()
    const partitions = byTopic.get(topicId) ?? new HashSet(hashOfInteger, capacity)
    topicIds.addIfAbsent(topicId)
    byTopic.set(topicId, partitions)
    partitions.add(partition)
  }

  /** Takes a partition from the member, which has it. */
  remove(topicId: string, partition: number): void {
    const partitions = this.#writable().byTopic.get(topicId)
    assert(partitions, 'a partition is taken from who has it')
    partitions.delete(partition)
    if (partitions.size === 0) this.removeTopic(topicId)
  }

  /** Takes all partitions of a topic. */
  removeTopic(topicId: string): void {
    const { topicIds, byTopic } = this.#writable()
    topicIds.delete(topicId)
    byTopic.delete(topicId)
  }

  /** What came of it: the very same assignment where nothing went or came. */
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

/** A draft for each member, in the order in which Kafka goes through them. */
export function draftAll(members: GroupSpec['members']): Map<string, MemberDraft> {
  const hashOfTopic = uuidHashing()
  const inOrder = inHashOrder(hashOfString, members)
  return new Map(inOrder.map(([memberId, member]) => [memberId, new MemberDraft(member, hashOfTopic)]))
}

/** What came of all drafts. */
export function finishAll(drafts: ReadonlyMap<string, MemberDraft>): Map<string, Assignment> {
  return new Map(Array.from(drafts, ([memberId, draft]) => [memberId, draft.finish()]))
}
