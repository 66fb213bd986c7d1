// A random group: members join, leave and change their subscriptions, topics are created, grow and are deleted. Members have the
// partitions of the last assignment.
import type {
  Assignment,
  GroupSpec,
  MemberSpec,
  TopicDescriber
} from '../../../../src/group/modern/assignors/assignor.ts'
import { type Random, randomUuid } from '../../../../src/runtime/random.ts'

/** The maximal size of a group. */
export interface Bounds {
  readonly members: number
  readonly topics: number
  readonly partitions: number
}

/** A group whose members all subscribe to all topics, or each to random topics. */
export class RandomGroup implements GroupSpec, TopicDescriber {
  readonly members = new Map<string, MemberSpec>()
  readonly topics = new Map<string, number>()
  readonly isHomogeneous: boolean
  readonly #bounds: Bounds
  readonly #random: Random

  constructor(random: Random, isHomogeneous: boolean, bounds: Bounds) {
    this.#random = random
    this.isHomogeneous = isHomogeneous
    this.#bounds = bounds
    for (let count = random.below(bounds.topics); count >= 0; count--) this.#createTopic()
    for (let count = random.below(bounds.members); count >= 0; count--) this.#join()
  }

  partitionCount(topicId: string): number | undefined {
    return this.topics.get(topicId)
  }

  /** Gives the members the partitions of an assignment. */
  adopt(assigned: ReadonlyMap<string, Assignment>): void {
    for (const [memberId, member] of this.members) {
      this.members.set(memberId, { ...member, assigned: assigned.get(memberId) ?? new Map() })
    }
  }

  /** Subscribes all members to this topic only, which may not exist. */
  subscribeAll(topicId: string): void {
    for (const [memberId, member] of this.members) {
      this.members.set(memberId, { ...member, subscribedTopicIds: new Set([topicId]) })
    }
  }

  /** Performs one or more random changes. */
  change(): void {
    const happenings = [
      () => this.#join(),
      () => this.#leave(),
      () => this.#return(),
      () => this.#createTopic(),
      () => this.#grow(),
      () => this.#deleteTopic(),
      () => this.#resubscribe()
    ]
    do happenings[this.#random.below(happenings.length)]?.()
    while (this.#random.below(2) === 0)
  }

  #join(): void {
    if (this.members.size >= this.#bounds.members) return
    const isStatic = this.#random.below(4) === 0
    const instanceId = isStatic ? `static-${this.#random.below(1_000_000)}` : null
    this.members.set(this.#memberId(), { instanceId, subscribedTopicIds: this.#subscription(), assigned: new Map() })
  }

  #leave(): void {
    const memberId = this.#pick([...this.members.keys()])
    if (memberId !== undefined && this.members.size > 1) this.members.delete(memberId)
  }

  /** A static member rejoins with another member id and keeps its partitions. */
  #return(): void {
    const entry = this.#pick([...this.members].filter(([, { instanceId }]) => instanceId !== null))
    if (!entry) return
    this.members.delete(entry[0])
    this.members.set(this.#memberId(), entry[1])
  }

  #createTopic(): void {
    if (this.topics.size >= this.#bounds.topics) return
    this.topics.set(randomUuid(this.#random), 1 + this.#random.below(this.#bounds.partitions))
    if (this.isHomogeneous) this.#everybodySubscribes()
  }

  #grow(): void {
    const topicId = this.#pick([...this.topics.keys()])
    if (topicId === undefined) return
    const count = this.topics.get(topicId) ?? 0
    this.topics.set(topicId, Math.min(count + 1 + this.#random.below(5), this.#bounds.partitions))
  }

  #deleteTopic(): void {
    const topicId = this.#pick([...this.topics.keys()])
    if (topicId === undefined || this.topics.size === 1) return
    this.topics.delete(topicId)
    for (const [memberId, member] of this.members) {
      const subscribedTopicIds = new Set([...member.subscribedTopicIds].filter(id => id !== topicId))
      this.members.set(memberId, { ...member, subscribedTopicIds })
    }
  }

  #resubscribe(): void {
    const memberId = this.#pick([...this.members.keys()])
    const member = memberId === undefined ? undefined : this.members.get(memberId)
    if (memberId === undefined || !member) return
    this.members.set(memberId, { ...member, subscribedTopicIds: this.#subscription() })
  }

  #everybodySubscribes(): void {
    for (const [memberId, member] of this.members) {
      this.members.set(memberId, { ...member, subscribedTopicIds: this.#subscription() })
    }
  }

  #subscription(): ReadonlySet<string> {
    const topicIds = [...this.topics.keys()]
    return new Set(this.isHomogeneous ? topicIds : this.#shuffled(topicIds.filter(() => this.#random.below(3) > 0)))
  }

  #memberId(): string {
    return randomUuid(this.#random)
  }

  #pick<T>(things: readonly T[]): T | undefined {
    return things[this.#random.below(things.length)]
  }

  #shuffled<T>(things: readonly T[]): T[] {
    const keyed = things.map(thing => ({ thing, key: this.#random.below(1 << 30) }))
    return keyed.sort((a, b) => a.key - b.key).map(({ thing }) => thing)
  }
}

/** Small groups cover the cases, larger groups make hash tables grow. */
export const BOUNDS: readonly Bounds[] = [
  { members: 4, topics: 3, partitions: 8 },
  { members: 12, topics: 20, partitions: 12 },
  { members: 60, topics: 4, partitions: 150 },
  { members: 5, topics: 2, partitions: 300 }
]
