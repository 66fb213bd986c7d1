/** A coordinator and clients of both protocols at the mercy of chance, and what must always hold of their group. */
import { expect } from 'vitest'
import type { MigrationPolicy } from '../../../src/group/consumer/settings.ts'
import { GroupCoordinator, type GroupSettings } from '../../../src/group/coordinator.ts'
import type { Group } from '../../../src/group/group.ts'
import { ZERO_UUID } from '../../../src/protocol/bytes.ts'
import { KafkaError } from '../../../src/protocol/errors.ts'
import { nextTurn } from '../../../src/runtime/clock.ts'
import { silentLogger } from '../../../src/runtime/logger.ts'
import { type Random, seededRandom } from '../../../src/runtime/random.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { compacted } from '../../coordination/compaction.ts'
import { MemoryJournal } from '../../coordination/memory-journal.ts'
import { ClusterTopics } from './cluster-topics.ts'
import { RandomClassic } from './random-classic.ts'
import { type Client, GROUP, type Surroundings } from './random-client.ts'
import { RandomConsumer, type Wish } from './random-consumer.ts'
import { GroupLaws } from './random-laws.ts'
import { CONSUMER_SETTINGS } from './settings.ts'

const DAY_MS = 86_400_000
export const SESSION_MS = 10_000
export const NAMES = ['foo', 'bar', 'far', 'baz']
const INSTANCES = ['A', 'B']
const MAX_PARTITIONS = 6

export class World implements Surroundings {
  readonly random: Random
  readonly clock = new ManualClock()
  readonly journal = new MemoryJournal()
  readonly topics = new ClusterTopics()
  readonly settings: GroupSettings
  readonly clients: readonly Client[]
  readonly #laws: GroupLaws
  readonly unanswered = new Set<string>()
  isCalm = false
  #coordinator: GroupCoordinator
  #requests = 0
  #failure: unknown

  constructor(seed: number) {
    this.random = seededRandom(seed)
    const policies: MigrationPolicy[] = ['bidirectional', 'bidirectional', 'bidirectional', 'upgrade', 'downgrade']
    this.settings = {
      minSessionTimeoutMs: 100,
      maxSessionTimeoutMs: 1_800_000,
      initialRebalanceDelayMs: 0,
      maxSize: 100,
      offsetMetadataMaxBytes: 4096,
      offsetsRetentionMs: 7 * DAY_MS,
      offsetsRetentionCheckIntervalMs: 600_000,
      consumer: {
        ...CONSUMER_SETTINGS,
        sessionTimeoutMs: SESSION_MS,
        minSessionTimeoutMs: SESSION_MS,
        assignmentIntervalMs: this.pick([0, 1_000]),
        maxSize: this.pick([3, 100, 100]),
        migrationPolicy: this.pick(policies)
      }
    }
    for (const name of NAMES.slice(0, 2)) this.topics.create(name, 1 + this.random.below(MAX_PARTITIONS))
    this.#coordinator = this.#started()
    this.clients = this.#born()
    this.#laws = new GroupLaws(this)
  }

  coordinator(): GroupCoordinator {
    return this.#coordinator
  }

  pick<T>(items: readonly T[]): T {
    const item = items[this.random.below(items.length)]
    if (item === undefined) throw new Error('nothing to pick from')
    return item
  }

  async awaited<T>(what: string, answer: Promise<T>): Promise<T> {
    const request = `${what} (${++this.#requests})`
    this.unanswered.add(request)
    try {
      return await answer
    } finally {
      this.unanswered.delete(request)
    }
  }

  /** Lets a client act, and everything go on that does not wait. */
  async act(acting: () => Promise<void>): Promise<void> {
    acting().catch(error => {
      this.#failure ??= error
    })
    await this.settle()
  }

  async pass(ms: number): Promise<void> {
    this.clock.advance(ms)
    await this.settle()
  }

