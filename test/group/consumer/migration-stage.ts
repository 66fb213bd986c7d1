/** A coordinator whose one group `g` is joined by clients of both protocols, with the topics foo (4 partitions) and bar (2). */
import type { HeartbeatRequest, JoinGroupRequest, SyncGroupRequest } from '../../../src/group/classic-groups.ts'
import type { ConsumerGroup } from '../../../src/group/consumer/group.ts'
import type { ConsumerHeartbeatRequest } from '../../../src/group/consumer-groups.ts'
import type { GroupCoordinator, GroupSettings } from '../../../src/group/coordinator.ts'
import type { Group } from '../../../src/group/group.ts'
import { decodeRecord } from '../../../src/group/records.ts'
import { KafkaError } from '../../../src/protocol/errors.ts'
import { seededRandom } from '../../../src/runtime/random.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { MemoryJournal } from '../../coordinator/memory-journal.ts'
import { GROUP_SETTINGS, startedCoordinator } from '../coordinator-fixture.ts'
import { assignmentOf, type Owned, subscriptionOf } from '../embedded.ts'
import { ClusterTopics } from './cluster-topics.ts'

/** An assignment is due at once. */
const AT_ONCE = { assignmentIntervalMs: 0, minAssignmentIntervalMs: 0 }

export const SESSION_MS = 10_000
export const REBALANCE_MS = 60_000

export class MigrationStage {
  readonly clock = new ManualClock()
  readonly journal = new MemoryJournal()
  readonly topics = new ClusterTopics()
  readonly foo: string
  readonly bar: string
  groups: GroupCoordinator
  readonly #settings: GroupSettings

  constructor(consumer: Partial<GroupSettings['consumer']> = {}, settings: Partial<GroupSettings> = {}) {
    this.foo = this.topics.create('foo', 4)
    this.bar = this.topics.create('bar', 2)
    this.#settings = {
      ...GROUP_SETTINGS,
      ...settings,
      consumer: { ...GROUP_SETTINGS.consumer, ...AT_ONCE, ...consumer }
    }
    this.groups = this.#started()
  }

  #started(): GroupCoordinator {
    const random = seededRandom(this.journal.batches.length)
    return startedCoordinator({
      ...{ clocks: this.clock, journal: this.journal, random, settings: this.#settings, topics: this.topics },
      failed: error => {
        throw error
      }
    })
  }

  /** Another broker takes over: it knows what is in the log, and nothing else. */
  restart(): void {
    this.groups.stop()
    this.groups = this.#started()
  }

  /** No write succeeds any more. */
  fail(): void {
    this.journal.failure = new KafkaError('KAFKA_STORAGE_ERROR', 'the disk is gone')
  }

  heal(): void {
    this.journal.failure = undefined
  }

  get group(): Group | undefined {
    return [...this.groups.groups()].find(({ groupId }) => groupId === 'g')
  }

  /** Must be one. */
  get consumerGroup(): ConsumerGroup {
    const { group } = this
    if (group?.type !== 'consumer') throw new Error(`the group is ${group?.type}`)
    return group
  }

  /** The types of the records of each batch since the first, without those of offsets. */
  written(since = 0): string[] {
    const records = this.journal.batches.slice(since).flat().map(decodeRecord)
    return records.map(record => `${record.type}${'value' in record && record.value === null ? ' -' : ''}`)
  }

  join(changes: Partial<JoinGroupRequest> = {}) {
    return this.groups.classic.joinGroup({
      groupId: 'g',
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
    const claim = { groupId: 'g', memberId, generationId, groupInstanceId: null }
    const protocol = { protocolType: 'consumer', protocolName: 'range' }
    return this.groups.classic.syncGroup({ ...claim, ...protocol, assignments: [], ...changes })
  }

  beat(memberId: string, generationId: number, changes: Partial<HeartbeatRequest> = {}) {
    return this.groups.classic.heartbeat({ groupId: 'g', memberId, generationId, groupInstanceId: null, ...changes })
  }

  async leave(memberId: string, groupInstanceId: string | null = null) {
    const { members } = await this.groups.classic.leaveGroup('g', [{ memberId, groupInstanceId }])
    return members[0]?.errorCode
  }

  heartbeat(memberId: string, memberEpoch: number, changes: Partial<ConsumerHeartbeatRequest> = {}) {
    const isJoining = memberEpoch === 0
    const request = {
      groupId: 'g',
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
    return this.groups.consumer.heartbeat(request, 1)
  }

  /** Members join a classic group one after the other; gives their ids in that order, all in one generation. */
  async classicMembers(...joins: Partial<JoinGroupRequest>[]): Promise<{ ids: string[]; generationId: number }> {
    const members: Partial<JoinGroupRequest>[] = []
    let generationId = -1
    for (const join of joins) {
      const answers = [this.join({ apiVersion: 3, ...join }), ...members.map(member => this.join(member))]
      const [newcomer] = await Promise.all(answers)
      if (newcomer?.errorCode !== 'NONE') throw new Error(`cannot join: ${newcomer?.errorCode}`)
      members.push({ ...join, memberId: newcomer.memberId })
      generationId = newcomer.generationId
    }
    return { ids: members.map(({ memberId = '' }) => memberId), generationId }
  }

  /** As `classicMembers`; then the leader gives each of them what is told. */
  async classicGroup(assigned: readonly Owned[], changes: Partial<JoinGroupRequest> = {}) {
    const { ids, generationId } = await this.classicMembers(...assigned.map(() => changes))
    const assignments = ids.map((memberId, index) => ({ memberId, assignment: assignmentOf(assigned[index] ?? {}) }))
    await Promise.all(ids.map(id => this.sync(id, generationId, { assignments })))
    return { ids, generationId }
  }
}
