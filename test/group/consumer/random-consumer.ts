/**
 * A simulated member of the consumer protocol that behaves like a real client: it may vanish, revoke slowly or lose a response.
 */
import { expect } from 'vitest'
import type { ConsumerHeartbeatResponse } from '../../../src/group/consumer-groups.ts'
import type { ErrorName } from '../../../src/protocol/errors.ts'
import { GROUP } from '../group-coordinator-driver.ts'
import type { GroupSimulation } from '../group-simulation.ts'
import { type Client, keysOf, sameKeys, topicPartitionsOf } from './random-client.ts'

/** The subscription of a member. */
export interface Wish {
  readonly names: readonly string[] | null
  readonly regex: string | null
}

export interface ConsumerCharacter {
  readonly name: string
  readonly instanceId: string | null
  readonly rebalanceTimeoutMs: number
  readonly serverAssignor: string | null
  /** The member revokes at one of this many heartbeats; never if 0. */
  readonly slowness: number
}

const START_ANEW: readonly ErrorName[] = ['UNKNOWN_MEMBER_ID', 'FENCED_MEMBER_EPOCH', 'GROUP_ID_NOT_FOUND']
const COME_AGAIN: readonly ErrorName[] = ['NOT_COORDINATOR', 'COORDINATOR_NOT_AVAILABLE']
const REFUSED: readonly ErrorName[] = ['UNRELEASED_INSTANCE_ID', 'FENCED_INSTANCE_ID', 'GROUP_MAX_SIZE_REACHED']

export class RandomConsumer implements Client {
  readonly character: ConsumerCharacter
  readonly #simulation: GroupSimulation
  wish: Wish
  memberId = ''
  memberEpoch = 0
  isDead = false
  #lives = 0
  /** The assigned partitions, and the partitions that the member consumes. */
  #assigned: ReadonlySet<string> = new Set()
  #owned: ReadonlySet<string> = new Set()
  /** The last reported partitions; if undefined, the next heartbeat contains all fields. */
  #reported: ReadonlySet<string> | undefined
  #sentWish: Wish | undefined

  constructor(simulation: GroupSimulation, character: ConsumerCharacter, wish: Wish) {
    this.#simulation = simulation
    this.character = character
    this.wish = wish
  }

  get instanceId(): string | null {
    return this.character.instanceId
  }

  get isMember(): boolean {
    return this.memberEpoch > 0
  }

  get pending(): ReadonlySet<string> {
    return new Set([...this.#assigned, ...this.#owned])
  }

  get epoch(): number {
    return this.memberEpoch
  }

  /** Vanishes without a last heartbeat, and joins later with another member id. */
  vanish(): void {
    this.memberId = ''
    this.isDead = false
    this.#startAnew()
  }

  async step(): Promise<void> {
    const { slowness } = this.character
    if (this.#simulation.isCalm || (slowness > 0 && this.#simulation.random.below(slowness) === 0))
      this.#owned = this.#assigned
    if (!this.isDead) await this.#heartbeat()
  }

  /** Leaves with epoch -1, or as a static member with -2; its partitions are revoked before. */
  async leave(): Promise<void> {
    const { memberId, isMember } = this
    const { instanceId } = this.character
    this.vanish()
    if (!isMember) return
    const memberEpoch = instanceId !== null && this.#simulation.random.below(3) > 0 ? -2 : -1
    const answer = await this.#send({ ...NOTHING_NEW, memberId, memberEpoch })
    const fine: ErrorName[] = ['NONE', ...START_ANEW, ...COME_AGAIN, ...REFUSED]
    expect(fine).toContain(answer.errorCode)
  }

  async #heartbeat(): Promise<void> {
    this.memberId ||= `${this.character.name}-${++this.#lives}`
    const isFull = this.memberEpoch === 0 || this.#reported === undefined
    // A full heartbeat reports all assigned partitions, so the member has finished its revocation.
    if (isFull) this.#owned = this.#assigned
    const owned = this.#owned
    const isSettled = sameKeys(owned, this.#assigned)
    const report = isFull || (isSettled && !sameKeys(owned, this.#reported)) ? owned : null
    const wish = isFull || this.wish !== this.#sentWish ? this.wish : null
    const { rebalanceTimeoutMs, serverAssignor } = this.character
    const sent = this.wish
    const answer = await this.#send({
      memberId: this.memberId,
      memberEpoch: this.memberEpoch,
      rebalanceTimeoutMs: isFull ? rebalanceTimeoutMs : -1,
      serverAssignor: isFull ? serverAssignor : null,
      subscribedTopicNames: wish && (wish.names ?? []),
      subscribedTopicRegex: wish && (wish.regex ?? ''),
      topicPartitions: report && topicPartitionsOf(report)
    })
    if (!this.#simulation.isCalm && this.#simulation.random.below(12) === 0) this.#reported = undefined
    else this.#hear(answer, report, sent)
  }

  #hear(answer: ConsumerHeartbeatResponse, report: ReadonlySet<string> | null, sent: Wish): void {
    if (!('memberId' in answer)) {
      this.#fail(answer.errorCode)
      return
    }
    expect(answer.memberId).toBe(this.memberId)
    if (this.memberEpoch > 0) expect(answer.memberEpoch).toBeGreaterThanOrEqual(this.memberEpoch)
    this.memberEpoch = answer.memberEpoch
    this.#reported = report ?? this.#reported
    this.#sentWish = sent
    if (answer.assignment) this.#assigned = keysOf(answer.assignment)
  }

  #fail(errorCode: ErrorName): void {
    expect([...START_ANEW, ...COME_AGAIN, ...REFUSED]).toContain(errorCode)
    if (COME_AGAIN.includes(errorCode)) this.#reported = undefined
    else this.#startAnew()
    if (errorCode === 'UNRELEASED_INSTANCE_ID' || errorCode === 'FENCED_INSTANCE_ID') this.isDead = true
  }

  #startAnew(): void {
    this.memberEpoch = 0
    this.#assigned = new Set()
    this.#owned = new Set()
    this.#reported = undefined
    this.#sentWish = undefined
  }

  #send(request: typeof NOTHING_NEW & { memberId: string; memberEpoch: number }): Promise<ConsumerHeartbeatResponse> {
    const { name, instanceId } = this.character
    const sender = { clientId: name, clientHost: '/127.0.0.1' }
    const heartbeat = { groupId: GROUP, instanceId, rackId: null, ...sender, ...request }
    return this.#simulation.awaited(
      `heartbeat of ${name}`,
      this.#simulation.coordinator.consumer.heartbeat(heartbeat, 1)
    )
  }
}

interface News {
  readonly rebalanceTimeoutMs: number
  readonly serverAssignor: string | null
  readonly subscribedTopicNames: readonly string[] | null
  readonly subscribedTopicRegex: string | null
  readonly topicPartitions: ReturnType<typeof topicPartitionsOf> | null
}

const NOTHING_NEW: News = {
  rebalanceTimeoutMs: -1,
  serverAssignor: null,
  subscribedTopicNames: null,
  subscribedTopicRegex: null,
  topicPartitions: null
}