  async settle(): Promise<void> {
    await nextTurn()
    if (this.#failure) throw this.#failure
    this.#laws.check(this.group, this.clients)
  }

  /** The next write fails. */
  failOnce(): void {
    this.journal.failure = new KafkaError('KAFKA_STORAGE_ERROR', 'chance')
    this.journal.attempted = () => {
      this.journal.failure = undefined
    }
  }

  /** The coordinator goes away, and another one finds what was written. */
  async restart(): Promise<void> {
    this.#laws.restart(this.group)
    this.#coordinator.stop()
    await nextTurn()
    expect([...this.unanswered]).toEqual([])
    this.#coordinator = this.#started()
    await this.settle()
  }

  /** The log is cleaned, up to where chance has it. */
  compact(): void {
    const { batches } = this.journal
    const cleaned = this.random.below(batches.length + 1)
    const forgotten = this.random.below(cleaned + 1)
    batches.splice(0, batches.length, ...compacted(batches, cleaned, forgotten))
  }

  /** Somebody commits who is no member of anything. It is refused while there are members. */
  async commit(): Promise<void> {
    const partition = { partitionIndex: 0, committedOffset: 1n, committedLeaderEpoch: -1, committedMetadata: null }
    const topics = [{ name: NAMES[0] ?? '', topicId: ZERO_UUID, partitions: [partition] }]
    const nobody = { memberId: '', groupInstanceId: null, generationId: -1, retentionTimeMs: -1n }
    await this.awaited('commit', this.#coordinator.offsets.commit({ apiVersion: 9, groupId: GROUP, ...nobody, topics }))
  }

  changeTopics(): void {
    const name = this.pick(NAMES)
    const topicId = this.topics.idOf(name)
    const count = topicId === undefined ? 0 : (this.topics.partitionCount(topicId) ?? 0)
    if (count === 0) this.topics.create(name, 1 + this.random.below(MAX_PARTITIONS))
    else if (count < MAX_PARTITIONS && this.random.below(3) > 0) this.topics.grow(name, count + 1)
    else this.topics.delete(name)
  }

  aWish(): Wish {
    const names = NAMES.filter(() => this.random.below(2) === 0)
    const regex = this.pick([null, null, 'f.*', 'ba.', '.*', 'zzz', 'foo|bar'])
    return { names, regex }
  }

  get group(): Group | undefined {
    return [...this.#coordinator.groups()].find(({ groupId }) => groupId === GROUP)
  }

  #started(): GroupCoordinator {
    const coordinator = new GroupCoordinator({
      ...{ clock: this.clock, random: this.random, logger: silentLogger, settings: this.settings, topics: this.topics },
      configOf: () => new Map(),
      failed: error => {
        this.#failure ??= error
      },
      topic: {
        ...{ topic: '__consumer_offsets', logger: silentLogger },
        partitionCount: () => 1,
        journal: () => this.journal
      }
    })
    void coordinator.start()
    return coordinator
  }

  #born(): Client[] {
    const isEager = this.random.below(2) === 0
    const classicCount = this.pick([0, 0, 2, 4])
    const common = () => ({
      instance: this.pick([null, null, ...INSTANCES]),
      timeout: this.pick([1_500, 5_000, 20_000])
    })
    const classic = Array.from({ length: classicCount }, (_, index) => {
      const { instance: groupInstanceId, timeout: rebalanceTimeoutMs } = common()
      const name = `classic-${index}`
      const topics = NAMES.filter(() => this.random.below(2) === 0)
      const sessionTimeoutMs = this.pick([3_000, 10_000])
      return new RandomClassic(this, { name, groupInstanceId, rebalanceTimeoutMs, sessionTimeoutMs, topics, isEager })
    })
    const consumer = Array.from({ length: this.pick([2, 5]) }, (_, index) => {
      const { instance: instanceId, timeout: rebalanceTimeoutMs } = common()
      const character = { name: `consumer-${index}`, instanceId, rebalanceTimeoutMs, slowness: this.pick([0, 1, 3]) }
      return new RandomConsumer(
        this,
        { ...character, serverAssignor: this.pick([null, 'uniform', 'range']) },
        this.aWish()
      )
    })
    return [...classic, ...consumer]
  }
}
