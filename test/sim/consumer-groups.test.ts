/**
 * Consumer groups (KIP-848) on a broker that crashes at every operation on its disk, during reconciliations, commits and changes
 * of the protocol. Every group loads, no partition has two owners, acknowledged commits survive, and no member falls behind its
 * acknowledged epoch.
 */
import { expect, test } from 'vitest'
import { yieldToEventLoop } from '../../src/runtime/pace.ts'
import type { MemoryStorage } from '../../src/storage/memory-storage.ts'
import { Harness } from '../../src/testing/harness.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { RecordingLogger } from '../../src/testing/recording-logger.ts'
import { assignmentOf, type Owned, partitionsOf, subscriptionOf } from '../group/embedded.ts'
import { type Cause, dieEverywhere, type Life } from './death.ts'
import { Fact } from './promises.ts'

const SYNCED = { 'log.flush.interval.messages': 1 }
const CONFIG = { 'offsets.topic.num.partitions': 1, 'group.consumer.assignment.interval.ms': 0 }
const PARTITIONS = [0, 1, 2, 3]
const SESSION_MS = 45_000

const cases: { readonly cause: Cause; readonly config: Record<string, number>; readonly kept: boolean }[] = [
  { cause: 'process death', config: {}, kept: true },
  { cause: 'power loss', config: {}, kept: false },
  { cause: 'power loss', config: SYNCED, kept: true },
  { cause: 'power loss without a journal of names', config: SYNCED, kept: true }
]

/** Acknowledged state: offsets by group and partition, and the epochs in responses to members. */
class Ledger {
  readonly committed = new Map<string, Fact<bigint>>()
  readonly epochs = new Map<string, number>()

  offset(groupId: string, partition: number): Fact<bigint> {
    const key = `${groupId} ${partition}`
    const fact = this.committed.get(key) ?? new Fact(-1n)
    this.committed.set(key, fact)
    return fact
  }
}

test.each(cases)('$cause, $config: consumer groups', { timeout: 3_600_000 }, async ({ cause, config, kept }) => {
  const operations = await dieEverywhere(cause, {
    witness: () => new Ledger(),
    script: (life, ledger) => play(life, ledger, config),
    check: (left, ledger) => check(left, ledger, kept),
    share: 0.5
  })
  expect(operations).toBeGreaterThan(60)
})

/** One group on one broker. A response counts only while the broker is alive. */
class Group {
  readonly broker: Harness
  readonly groupId: string
  readonly #life: Life | undefined
  readonly #ledger: Ledger

  constructor(broker: Harness, groupId: string, ledger: Ledger, life?: Life) {
    this.broker = broker
    this.groupId = groupId
    this.#ledger = ledger
    this.#life = life
  }

  /** A heartbeat with all partitions that the member owns. */
  async beat(member: Consumer): Promise<void> {
    const { memberId, instanceId, memberEpoch, owned } = member
    const isJoining = memberEpoch === 0
    const answer = await this.broker.request('ConsumerGroupHeartbeat', {
      ...{ groupId: this.groupId, memberId, instanceId, memberEpoch },
      rebalanceTimeoutMs: isJoining ? 60_000 : -1,
      subscribedTopicNames: isJoining ? member.topics : null,
      subscribedTopicRegex: isJoining ? member.regex : null,
      topicPartitions: isJoining ? [] : owned
    })
    this.#life?.mustGoOn()
    expect(answer.errorCode, `${memberId} ${answer.errorMessage}`).toBe('NONE')
    member.memberEpoch = answer.memberEpoch
    if (answer.assignment) member.owned = answer.assignment.topicPartitions
    this.reachedEpoch(memberId, answer.memberEpoch)
  }

  /** The member leaves the group; with epoch -2 a static member leaves temporarily. */
  async leave({ memberId, instanceId }: Consumer, memberEpoch = -1): Promise<void> {
    this.#ledger.epochs.delete(`${this.groupId}/${memberId}`)
    const answer = await this.broker.request('ConsumerGroupHeartbeat', {
      ...{ groupId: this.groupId, memberId, instanceId, memberEpoch }
    })
    this.#life?.mustGoOn()
    expect(answer.errorCode).toBe('NONE')
  }

