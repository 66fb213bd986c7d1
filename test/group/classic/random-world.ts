/** A group of the classic protocol and its clients at the mercy of chance, and what must always hold of them. */
import { expect } from 'vitest'
import { type ClassicGroup, countAwaitingJoin, NEVER } from '../../../src/group/classic/group.ts'
import { groupMetadataOf, restoreGroup } from '../../../src/group/classic/record.ts'
import type { GroupSettings } from '../../../src/group/coordinator.ts'
import { decodeRecord, type GroupMetadataValue } from '../../../src/group/records.ts'
import { type Random, seededRandom } from '../../../src/runtime/random.ts'
import { ClusterTopics } from '../consumer/cluster-topics.ts'
import { GROUP_SETTINGS } from '../coordinator-fixture.ts'
import { subscriptionOf } from '../embedded.ts'
import { GROUP, pick, RandomWorld } from '../random-world.ts'
import { Client, PARTITIONS, partitionsOf, type Witness } from './random-client.ts'

const CLIENTS = 8
const INSTANCES = ['A', 'B', 'C']

export class World extends RandomWorld implements Witness {
  readonly clients: readonly Client[]
  readonly offsets = new Map<number, bigint>()
  /** By generation, who owns a partition. */
  readonly #owners = new Map<number, Map<number, string>>()
  #generationId = 0
  #readBatches = 0
  #lastRecord: GroupMetadataValue | undefined

  constructor(seed: number) {
    const random = seededRandom(seed)
    super(random, settingsOf(random), new ClusterTopics({ name: 'foo', topicId: 'AAECAwQFBgcICQoLDA0ODw' }))
    this.clients = Array.from({ length: CLIENTS }, (_, index) => new Client(this, this.#character(`client-${index}`)))
  }

  owns(client: Client, partitions: readonly number[]): void {
    const owners = this.#owners.get(client.generationId) ?? new Map<number, string>()
    this.#owners.set(client.generationId, owners)
    for (const partition of partitions) {
      expect(owners.get(partition) ?? client.owner, `owner of ${partition}`).toBe(client.owner)
      owners.set(partition, client.owner)
    }
  }

  committed(partition: number, offset: bigint): void {
    this.offsets.set(partition, offset)
  }

  override async restart(): Promise<void> {
    this.#generationId = 0
    await super.restart()
    await this.checkOffsets()
  }

  override get group(): ClassicGroup | undefined {
    const group = super.group
    return group?.type === 'classic' ? group : undefined
  }

  /** All that must hold at any moment. */
  protected override check(): void {
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
    const { maxSize } = this.settings
    expect(countAwaitingJoin(group)).toBeLessThanOrEqual(maxSize)
    // While those of the generation before may still come back, as many others may have joined in their place.
    const generations = state === 'PreparingRebalance' ? 2 : 1
    expect(members.size).toBeLessThanOrEqual(maxSize * generations + staticMembers.size)
    expect(leader === null ? members.size : members.has(leader)).toBe(leader === null ? 0 : true)
    for (const [instance, memberId] of staticMembers) expect(members.get(memberId)?.groupInstanceId).toBe(instance)
    const statics = [...members.values()].filter(({ groupInstanceId }) => groupInstanceId !== null)
    expect(statics).toHaveLength(staticMembers.size)
    for (const memberId of pendingJoin.keys()) expect(members.has(memberId)).toBe(false)
    if (state === 'Empty') expect(members.size).toBe(0)
    if (state === 'Stable' || state === 'CompletingRebalance') expect(members.size).toBeGreaterThan(0)
    // Something is always due while anybody is waited for.
    if (state === 'PreparingRebalance') expect(group.joinDeadline).toBeLessThan(NEVER)
    if (state === 'CompletingRebalance') expect(group.syncDeadline).toBeLessThan(NEVER)
    for (const { awaitingJoin, awaitingSync, sessionDeadline } of members.values()) {
      if (awaitingJoin === null && awaitingSync === null) expect(sessionDeadline).toBeLessThan(NEVER)
      if (awaitingJoin !== null) expect(state).toBe('PreparingRebalance')
      if (awaitingSync !== null) expect(state).toBe('CompletingRebalance')
    }
  }

  async checkOffsets(): Promise<void> {
    const indexes = [...this.offsets.keys()]
    const topic = { name: 'foo', topicId: 'AAECAwQFBgcICQoLDA0ODw', partitionIndexes: indexes }
    const request = { groupId: GROUP, topics: [topic], memberId: null, memberEpoch: -1 }
    const { errorCode, topics } = await this.coordinator().offsets.fetch(request)
    expect(errorCode).toBe('NONE')
    const found = topics.flatMap(({ partitions }) => partitions)
    expect(found.map(({ committedOffset }) => committedOffset)).toEqual([...this.offsets.values()])
  }

  /** What the journal says last of the group. */
  #recorded(): GroupMetadataValue | undefined {
    for (const keyValue of this.journal.batches.slice(this.#readBatches).flat()) {
      const record = decodeRecord(keyValue)
      if (record.type === 'GroupMetadata') this.#lastRecord = record.value ?? undefined
    }
    this.#readBatches = this.journal.batches.length
    return this.#lastRecord
  }

  #character(name: string) {
    const own = this.pick(['sticky', 'range'])
    const names = this.random.below(20) === 0 ? ['odd'] : [...new Set([own, 'range'])]
    const groupInstanceId = this.pick([null, null, ...INSTANCES])
    return {
      ...{ name, groupInstanceId },
      apiVersion: groupInstanceId === null ? this.pick([0, 1, 3, 4, 5, 9]) : this.pick([5, 8, 9]),
      sessionTimeoutMs: this.pick([3_000, 10_000, 45_000]),
      rebalanceTimeoutMs: this.pick([1_500, 5_000, 20_000, 300_000]),
      protocols: names.map(protocol => ({ name: protocol, metadata: subscriptionOf([`foo-${name}`]) }))
    }
  }
}

function settingsOf(random: Random): GroupSettings {
  return {
    ...GROUP_SETTINGS,
    minSessionTimeoutMs: 100,
    initialRebalanceDelayMs: pick(random, [0, 0, 3_000]),
    maxSize: pick(random, [3, 6, 100])
  }
}

/** As it would be written now. */
function recordOf(group: ClassicGroup): GroupMetadataValue {
  return groupMetadataOf(group)
}

/** Of the generation that is under way, all partitions are assigned, and none twice. */
function checkCoverage({ members, generationId }: ClassicGroup): void {
  const assigned = [...members.values()].flatMap(({ assignment }) => partitionsOf(assignment, generationId))
  expect(assigned.toSorted((a, b) => a - b)).toEqual(Array.from({ length: PARTITIONS }, (_, index) => index))
}
