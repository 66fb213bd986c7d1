/** The clients and topics of a simulated group: members of both protocols, topics that change, a log that is compacted. */
import { ZERO_UUID } from '../../../src/protocol/wire/bytes.ts'
import { type Random, seededRandom } from '../../../src/runtime/random.ts'
import type { Given } from '../../config/settings-with.ts'
import { compacted } from '../../coordinator/compaction.ts'
import { GROUP } from '../group-coordinator-driver.ts'
import { SESSION_MS } from '../group-settings.ts'
import { GroupSimulation, pick } from '../group-simulation.ts'
import { ClusterTopics } from './cluster-topics.ts'
import { RandomClassic } from './random-classic.ts'
import type { Client } from './random-client.ts'
import { RandomConsumer, type Wish } from './random-consumer.ts'
import { GroupLaws } from './random-laws.ts'

const NAMES = ['foo', 'bar', 'far', 'baz']
const INSTANCES = ['A', 'B']
const MAX_PARTITIONS = 6

const POLICIES = ['bidirectional', 'bidirectional', 'bidirectional', 'upgrade', 'downgrade']

export class ConsumerGroupModel {
  readonly simulation: GroupSimulation
  readonly clients: readonly Client[]
  readonly #laws: GroupLaws

  constructor(seed: number) {
    const random = seededRandom(seed)
    const settings = settingsOf(random)
    const topics = new ClusterTopics()
    for (const name of NAMES.slice(0, 2)) topics.create(name, 1 + random.below(MAX_PARTITIONS))
    this.simulation = new GroupSimulation({ random, settings, topics, check: () => this.#check() })
    this.clients = this.#newClients()
    this.#laws = new GroupLaws(this.simulation.driver)
  }

  #check(): void {
    this.#laws.check(this.simulation.group, this.clients)
  }

  async restart(): Promise<void> {
    this.#laws.restart(this.simulation.group)
    await this.simulation.restart()
  }

  /** Compacts the journal up to a random batch. */
  compact(): void {
    const { batches } = this.simulation.driver.journal
    const cleaned = this.simulation.random.below(batches.length + 1)
    const forgotten = this.simulation.random.below(cleaned + 1)
    batches.splice(0, batches.length, ...compacted(batches, cleaned, forgotten))
  }

  /** Commits an offset without a member; the commit is refused while the group has members. */
  async commit(): Promise<void> {
    const partition = { partitionIndex: 0, committedOffset: 1n, committedLeaderEpoch: -1, committedMetadata: null }
    const topics = [{ name: NAMES[0] ?? '', topicId: ZERO_UUID, partitions: [partition] }]
    const noMember = { memberId: '', groupInstanceId: null, generationId: -1, retentionTimeMs: -1n }
    await this.simulation.awaited(
      'commit',
      this.simulation.coordinator.offsets.commit({ apiVersion: 9, groupId: GROUP, ...noMember, topics })
    )
  }

  changeTopics(): void {
    const name = this.simulation.pick(NAMES)
    const topicId = this.simulation.driver.topics.idOf(name)
    const count = topicId === undefined ? 0 : (this.simulation.driver.topics.partitionCount(topicId) ?? 0)
    if (count === 0) this.simulation.driver.topics.create(name, 1 + this.simulation.random.below(MAX_PARTITIONS))
    else if (count < MAX_PARTITIONS && this.simulation.random.below(3) > 0)
      this.simulation.driver.topics.grow(name, count + 1)
    else this.simulation.driver.topics.delete(name)
  }

  aWish(): Wish {
    const names = NAMES.filter(() => this.simulation.random.below(2) === 0)
    const regex = this.simulation.pick([null, null, 'f.*', 'ba.', '.*', 'zzz', 'foo|bar'])
    return { names, regex }
  }

  #newClients(): Client[] {
    const isEager = this.simulation.random.below(2) === 0
    const classicCount = this.simulation.pick([0, 0, 2, 4])
    const common = () => ({
      instance: this.simulation.pick([null, null, ...INSTANCES]),
      timeout: this.simulation.pick([1_500, 5_000, 20_000])
    })
    const classic = Array.from({ length: classicCount }, (_, index) => {
      const { instance: groupInstanceId, timeout: rebalanceTimeoutMs } = common()
      const name = `classic-${index}`
      const topics = NAMES.filter(() => this.simulation.random.below(2) === 0)
      const sessionTimeoutMs = this.simulation.pick([3_000, 10_000])
      return new RandomClassic(this.simulation, {
        name,
        groupInstanceId,
        rebalanceTimeoutMs,
        sessionTimeoutMs,
        topics,
        isEager
      })
    })
    const consumer = Array.from({ length: this.simulation.pick([2, 5]) }, (_, index) => {
      const { instance: instanceId, timeout: rebalanceTimeoutMs } = common()
      const character = {
        name: `consumer-${index}`,
        instanceId,
        rebalanceTimeoutMs,
        slowness: this.simulation.pick([0, 1, 3])
      }
      return new RandomConsumer(
        this.simulation,
        { ...character, serverAssignor: this.simulation.pick([null, 'uniform', 'range']) },
        this.aWish()
      )
    })
    return [...classic, ...consumer]
  }
}

function settingsOf(random: Random): Given {
  return {
    'group.min.session.timeout.ms': 100,
    'group.consumer.session.timeout.ms': SESSION_MS,
    'group.consumer.min.session.timeout.ms': SESSION_MS,
    'group.consumer.assignment.interval.ms': pick(random, [0, 1_000]),
    'group.consumer.max.size': pick(random, [3, 100, 100]),
    'group.consumer.migration.policy': pick(random, POLICIES)
  }
}
