/** Coordinators of groups as a broker starts them, with their topic in memory. */
import type { JoinGroupRequest } from '../../src/group/classic-groups.ts'
import { GroupCoordinator, type GroupPorts, type GroupSettings } from '../../src/group/coordinator.ts'
import { decodeRecord } from '../../src/group/records.ts'
import { silentLogger } from '../../src/runtime/logger.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { MemoryJournal } from '../coordinator/memory-journal.ts'
import { REBALANCE_MS, SESSION_MS } from './classic/classic-group-driver.ts'
import { ClusterTopics } from './consumer/cluster-topics.ts'
import { CONSUMER_SETTINGS } from './consumer/settings.ts'
import { subscriptionOf } from './embedded.ts'

/** Kafka's defaults, but the first rebalance waits for nobody, and a group has its most members soon. */
export const GROUP_SETTINGS: GroupSettings = {
  minSessionTimeoutMs: 6_000,
  maxSessionTimeoutMs: 1_800_000,
  initialRebalanceDelayMs: 0,
  maxSize: 100,
  offsetMetadataMaxBytes: 4096,
  offsetsRetentionMs: 7 * 86_400_000,
  offsetsRetentionCheckIntervalMs: 600_000,
  consumer: CONSUMER_SETTINGS
}

interface Place extends Pick<GroupPorts, 'clocks' | 'random' | 'settings' | 'topics' | 'failed'> {
  readonly journal: MemoryJournal
  /** Of __consumer_offsets; each of them would be the same journal. */
  partitionCount?(): number
}

/** A coordinator that knows what is in the journal. */
export function startedCoordinator({ journal, partitionCount = () => 1, ...ports }: Place): GroupCoordinator {
  const coordinator = new GroupCoordinator({
    ...ports,
    logger: silentLogger,
    configOf: () => new Map(),
    topic: { topic: '__consumer_offsets', logger: silentLogger, partitionCount, journal: () => journal }
  })
  // On a clock that stands still it does not let others go first.
  void coordinator.start()
  return coordinator
}

export const FOO = { name: 'foo', topicId: 'AAECAwQFBgcICQoLDA0ODw' }

/** Who asks for offsets without being a member. */
export const OF_ANYBODY = { memberId: null, memberEpoch: -1 }

/** A coordinator on a clock and a journal of its own, with the topic foo. */
export class CoordinatorStage {
  readonly clock = new ManualClock()
  readonly journal = new MemoryJournal()
  /** What the broker was told that must not happen. */
  readonly failures: unknown[] = []
  partitionCount = 1
  groups: GroupCoordinator

  constructor() {
    this.groups = this.#started()
  }

  /** Another coordinator takes over. */
  start(settings: Partial<GroupSettings> = {}): void {
    this.groups = this.#started(settings)
  }

  #started(settings: Partial<GroupSettings> = {}): GroupCoordinator {
    return startedCoordinator({
      ...{ clocks: this.clock, journal: this.journal, random: seededRandom(1), topics: new ClusterTopics(FOO) },
      settings: { ...GROUP_SETTINGS, ...settings },
      partitionCount: () => this.partitionCount,
      failed: error => this.failures.push(error)
    })
  }

  /** One member in a stable group; gives its id. */
  async stableMember(): Promise<string> {
    const { classic } = this.groups
    const { memberId } = await classic.joinGroup(joinRequest())
    const { generationId } = await classic.joinGroup(joinRequest({ memberId }))
    await classic.syncGroup(syncRequest(memberId, generationId, memberId))
    return memberId
  }

  async committedOffset(groupId = 'g') {
    const topics = [{ ...FOO, partitionIndexes: [0] }]
    const answer = await this.groups.offsets.fetch({ ...OF_ANYBODY, groupId, topics })
    return answer.topics[0]?.partitions[0]?.committedOffset
  }

  recordTypes() {
    return this.journal.batches.flat().map(record => decodeRecord(record).type)
  }
}

export function joinRequest(changes: Partial<JoinGroupRequest> = {}): JoinGroupRequest {
  return {
    groupId: 'g',
    apiVersion: 9,
    memberId: '',
    groupInstanceId: null,
    clientId: 'me',
    clientHost: '/127.0.0.1',
    sessionTimeoutMs: SESSION_MS,
    rebalanceTimeoutMs: REBALANCE_MS,
    protocolType: 'consumer',
    protocols: [{ name: 'range', metadata: subscriptionOf(['foo']) }],
    reason: null,
    ...changes
  }
}

export function claim(memberId: string, generationId: number) {
  return { groupId: 'g', memberId, groupInstanceId: null, generationId }
}

export function syncRequest(memberId: string, generationId: number, ...assigned: string[]) {
  const assignments = assigned.map(id => ({ memberId: id, assignment: Buffer.from(`for ${id}`) }))
  return { ...claim(memberId, generationId), protocolType: 'consumer', protocolName: 'range', assignments }
}

export function commitRequest(memberId: string, generationId: number, committedOffset: bigint) {
  const partition = { partitionIndex: 0, committedOffset, committedLeaderEpoch: 0, committedMetadata: '' }
  const topics = [{ ...FOO, partitions: [partition] }]
  return { ...claim(memberId, generationId), apiVersion: 10, retentionTimeMs: -1n, topics }
}

/** Of the one partition that was committed. */
export async function resultOf(commit: ReturnType<GroupCoordinator['offsets']['commit']>) {
  return (await commit)[0]?.partitions[0]?.errorCode
}