  async commit(memberId: string, generationIdOrMemberEpoch: number, partitionIndex: number, offset: bigint) {
    await this.#ledger.offset(this.groupId, partitionIndex).set(offset, async () => {
      const partitions = [{ partitionIndex, committedOffset: offset, committedMetadata: null }]
      const topics = [{ name: 't', partitions }]
      const claim = { groupId: this.groupId, memberId, generationIdOrMemberEpoch }
      const answer = await this.broker.request('OffsetCommit', { ...claim, topics }, { version: 9 })
      this.#life?.mustGoOn()
      expect(answer.topics[0]?.partitions[0]?.errorCode).toBe('NONE')
      return offset
    })
  }

  /** Members send heartbeats until the group is stable. */
  async settle(...members: (Consumer | Classic)[]): Promise<void> {
    for (let round = 0; round < 20; round++) {
      for (const member of members) await (member instanceof Classic ? member.goOn(this) : this.beat(member))
      const { groups } = await this.broker.request('ConsumerGroupDescribe', { groupIds: [this.groupId] })
      this.#life?.mustGoOn()
      if (groups[0]?.groupState === 'Stable') return
    }
    throw new Error(`${this.groupId} does not come to rest`)
  }

  /** From now on the member is in that epoch or a later one. */
  reachedEpoch(memberId: string, epoch: number): void {
    this.#ledger.epochs.set(`${this.groupId}/${memberId}`, epoch)
  }

  mustGoOn(): void {
    this.#life?.mustGoOn()
  }
}

class Consumer {
  readonly memberId: string
  readonly instanceId: string | null
  readonly topics: string[] | null
  readonly regex: string | null
  memberEpoch = 0
  owned: { topicId: string; partitions: number[] }[] = []

  constructor(memberId: string, { instanceId, regex }: { instanceId?: string; regex?: string } = {}) {
    this.memberId = memberId
    this.instanceId = instanceId ?? null
    this.topics = regex === undefined ? ['t'] : null
    this.regex = regex ?? null
  }
}

/** The only member of the classic protocol. It assigns partitions if it is the leader. */
class Classic {
  memberId = ''
  generationId = -1
  #owned: Owned = {}

