/** The clients of a simulated classic group, and the invariants of the group, its members and its offsets. */
import { expect } from 'vitest'
import { ClassicGroup, countAwaitingJoin } from '../../../src/group/classic/group.ts'
import { groupMetadataOf, restoreGroup } from '../../../src/group/classic/record.ts'
import { decodeRecord, type GroupMetadataValue } from '../../../src/group/records.ts'
import { seededRandom } from '../../../src/runtime/random.ts'
import { ClusterTopics } from '../consumer/cluster-topics.ts'
import { subscriptionOf } from '../embedded.ts'
import { GROUP, NO_MEMBER } from '../group-coordinator-driver.ts'
import { GroupSimulation, pick } from '../group-simulation.ts'
import { Client, PARTITIONS, partitionsOf, TOPIC } from './random-client.ts'

const CLIENTS = 8
const INSTANCES = ['A', 'B', 'C']

export class ClassicGroupModel {
  readonly simulation: GroupSimulation
  readonly clients: readonly Client[]
  readonly offsets = new Map<number, bigint>()
  readonly #maxSize: number
  /** The owners of partitions, by generation. */
  readonly #owners = new Map<number, Map<number, string>>()
  #generationId = 0
  #readBatches = 0
  #lastRecord: GroupMetadataValue | undefined

  constructor(seed: number) {
    const random = seededRandom(seed)
    const initialRebalanceDelayMs = pick(random, [0, 0, 3_000])
    this.#maxSize = pick(random, [3, 6, 100])
    this.simulation = new GroupSimulation({
      random,
      settings: {
        'group.min.session.timeout.ms': 100,
        'group.initial.rebalance.delay.ms': initialRebalanceDelayMs,
        'group.max.size': this.#maxSize
      },
      topics: new ClusterTopics(TOPIC),
      check: () => this.#check()
    })
    this.clients = Array.from({ length: CLIENTS }, (_, index) => new Client(this, this.#character(`client-${index}`)))
  }

  /** Records the partitions that a member was assigned in its generation. */
  owns(client: Client, partitions: readonly number[]): void {
    const owners = this.#owners.get(client.generationId) ?? new Map<number, string>()
    this.#owners.set(client.generationId, owners)
    for (const partition of partitions) {
      expect(owners.get(partition) ?? client.owner, `owner of ${partition}`).toBe(client.owner)
      owners.set(partition, client.owner)
    }
  }

  /** Records an acknowledged commit. */
  committed(partition: number, offset: bigint): void {
    this.offsets.set(partition, offset)
  }

  async restart(): Promise<void> {
    this.#generationId = 0
    await this.simulation.restart()
    await this.#checkOffsets()
  }

  get group(): ClassicGroup | undefined {
    const { group } = this.simulation
    return group instanceof ClassicGroup ? group : undefined
  }

  #check(): void {
    const { group } = this
    const recorded = this.#recorded()
    expect(group === undefined).toBe(recorded === undefined)
    if (!group || !recorded) return
    expect(group.generationId).toBeGreaterThanOrEqual(Math.max(this.#generationId, recorded.generation))
    this.#generationId = group.generationId
    this.#checkMembers(group)
    if (group.state === 'Stable') checkCoverage(group)
    const restored = restoreGroup(GROUP, recorded)
    expect(groupMetadataOf(restored)).toEqual(recorded)
    if (group.state !== 'Stable' && group.state !== 'Empty') return
    expect({ ...recordOf(group), currentStateTimestamp: 0n }).toEqual({ ...recorded, currentStateTimestamp: 0n })
    expect(restored.state).toBe(group.state)
    expect([...restored.staticMembers].sort()).toEqual([...group.staticMembers].sort())
  }

  #checkMembers(group: ClassicGroup): void {
    const { state, members, staticMembers, leader, pendingJoin } = group
    const maxSize = this.#maxSize
    expect(countAwaitingJoin(group)).toBeLessThanOrEqual(maxSize)
    // While members of the previous generation may still rejoin, new members may have joined in their place.
    const generations = state === 'PreparingRebalance' ? 2 : 1
    expect(members.size).toBeLessThanOrEqual(maxSize * generations + staticMembers.size)
    expect(leader === null ? members.size : members.has(leader)).toBe(leader === null ? 0 : true)
    for (const [instance, memberId] of staticMembers) expect(members.get(memberId)?.groupInstanceId).toBe(instance)
    const statics = [...members.values()].filter(({ groupInstanceId }) => groupInstanceId !== null)
    expect(statics).toHaveLength(staticMembers.size)
    for (const memberId of pendingJoin.keys()) expect(members.has(memberId)).toBe(false)
    if (state === 'Empty') expect(members.size).toBe(0)
    if (state === 'Stable' || state === 'CompletingRebalance') expect(members.size).toBeGreaterThan(0)
    for (const { awaitingJoin, awaitingSync } of members.values()) {
      if (awaitingJoin !== null) expect(state).toBe('PreparingRebalance')
      if (awaitingSync !== null) expect(state).toBe('CompletingRebalance')
    }
  }

  async #checkOffsets(): Promise<void> {
    const indexes = [...this.offsets.keys()]
    const topic = { ...TOPIC, partitionIndexes: indexes }
    const request = { groupId: GROUP, topics: [topic], ...NO_MEMBER }
    const { errorCode, topics } = await this.simulation.coordinator.offsets.fetch(request)
    expect(errorCode).toBe('NONE')
    const found = topics.flatMap(({ partitions }) => partitions)
    expect(found.map(({ committedOffset }) => committedOffset)).toEqual([...this.offsets.values()])
  }

  /** The last record of the group in the journal. */
  #recorded(): GroupMetadataValue | undefined {
    for (const keyValue of this.simulation.driver.journal.batches.slice(this.#readBatches).flat()) {
      const record = decodeRecord(keyValue)
      if (record.type === 'GroupMetadata') this.#lastRecord = record.value ?? undefined
    }
    this.#readBatches = this.simulation.driver.journal.batches.length
    return this.#lastRecord
  }

  #character(name: string) {
    const own = this.simulation.pick(['sticky', 'range'])
    const names = this.simulation.random.below(20) === 0 ? ['odd'] : [...new Set([own, 'range'])]
    const groupInstanceId = this.simulation.pick([null, null, ...INSTANCES])
    return {
      ...{ name, groupInstanceId },
      apiVersion: groupInstanceId === null ? this.simulation.pick([0, 1, 3, 4, 5, 9]) : this.simulation.pick([5, 8, 9]),
      sessionTimeoutMs: this.simulation.pick([3_000, 10_000, 45_000]),
      rebalanceTimeoutMs: this.simulation.pick([1_500, 5_000, 20_000, 300_000]),
      protocols: names.map(protocol => ({ name: protocol, metadata: subscriptionOf([`foo-${name}`]) }))
    }
  }
}

/** The record of the group in its current state. */
function recordOf(group: ClassicGroup): GroupMetadataValue {
  return groupMetadataOf(group)
}

/** Checks that each partition is assigned once in the current generation. */
function checkCoverage({ members, generationId }: ClassicGroup): void {
  const assigned = [...members.values()].flatMap(({ assignment }) => partitionsOf(assignment, generationId))
  expect(assigned.toSorted((a, b) => a - b)).toEqual(Array.from({ length: PARTITIONS }, (_, index) => index))
}
