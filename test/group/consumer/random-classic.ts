/**
 * A member of the classic protocol as real clients behave, in whatever kind of group it finds: an eager one gives up all
 * before it joins anew, a cooperative one says what it has, and gives up only what it is not given again.
 */
import { expect } from 'vitest'
import type { JoinAnswer } from '../../../src/group/classic/turn.ts'
import { readSubscription } from '../../../src/group/embedded-protocol.ts'
import type { ErrorName } from '../../../src/protocol/errors.ts'
import { assignmentOf, type Owned, partitionsOf, subscriptionOf } from '../embedded.ts'
import { GROUP } from '../random-world.ts'
import type { ClusterTopics } from './cluster-topics.ts'
import { type Client, type Surroundings, topicPartitionsOf } from './random-client.ts'

export interface ClassicCharacter {
  readonly name: string
  readonly groupInstanceId: string | null
  readonly rebalanceTimeoutMs: number
  readonly sessionTimeoutMs: number
  readonly topics: readonly string[]
  readonly isEager: boolean
}

const START_ANEW: readonly ErrorName[] = ['UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION']
const COME_AGAIN: readonly ErrorName[] = ['REBALANCE_IN_PROGRESS', 'NOT_COORDINATOR', 'COORDINATOR_NOT_AVAILABLE']
const REFUSED: readonly ErrorName[] = ['FENCED_INSTANCE_ID', 'GROUP_MAX_SIZE_REACHED', 'INCONSISTENT_GROUP_PROTOCOL']

export class RandomClassic implements Client {
  readonly character: ClassicCharacter
  readonly #world: Surroundings
  #phase: 'away' | 'joining' | 'joined' | 'syncing' | 'member' | 'dead' = 'away'
  memberId = ''
  generationId = -1
  held: ReadonlySet<string> = new Set()
  #joined: JoinAnswer | undefined
  /** Answers to what a former life asked are not heard any more. */
  #life = 0

  constructor(world: Surroundings, character: ClassicCharacter) {
    this.#world = world
    this.character = character
  }

  get instanceId(): string | null {
    return this.character.groupInstanceId
  }

  get isMember(): boolean {
    return this.#phase === 'member'
  }

  get isDead(): boolean {
    return this.#phase === 'dead'
  }

  get epoch(): number {
    return this.generationId
  }