  async join(group: Group): Promise<void> {
    const answer = await group.broker.request(
      'JoinGroup',
      {
        ...{ groupId: group.groupId, memberId: this.memberId, protocolType: 'consumer' },
        ...{ sessionTimeoutMs: SESSION_MS, rebalanceTimeoutMs: SESSION_MS },
        protocols: [{ name: 'range', metadata: subscriptionOf(['t'], this.#owned) }]
      },
      { version: 3 }
    )
    group.mustGoOn()
    expect(answer.errorCode).toBe('NONE')
    this.memberId = answer.memberId
    this.generationId = answer.generationId
    await this.#sync(group, answer.leader === this.memberId)
  }

  async #sync(group: Group, leads: boolean): Promise<void> {
    const { memberId, generationId } = this
    const assignments = leads ? [{ memberId, assignment: assignmentOf({ t: PARTITIONS }) }] : []
    const claim = { groupId: group.groupId, memberId, generationId }
    const answer = await group.broker.request('SyncGroup', { ...claim, assignments }, { version: 3 })
    group.mustGoOn()
    if (answer.errorCode === 'REBALANCE_IN_PROGRESS') return
    expect(answer.errorCode).toBe('NONE')
    this.#owned = partitionsOf(answer.assignment) ?? {}
    group.reachedEpoch(memberId, generationId)
  }

  /** A heartbeat, and the join or sync that its response requires. */
  async goOn(group: Group): Promise<void> {
    const { memberId, generationId } = this
    const { errorCode } = await group.broker.request('Heartbeat', { groupId: group.groupId, memberId, generationId })
    group.mustGoOn()
    if (errorCode === 'REBALANCE_IN_PROGRESS') await this.join(group)
    else expect(errorCode).toBe('NONE')
  }
}

async function play(life: Life, ledger: Ledger, config: Record<string, number>): Promise<void> {
  const clock = new ManualClock()
  const start = async () => {
    const { storage, random } = life
    const broker = await Harness.start({
      storage,
      random,
      clock: new ManualClock(clock.wall.now()),
      config: { ...CONFIG, ...config }
    })
    life.mustGoOn()
    return broker
  }
  let broker = await start()
  await broker.createTopic('t', PARTITIONS.length)
  await broker.request('FindCoordinator', { coordinatorKeys: ['g'] })
  life.mustGoOn()
  let g = new Group(broker, 'g', ledger, life)
  const [first, second] = [new Consumer('one'), new Consumer('two', { instanceId: 'i' })]
  await g.settle(first)
  await g.commit('one', first.memberEpoch, 0, 1n)
  await g.beat(second)
  await g.beat(first)
  // The process is killed during the reconciliation, and all members continue with the next one.
  life.kill()
  broker = await start()
  g = new Group(broker, 'g', ledger, life)
  await g.settle(first, second)
  await g.commit('two', second.memberEpoch, 3, 2n)
  await g.leave(second, -2)
  const again = new Consumer('two again', { instanceId: 'i' })
  await g.beat(again)
  const third = new Consumer('three', { regex: 't|u' })
  await g.settle(first, again, third)
  await g.leave(first)
  await g.settle(again, third)
  await g.commit('three', third.memberEpoch, 1, 3n)

  // The group is classic, then consumer, then classic again.
  const u = new Group(broker, 'u', ledger, life)
  const old = new Classic()
  await old.join(u)
  await u.commit(old.memberId, old.generationId, 2, 4n)
  const modern = new Consumer('modern')
  await u.settle(modern, old)
  await u.commit('modern', modern.memberEpoch, 1, 5n)
  await u.leave(modern)
  await old.goOn(u)
  await u.commit(old.memberId, old.generationId, 2, 6n)
  await broker.stop()
}

async function check(storage: MemoryStorage, ledger: Ledger, kept: boolean): Promise<void> {
  const clock = new ManualClock()
  const logger = new RecordingLogger()
  await using broker = await Harness.start({ storage, clock, config: CONFIG, logger })
  expect(logger.messages('error')).toEqual([])
  for (const [key, { possible, asked }] of ledger.committed) {
    const [groupId = '', partition] = key.split(' ')
    expect(kept ? possible : asked, `offset of ${key}`).toContain(await offsetOf(broker, groupId, Number(partition)))
  }
  if (!(await broker.request('Metadata', { topics: null })).topics.some(({ name }) => name === 't')) return
  for (const groupId of ['g', 'u']) await checkMembers(broker, groupId, ledger, kept)
  for (const groupId of ['g', 'u']) await checkGoesOn(broker, groupId, clock, ledger)
}

async function offsetOf(broker: Harness, groupId: string, partition: number): Promise<bigint | undefined> {
  const topics = [{ name: 't', partitionIndexes: [partition] }]
  const answer = await broker.request('OffsetFetch', { groupId, topics }, { version: 7 })
  // Before the first lookup of the coordinator there is no offset.
  return answer.errorCode === 'NOT_COORDINATOR' ? -1n : answer.topics[0]?.partitions[0]?.committedOffset
}

/** Each partition has one owner, and members are in their acknowledged epoch or a later one. */
async function checkMembers(broker: Harness, groupId: string, { epochs }: Ledger, kept: boolean): Promise<void> {
  const { groups } = await broker.request('ConsumerGroupDescribe', { groupIds: [groupId] })
  const members = groups[0]?.errorCode === 'NONE' ? groups[0].members : []
  const assigned = members.flatMap(({ assignment }) => assignment.topicPartitions)
  const owned = assigned.flatMap(({ partitions }) => partitions)
  expect(owned.toSorted()).toEqual([...new Set(owned)].sort())
  if (!kept) return
  const found = new Map(members.map(({ memberId, memberEpoch }) => [memberId, memberEpoch]))
  const classic = await broker.request('DescribeGroups', { groups: [groupId] })
  for (const { memberId } of classic.groups[0]?.members ?? []) found.set(memberId, Number.POSITIVE_INFINITY)
  for (const [key, epoch] of epochs) {
    const [ofGroup, memberId = ''] = key.split('/')
    if (ofGroup === groupId) expect(found.get(memberId) ?? -1, `epoch of ${memberId}`).toBeGreaterThanOrEqual(epoch)
  }
}

/** Members without heartbeats are fenced, and a new member gets all partitions. */
async function checkGoesOn(broker: Harness, groupId: string, clock: ManualClock, ledger: Ledger): Promise<void> {
  await broker.request('FindCoordinator', { coordinatorKeys: [groupId] })
  for (let count = 0; count < 4; count++) {
    clock.advance(SESSION_MS)
    await yieldToEventLoop()
  }
  const newcomer = new Consumer('newcomer')
  await new Group(broker, groupId, ledger).settle(newcomer)
  expect(newcomer.owned.flatMap(({ partitions }) => partitions).toSorted()).toEqual(PARTITIONS)
}
