/** Drives a group coordinator on a manual clock and an in-memory journal: requests with defaults, restarts, written records. */
import type { HeartbeatRequest, JoinGroupRequest, SyncGroupRequest } from '../../src/group/classic-groups.ts'
import type { ConsumerGroup } from '../../src/group/consumer/group.ts'
import type { ConsumerHeartbeatRequest } from '../../src/group/consumer-groups.ts'
import { GroupCoordinator } from '../../src/group/coordinator.ts'
import { decodeRecord } from '../../src/group/records.ts'
import type { ServedGroup } from '../../src/group/state.ts'
import { KafkaError } from '../../src/protocol/errors.ts'
import { BackgroundLoops } from '../../src/runtime/background.ts'
import { type Random, seededRandom } from '../../src/runtime/random.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { RecordingEvents } from '../../src/testing/recording-events.ts'
import { type Given, settingsWith } from '../config/settings-with.ts'
import { MemoryStateLog } from '../coordinator/memory-state-log.ts'
import { ClusterTopics } from './consumer/cluster-topics.ts'
import { assignmentOf, type Owned, subscriptionOf } from './embedded.ts'
import { GROUP_SETTINGS, REBALANCE_MS, SESSION_MS } from './group-settings.ts'

/** The group of most tests. */
export const GROUP = 'g'

/** The member id and epoch of an OffsetFetch without a member. */
export const NO_MEMBER = { memberId: null, memberEpoch: -1 }

interface GroupCoordinatorDriverOptions {
  /** Added to GROUP_SETTINGS. */
  readonly settings?: Given
  /** Default: foo with 4 partitions, bar with 2. */
  readonly topics?: ClusterTopics
  readonly random?: Random
  /** Called with an error that would fail the broker; by default it is thrown. */
  readonly failed?: (error: unknown) => void
}

export class GroupCoordinatorDriver {
  readonly clock = new ManualClock()
  readonly journal = new MemoryStateLog()
  readonly events = new RecordingEvents()
  readonly topics: ClusterTopics
  /** The initial id of topic foo. */
  readonly foo: string
  /** The initial id of topic bar. */
  readonly bar: string
  /** The number of partitions of __consumer_offsets; all partitions share the journal. */
  partitionCount = 1
  /** Whether this node leads the partitions of the topic. */
  isLeader = true
  #background: BackgroundLoops
  coordinator: GroupCoordinator
  readonly #options: GroupCoordinatorDriverOptions

  constructor(options: GroupCoordinatorDriverOptions = {}) {
    this.#options = options
    this.topics = options.topics ?? fooAndBar()
    this.foo = this.topics.idOf('foo') ?? ''
    this.bar = this.topics.idOf('bar') ?? ''
    this.#background = this.#newLoops()
    this.coordinator = this.#started({})
  }

