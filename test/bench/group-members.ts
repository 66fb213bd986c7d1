/** Group members that answer the coordinator at once, so that the time of a rebalance is the time of the broker. */
import type { Harness } from '../../src/testing/harness.ts'
import { subscriptionOf } from '../group/embedded.ts'

const LARGEST_ROUNDS = 100

/** The topic that all members read. */
export interface BenchTopic {
  readonly name: string
  readonly topicId: string
  readonly partitions: number
}

/** A group. Its methods resolve when all members have their assignment. */
export interface BenchGroup {
  readonly groupId: string
  /** Adds a member. */
  enter(): Promise<void>
  /** Removes the newest member. */
  leave(): Promise<void>
}

/**
 * Members of a classic group, as Java consumers with `group.protocol=classic` and the range assignor: the leader
 * computes the assignment.
 */
export class ClassicMembers implements BenchGroup {
  readonly #harness: Harness
  readonly groupId: string
  readonly #topic: BenchTopic
  readonly #ids: string[] = []
  #generationId = -1

  constructor(harness: Harness, groupId: string, topic: BenchTopic) {
    this.#harness = harness
    this.groupId = groupId
    this.#topic = topic
  }

  async enter(): Promise<void> {
    const { memberId } = await this.#join('')
    const newcomer = this.#join(memberId)
    const others = this.#ids.map(id => this.#follow(id))
    this.#ids.push(memberId)
    this.#generationId = (await newcomer).generationId
    await Promise.all(others)
    await this.#sync()
  }

  async leave(): Promise<void> {
    const memberId = this.#ids.pop() ?? ''
    const members = [{ memberId, groupInstanceId: null, reason: null }]
    await this.#harness.request('LeaveGroup', { groupId: this.groupId, members })
    const [first] = await Promise.all(this.#ids.map(id => this.#follow(id)))
    this.#generationId = first?.generationId ?? -1
    await this.#sync()
  }

  /** Waits for the rebalance, then joins again. */
  async #follow(memberId: string) {
    const claim = { groupId: this.groupId, generationId: this.#generationId, memberId, groupInstanceId: null }
    const { errorCode } = await this.#harness.request('Heartbeat', claim)
    if (errorCode !== 'REBALANCE_IN_PROGRESS') throw new Error(`a rebalance was expected: ${errorCode}`)
    return this.#join(memberId)
  }

  #join(memberId: string) {
    return this.#harness.request('JoinGroup', {
      groupId: this.groupId,
      sessionTimeoutMs: 45_000,
      rebalanceTimeoutMs: 300_000,
      memberId,
      groupInstanceId: null,
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: subscriptionOf([this.#topic.name]) }],
      reason: null
    })
  }

  async #sync(): Promise<void> {
    // The broker does not read an assignment. Its length is four bytes a partition, as in a real one.
    const share = Buffer.alloc(30 + 4 * Math.ceil(this.#topic.partitions / this.#ids.length))
    const assignments = this.#ids.map(memberId => ({ memberId, assignment: share }))
    const claim = { groupId: this.groupId, generationId: this.#generationId, groupInstanceId: null }
    const spoken = { protocolType: 'consumer', protocolName: 'range' }
    const answers = this.#ids.map((memberId, index) =>
      this.#harness.request('SyncGroup', { ...claim, ...spoken, memberId, assignments: index === 0 ? assignments : [] })
    )
    for (const { errorCode } of await Promise.all(answers)) if (errorCode !== 'NONE') throw new Error(errorCode)
  }
}

/**
 * Members of a consumer group (KIP-848), as consumers with `group.protocol=consumer`: each sends heartbeats until all
 * have their target assignment.
 */
export class ConsumerMembers implements BenchGroup {
  readonly #harness: Harness
  readonly groupId: string
  readonly #topic: BenchTopic
  readonly #members: ConsumerMember[] = []
  #count = 0

  constructor(harness: Harness, groupId: string, topic: BenchTopic) {
    this.#harness = harness
    this.groupId = groupId
    this.#topic = topic
  }

  async enter(): Promise<void> {
    const newcomer = new ConsumerMember(this.#harness, this.groupId, `member-${this.#count++}`)
    await newcomer.join(this.#topic)
    this.#members.push(newcomer)
    await this.#settle()
  }

  async leave(): Promise<void> {
    await this.#members.pop()?.leave()
    await this.#settle()
  }

  async #settle(): Promise<void> {
    for (let round = 0; !this.#isSettled(); round++) {
      if (round > LARGEST_ROUNDS) throw new Error('the group does not come to rest')
      for (const member of this.#members) await member.beat()
    }
  }

  #isSettled(): boolean {
    const owned = this.#members.reduce((sum, member) => sum + member.ownedCount, 0)
    const epochs = new Set(this.#members.map(({ epoch }) => epoch))
    return owned === this.#topic.partitions && epochs.size === 1
  }
}

type Owned = readonly { readonly topicId: string; readonly partitions: readonly number[] }[]

class ConsumerMember {
  readonly #harness: Harness
  readonly #claim: { readonly groupId: string; readonly memberId: string }
  #owned: Owned = []
  #isReported = true
  epoch = 0

  constructor(harness: Harness, groupId: string, memberId: string) {
    this.#harness = harness
    this.#claim = { groupId, memberId }
  }

  get ownedCount(): number {
    return this.#owned.reduce((sum, { partitions }) => sum + partitions.length, 0)
  }

  join({ name }: BenchTopic): Promise<void> {
    return this.#send({ rebalanceTimeoutMs: 300_000, subscribedTopicNames: [name], topicPartitions: [] })
  }

  /** Reports the owned partitions if they changed, and takes over the assignment of the response. */
  beat(): Promise<void> {
    const topicPartitions = this.#isReported
      ? null
      : this.#owned.map(({ topicId, partitions }) => ({ topicId, partitions: [...partitions] }))
    this.#isReported = true
    return this.#send({ topicPartitions })
  }

  leave(): Promise<void> {
    this.epoch = -1
    return this.#send({})
  }

  async #send(changes: object): Promise<void> {
    const { errorCode, memberEpoch, assignment } = await this.#harness.request('ConsumerGroupHeartbeat', {
      ...this.#claim,
      memberEpoch: this.epoch,
      instanceId: null,
      rackId: null,
      subscribedTopicRegex: null,
      serverAssignor: null,
      ...changes
    })
    if (errorCode !== 'NONE') throw new Error(errorCode)
    this.epoch = memberEpoch
    if (assignment === null) return
    this.#owned = assignment.topicPartitions
    this.#isReported = false
  }
}
