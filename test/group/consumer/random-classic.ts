/**
 * A simulated member of the classic protocol in a group of either type: an eager member revokes all partitions before it joins, a
 * cooperative member reports its partitions and revokes those that it is not assigned.
 */
import { expect } from 'vitest'
import type { JoinGroupResult } from '../../../src/group/effects.ts'
import { readSubscription } from '../../../src/protocol/consumer-protocol.ts'
import type { ErrorName } from '../../../src/protocol/errors.ts'
import { assignmentOf, type Owned, partitionsOf, subscriptionOf } from '../embedded.ts'
import { type Character, COME_AGAIN, RandomMember } from '../random-member.ts'
import type { ClusterTopics } from './cluster-topics.ts'
import { type Client, topicPartitionsOf } from './random-client.ts'

export interface ClassicCharacter extends Character {
  readonly topics: readonly string[]
  readonly isEager: boolean
}

export class RandomClassic extends RandomMember<ClassicCharacter> implements Client {
  pending: ReadonlySet<string> = new Set()

  get instanceId(): string | null {
    return this.character.groupInstanceId
  }

  get isMember(): boolean {
    return this.phase === 'member'
  }

  get isDead(): boolean {
    return this.phase === 'dead'
  }

  get epoch(): number {
    return this.generationId
  }

  override vanish(): void {
    super.vanish()
    this.#startAnew()
  }

  #startAnew(): void {
    this.memberId = ''
    this.generationId = -1
    this.pending = new Set()
  }

  protected override bringing() {
    const { topics, isEager } = this.character
    // Partitions of deleted topics have no name, so they cannot be reported.
    this.pending = new Set(
      [...this.pending].filter(key => !isEager && this.simulation.driver.topics.nameOf(key.split(' ')[0] ?? ''))
    )
    const metadata = subscriptionOf(topics, named(this.pending, this.simulation.driver.topics))
    return { apiVersion: 9, protocols: [{ name: isEager ? 'range' : 'cooperative', metadata }] }
  }

  protected override assign(joined: JoinGroupResult) {
    return assign(joined, this.simulation.driver.topics)
  }

  protected override assigned(assignment: Buffer): void {
    const partitions = partitionsOf(assignment)
    expect(partitions).toBeDefined()
    const before = this.pending
    this.pending = keysByName(partitions ?? {}, this.simulation.driver.topics)
    // The member has revoked its lost partitions and joins again, so that others can get them.
    if (!this.character.isEager && [...before].some(key => !this.pending.has(key))) this.phase = 'away'
  }

  protected override fail(errorCode: ErrorName): void {
    this.phase = errorCode === 'FENCED_INSTANCE_ID' ? 'dead' : 'away'
    if (!COME_AGAIN.includes(errorCode)) this.#startAnew()
  }
}

/** The leader's assignment. A partition that a member still reports is not assigned to another member. */
function assign({ members }: JoinGroupResult, topics: ClusterTopics) {
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

/** Partitions by topic name, without those of deleted topics. */
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