  #newLoops(): BackgroundLoops {
    return new BackgroundLoops({ clocks: this.clock, failed: this.#options.failed ?? raise })
  }

  #started(changes: Given): GroupCoordinator {
    const { settings, random = seededRandom(this.journal.batches.length) } = this.#options
    const { clock, topics } = this
    const coordinator = new GroupCoordinator({
      ...{ clocks: clock, topics, random, background: this.#background },
      settings: settingsWith({ ...GROUP_SETTINGS, ...settings, ...changes }),
      events: this.events,
      topic: {
        topic: '__consumer_offsets',
        partitionCount: () => this.partitionCount,
        leads: () => this.isLeader,
        log: () => this.journal
      }
    })
    // Loads without yielding, because the clock does not advance.
    void coordinator.start()
    return coordinator
  }

  /** Stops the background loops, then the coordinator, as a broker does. */
  stop(): void {
    void this.#background.stop()
    this.coordinator.stop()
  }

  /** Stops the coordinator and starts another one on the same journal. */
  restart(changes: Given = {}): void {
    this.stop()
    this.#background = this.#newLoops()
    this.coordinator = this.#started(changes)
  }

  /** Makes every append fail. */
  fail(): void {
    this.journal.failure = new KafkaError('KAFKA_STORAGE_ERROR', 'the disk is gone')
  }

  /** Makes appends succeed again. */
  heal(): void {
    this.journal.failure = undefined
  }

  get group(): ServedGroup | undefined {
    return [...this.coordinator.groups()].find(({ groupId }) => groupId === GROUP)
  }

  /** The group; throws if it is not a consumer group. */
  get consumerGroup(): ConsumerGroup {
    const { group } = this
    if (group?.type !== 'consumer') throw new Error(`the group is ${group?.type}`)
    return group
  }

  /** The types of the records in the journal from a batch on; ' -' marks a tombstone. */
  written(since = 0): string[] {
    const records = this.journal.batches.slice(since).flat().map(decodeRecord)
    return records.map(record => `${record.type}${'value' in record && record.value === null ? ' -' : ''}`)
  }

  join(changes: Partial<JoinGroupRequest> = {}) {
    return this.coordinator.classic.joinGroup({
      groupId: GROUP,
      apiVersion: 9,
      memberId: '',
      groupInstanceId: null,
      clientId: 'classic',
      clientHost: '/127.0.0.1',
      sessionTimeoutMs: SESSION_MS,
      rebalanceTimeoutMs: REBALANCE_MS,
      protocolType: 'consumer',
      protocols: [{ name: 'range', metadata: subscriptionOf(['foo']) }],
      reason: null,
      ...changes
    })
  }

  sync(memberId: string, generationId: number, changes: Partial<SyncGroupRequest> = {}) {
    const protocol = { protocolType: 'consumer', protocolName: 'range', assignments: [] }
    return this.coordinator.classic.syncGroup({ ...memberOf(memberId, generationId), ...protocol, ...changes })
  }

  beat(memberId: string, generationId: number, changes: Partial<HeartbeatRequest> = {}) {
    return this.coordinator.classic.heartbeat({ ...memberOf(memberId, generationId), ...changes })
  }

  async leave(memberId: string, groupInstanceId: string | null = null) {
    const { members } = await this.coordinator.classic.leaveGroup(GROUP, [{ memberId, groupInstanceId }])
    return members[0]?.errorCode
  }

  heartbeat(memberId: string, memberEpoch: number, changes: Partial<ConsumerHeartbeatRequest> = {}) {
    const isJoining = memberEpoch === 0
    const request = {
      groupId: GROUP,
      memberId,
      memberEpoch,
      instanceId: null,
      rackId: null,
      rebalanceTimeoutMs: isJoining ? REBALANCE_MS : -1,
      subscribedTopicNames: isJoining ? ['foo'] : null,
      subscribedTopicRegex: null,
      serverAssignor: null,
      topicPartitions: isJoining ? [] : null,
      clientId: 'consumer',
      clientHost: '/127.0.0.1',
      ...changes
    }
    return this.coordinator.consumer.heartbeat(request, 1)
  }

  /** Commits an offset of partition 0 of a topic (default: foo). Resolves with the error code of the partition. */
  async commit(
    memberId: string,
    generationId: number,
    committedOffset: bigint,
    { topic = { name: 'foo', topicId: this.foo }, ...changes }: CommitChanges = {}
  ) {
    const partition = { partitionIndex: 0, committedOffset, committedLeaderEpoch: 0, committedMetadata: '' }
    const [committed] = await this.coordinator.offsets.commit({
      ...{ ...memberOf(memberId, generationId), apiVersion: 10, retentionTimeMs: -1n },
      ...{ topics: [{ ...topic, partitions: [partition] }], ...changes }
    })
    return committed?.partitions[0]?.errorCode
  }

  /** The committed offset of partition 0 of foo. */
  async committedOffset(groupId = GROUP) {
    const topics = [{ name: 'foo', topicId: this.foo, partitionIndexes: [0] }]
    const response = await this.coordinator.offsets.fetch({ ...NO_MEMBER, groupId, topics })
    return response.topics[0]?.partitions[0]?.committedOffset
  }

  /** Adds members to a classic group one after the other. Resolves with their ids in that order, all in one generation. */
  async classicMembers(...joins: Partial<JoinGroupRequest>[]): Promise<{ ids: string[]; generationId: number }> {
    const members: Partial<JoinGroupRequest>[] = []
    let generationId = -1
    for (const join of joins) {
      const joined = [this.join({ apiVersion: 3, ...join }), ...members.map(member => this.join(member))]
      const [newcomer] = await Promise.all(joined)
      if (newcomer?.errorCode !== 'NONE') throw new Error(`cannot join: ${newcomer?.errorCode}`)
      members.push({ ...join, memberId: newcomer.memberId })
      generationId = newcomer.generationId
    }
    return { ids: members.map(({ memberId = '' }) => memberId), generationId }
  }

  /** A stable classic group of one member in generation 1. Resolves with its id. */
  async stableMember(): Promise<string> {
    const { memberId } = await this.join()
    const { generationId } = await this.join({ memberId })
    await this.sync(memberId, generationId, assigning(memberId))
    return memberId
  }

  /** A stable classic group: one member for each assignment. */
  async classicGroup(assigned: readonly Owned[], changes: Partial<JoinGroupRequest> = {}) {
    const { ids, generationId } = await this.classicMembers(...assigned.map(() => changes))
    const assignments = ids.map((memberId, index) => ({ memberId, assignment: assignmentOf(assigned[index] ?? {}) }))
    await Promise.all(ids.map(id => this.sync(id, generationId, { assignments })))
    return { ids, generationId }
  }
}

/** A leader's SyncGroup: member `a` is assigned `for a`. */
export function assigning(...memberIds: string[]): Pick<SyncGroupRequest, 'assignments'> {
  return { assignments: memberIds.map(memberId => ({ memberId, assignment: Buffer.from(`for ${memberId}`) })) }
}

interface CommitChanges {
  readonly groupId?: string
  readonly apiVersion?: number
  readonly topic?: { readonly name: string; readonly topicId: string }
}

function memberOf(memberId: string, generationId: number) {
  return { groupId: GROUP, memberId, groupInstanceId: null, generationId }
}

function fooAndBar(): ClusterTopics {
  const topics = new ClusterTopics()
  topics.create('foo', 4)
  topics.create('bar', 2)
  return topics
}

/** Throws an error that would fail the broker. */
export function raise(error: unknown): never {
  throw error
}