  async step(): Promise<void> {
    if (this.#phase === 'away') await this.#join()
    else if (this.#phase === 'joined') await this.#sync()
    else if (this.#phase === 'member') await this.#heartbeat()
  }

  vanish(): void {
    this.#life++
    this.#phase = 'away'
    this.#startAnew()
  }

  async leave(): Promise<void> {
    const { memberId } = this
    const { groupInstanceId } = this.character
    this.vanish()
    if (memberId === '') return
    const leaving = this.#world.coordinator().classic.leaveGroup(GROUP, [{ memberId, groupInstanceId }])
    await this.#world.awaited('leave', leaving)
  }

  #startAnew(): void {
    this.memberId = ''
    this.generationId = -1
    this.held = new Set()
  }

  async #join(): Promise<void> {
    const { name, topics, isEager, ...character } = this.character
    // What is gone it cannot say any more that it has.
    this.held = new Set([...this.held].filter(key => !isEager && this.#world.topics.nameOf(key.split(' ')[0] ?? '')))
    this.#phase = 'joining'
    const metadata = subscriptionOf(topics, named(this.held, this.#world.topics))
    const request = { ...character, groupId: GROUP, apiVersion: 9, memberId: this.memberId, protocolType: 'consumer' }
    const sender = { clientId: name, clientHost: '/127.0.0.1', reason: null }
    const protocols = [{ name: isEager ? 'range' : 'cooperative', metadata }]
    const joining = this.#world.coordinator().classic.joinGroup({ ...request, ...sender, protocols })
    const answer = await this.#heard(`join of ${name}`, joining)
    if (!answer) return
    if (answer.errorCode === 'MEMBER_ID_REQUIRED') {
      this.memberId = answer.memberId
      this.#phase = 'away'
    } else if (this.#isFine(answer.errorCode)) {
      this.memberId = answer.memberId
      this.generationId = answer.generationId
      this.#joined = answer
      this.#phase = 'joined'
    }
  }

  async #sync(): Promise<void> {
    const answer = this.#joined
    if (!answer) return
    this.#phase = 'syncing'
    const isLeader = answer.leader === this.memberId && !answer.skipAssignment
    const assignments = isLeader ? assign(answer, this.#world.topics) : []
    const { protocolType, protocolName } = answer
    const request = { ...this.#claim(), protocolType, protocolName, assignments }
    const syncing = this.#world.coordinator().classic.syncGroup(request)
    const told = await this.#heard(`sync of ${this.character.name}`, syncing)
    if (!told || !this.#isFine(told.errorCode)) return
    const partitions = partitionsOf(told.assignment)
    expect(partitions).toBeDefined()
    const before = this.held
    this.held = keysByName(partitions ?? {}, this.#world.topics)
    this.#phase = 'member'
    // What it has lost it has given up by now; the others shall get it.
    if (!this.character.isEager && [...before].some(key => !this.held.has(key))) this.#phase = 'away'
  }

  async #heartbeat(): Promise<void> {
    const beating = this.#world.coordinator().classic.heartbeat(this.#claim())
    const errorCode = await this.#heard('heartbeat', beating)
    if (errorCode) this.#isFine(errorCode)
  }

  #claim() {
    const { memberId, generationId } = this
    return { groupId: GROUP, memberId, generationId, groupInstanceId: this.character.groupInstanceId }
  }

  async #heard<T>(what: string, answer: Promise<T>): Promise<T | undefined> {
    const life = this.#life
    const told = await this.#world.awaited(what, answer)
    return this.#life === life ? told : undefined
  }

  /** Does what a client does about an error. */
  #isFine(errorCode: ErrorName): boolean {
    if (errorCode === 'NONE') return true
    expect([...START_ANEW, ...COME_AGAIN, ...REFUSED]).toContain(errorCode)
    this.#phase = errorCode === 'FENCED_INSTANCE_ID' ? 'dead' : 'away'
    if (!COME_AGAIN.includes(errorCode)) this.#startAnew()
    return false
  }
}

/** A leader's work. What a member says that it has nobody else is given, until it does not say so any more. */
function assign({ members }: JoinAnswer, topics: ClusterTopics) {
  const wishes = members
    .map(({ memberId, metadata }) => ({ memberId, subscription: readSubscription(metadata), owned: new Map() }))
    .sort((a, b) => (a.memberId < b.memberId ? -1 : 1))
  const shares = new Map<string, Record<string, number[]>>(wishes.map(({ memberId }) => [memberId, {}]))
  for (const name of topics.names()) {
    const readers = wishes.filter(({ subscription }) => subscription?.topics.includes(name))
    for (let partition = 0; readers.length > 0 && partition < topics.partitionCountOf(name); partition++) {
      const reader = readers[partition % readers.length]
      const owner = wishes.find(({ subscription }) =>
        subscription?.ownedPartitions.some(({ topic, partitions }) => topic === name && partitions.includes(partition))
      )
      if (!reader || (owner && owner !== reader)) continue
      const share = shares.get(reader.memberId) ?? {}
      share[name] = [...(share[name] ?? []), partition]
    }
  }
  return [...shares].map(([memberId, share]) => ({ memberId, assignment: assignmentOf(share) }))
}

/** Names for ids; what is gone has none. */
function named(keys: ReadonlySet<string>, topics: ClusterTopics): Owned {
  const found = topicPartitionsOf(keys).map(({ topicId, partitions }) => [topics.nameOf(topicId), partitions] as const)
  return Object.fromEntries(found.filter(([name]) => name !== undefined))
}

function keysByName(owned: Owned, topics: ClusterTopics): ReadonlySet<string> {
  const keys = Object.entries(owned).flatMap(([name, partitions]) => {
    const topicId = topics.idOf(name)
    return topicId === undefined ? [] : partitions.map(partition => `${topicId} ${partition}`)
  })
  return new Set(keys)
}
