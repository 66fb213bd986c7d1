/** A group and clients of both protocols at the mercy of chance, and what must always hold of their group. */
import type { MigrationPolicy } from '../../../src/group/consumer/settings.ts'
import type { GroupSettings } from '../../../src/group/coordinator.ts'
import { ZERO_UUID } from '../../../src/protocol/wire/bytes.ts'
import { type Random, seededRandom } from '../../../src/runtime/random.ts'
import { compacted } from '../../coordinator/compaction.ts'
import { GROUP_SETTINGS } from '../coordinator-fixture.ts'
import { GROUP, pick, RandomWorld } from '../random-world.ts'
import { ClusterTopics } from './cluster-topics.ts'
import { RandomClassic } from './random-classic.ts'
import type { Client, Surroundings } from './random-client.ts'
import { RandomConsumer, type Wish } from './random-consumer.ts'
import { GroupLaws } from './random-laws.ts'

const SESSION_MS = 10_000
const NAMES = ['foo', 'bar', 'far', 'baz']
const INSTANCES = ['A', 'B']
const MAX_PARTITIONS = 6

const POLICIES: readonly MigrationPolicy[] = ['bidirectional', 'bidirectional', 'bidirectional', 'upgrade', 'downgrade']

export class World extends RandomWorld implements Surroundings {
  readonly clients: readonly Client[]
  readonly #laws: GroupLaws
  isCalm = false

  constructor(seed: number) {
    const random = seededRandom(seed)
    super(random, settingsOf(random), new ClusterTopics())
    for (const name of NAMES.slice(0, 2)) this.topics.create(name, 1 + this.random.below(MAX_PARTITIONS))
    this.clients = this.#born()
    this.#laws = new GroupLaws(this)
  }

  protected override check(): void {
    this.#laws.check(this.group, this.clients)
  }

  override async restart(): Promise<void> {
    this.#laws.restart(this.group)
    await super.restart()
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
    await this.awaited(
      'commit',
      this.coordinator().offsets.commit({ apiVersion: 9, groupId: GROUP, ...nobody, topics })
    )
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

function settingsOf(random: Random): GroupSettings {
  return {
    ...GROUP_SETTINGS,
    minSessionTimeoutMs: 100,
    consumer: {
      ...GROUP_SETTINGS.consumer,
      sessionTimeoutMs: SESSION_MS,
      minSessionTimeoutMs: SESSION_MS,
      assignmentIntervalMs: pick(random, [0, 1_000]),
      maxSize: pick(random, [3, 100, 100]),
      migrationPolicy: pick(random, POLICIES)
    }
  }
}
