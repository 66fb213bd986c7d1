/**
 * Steps of the wall clock (NTP, a resumed machine, a user of the fixture) under a running broker, and the timers that follow
 * them. Apache Kafka 4.4.0 behaves the same when its wall clock steps.
 */
import { describe, expect, it } from 'vitest'
import { yieldToEventLoop } from '../../src/runtime/pace.ts'
import { batchOf, Harness } from '../../src/testing/harness.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { subscriptionOf } from '../group/embedded.ts'
import { heldBroker, idempotent, sofar } from './held-broker.ts'
import { committedOffset, TransactionalProducer } from './transactional.ts'

const HALF_HOUR_MS = 1_800_000
const DAY_MS = 86_400_000
const SESSION_MS = 6_000
const HEARTBEAT_MS = 2_000
const STEPS = [
  ['forward', HALF_HOUR_MS],
  ['back', -HALF_HOUR_MS]
] as const

/** A member of the group g. */
interface Member {
  readonly memberId: string
  heartbeat(): Promise<string>
}

async function started(config: Record<string, string | number> = {}): Promise<Harness> {
  const harness = await Harness.start({
    config: {
      'group.initial.rebalance.delay.ms': SESSION_MS,
      'group.consumer.session.timeout.ms': SESSION_MS,
      'group.consumer.min.session.timeout.ms': SESSION_MS,
      'group.consumer.heartbeat.interval.ms': HEARTBEAT_MS,
      'group.consumer.min.heartbeat.interval.ms': HEARTBEAT_MS,
      ...config
    }
  })
  await harness.request('FindCoordinator', { coordinatorKeys: ['g'] })
  return harness
}

const joinRequest = (memberId = '') => ({
  groupId: 'g',
  sessionTimeoutMs: SESSION_MS,
  rebalanceTimeoutMs: SESSION_MS,
  memberId,
  protocolType: 'consumer',
  protocols: [{ name: 'range', metadata: subscriptionOf(['foo']) }]
})

/** All members join within the initial delay and sync. */
async function classicMembers(harness: Harness, count: number): Promise<Member[]> {
  const ids = await Promise.all(Array.from({ length: count }, () => harness.request('JoinGroup', joinRequest())))
  const joining = ids.map(({ memberId }) => harness.request('JoinGroup', joinRequest(memberId)))
  await yieldToEventLoop()
  harness.clock.advance(SESSION_MS)
  const answers = await Promise.all(joining)
  const members = await Promise.all(
    answers.map(async ({ memberId, generationId, leader }) => {
      const claim = { groupId: 'g', memberId, generationId }
      const assignments = memberId === leader ? [{ memberId, assignment: Buffer.from('all') }] : []
      await harness.request('SyncGroup', { ...claim, protocolType: 'consumer', protocolName: 'range', assignments })
      return { memberId, heartbeat: async () => (await harness.request('Heartbeat', claim)).errorCode }
    })
  )
  expect(await stateOf(harness)).toEqual(['Stable', count])
  return members
}

async function consumerMembers(harness: Harness, count: number): Promise<Member[]> {
  const members: Member[] = []
  for (let index = 0; index < count; index++) {
    const memberId = `member-${index}`
    const claim = { groupId: 'g', memberId, memberEpoch: 0 }
    const joining = { rebalanceTimeoutMs: SESSION_MS, subscribedTopicNames: ['foo'], topicPartitions: [] }
    let { memberEpoch } = await harness.request('ConsumerGroupHeartbeat', { ...claim, ...joining })
    members.push({
      memberId,
      heartbeat: async () => {
        const answer = await harness.request('ConsumerGroupHeartbeat', { ...claim, memberEpoch })
        if (answer.errorCode === 'NONE') ({ memberEpoch } = answer)
        return answer.errorCode
      }
    })
  }
  return members
}

/** The group g with the given number of members. */
async function stateOf(harness: Harness): Promise<[string, number]> {
  const { groups } = await harness.request('ListGroups', {})
  const type = groups.find(({ groupId }) => groupId === 'g')?.groupType
  const answer =
    type === 'consumer'
      ? (await harness.request('ConsumerGroupDescribe', { groupIds: ['g'] })).groups[0]
      : (await harness.request('DescribeGroups', { groups: ['g'] })).groups[0]
  return [answer?.groupState ?? 'none', answer?.members.length ?? 0]
}

describe.each([
  ['classic', classicMembers],
  ['consumer', consumerMembers]
] as const)('a %s group', (_type, join) => {
  it.each(STEPS)('does not fence 20 members that heartbeat when the wall clock steps %s', async (_way, byMs) => {
    await using harness = await started()
    const members = await join(harness, 20)
    for (let round = 0; round < 2 * (SESSION_MS / HEARTBEAT_MS); round++) {
      for (const { heartbeat } of members) expect(await heartbeat()).toBe('NONE')
      // Between two heartbeats: the step comes after the session was renewed.
      harness.clock.stepWall(byMs)
      harness.clock.advance(HEARTBEAT_MS)
    }
    expect((await stateOf(harness))[1]).toBe(20)
  })

  it.each(STEPS)('fences a silent member after its session when the wall clock steps %s', async (_way, byMs) => {
    await using harness = await started()
    await join(harness, 1)
    harness.clock.stepWall(byMs)
    harness.clock.advance(SESSION_MS - 1)
    expect((await stateOf(harness))[1]).toBe(1)
    harness.clock.advance(1)
    expect((await stateOf(harness))[1]).toBe(0)
  })
})

it.each(STEPS)('a delayed join ends with the initial delay when the wall clock steps %s', async (_way, byMs) => {
  await using harness = await started({ 'group.initial.rebalance.delay.ms': 3_000 })
  const { memberId } = await harness.request('JoinGroup', joinRequest())
  const joining = harness.request('JoinGroup', joinRequest(memberId))
  await yieldToEventLoop()
  harness.clock.stepWall(byMs)
  harness.clock.advance(2_999)
  expect(await sofar(joining)).toBe('waits')
  harness.clock.advance(1)
  expect(await sofar(joining)).toMatchObject({ errorCode: 'NONE', generationId: 1 })
})

it.each(STEPS)('Produce with acks=all waits for its timeout when the wall clock steps %s', async (_way, byMs) => {
  const { storage, broker, topicId } = await heldBroker()
  const produced = broker.produce(topicId, idempotent('second', 1))
  await yieldToEventLoop()
  broker.clock.stepWall(byMs)
  broker.clock.advance(999)
  expect(await sofar(produced)).toBe('waits')
  broker.clock.advance(1)
  expect(await sofar(produced)).toMatchObject({ errorCode: 'REQUEST_TIMED_OUT' })
  await storage.flow()
  await broker.stop()
})

it.each(STEPS)('Fetch waits for its max wait when the wall clock steps %s', async (_way, byMs) => {
  await using harness = await started()
  const topicId = await harness.createTopic('t')
  const fetching = harness.request('Fetch', harness.fetchRequest(topicId, 0n, { maxWaitMs: 500 }))
  await yieldToEventLoop()
  harness.clock.stepWall(byMs)
  harness.clock.advance(499)
  expect(await sofar(fetching)).toBe('waits')
  harness.clock.advance(1)
  expect(await sofar(fetching)).toMatchObject({ errorCode: 'NONE' })
})

describe('timers that count from a timestamp', () => {
  const CHECK_MS = 10_000

  async function transactionState(harness: Harness): Promise<string> {
    const { transactionStates } = await harness.request('DescribeTransactions', { transactionalIds: ['pay-1'] })
    const [state] = transactionStates
    return state?.errorCode === 'NONE' ? state.transactionState : (state?.errorCode ?? '')
  }

  it('an open transaction times out at the first check after a step forward, and later after a step back', async () => {
    await using harness = await started()
    const topic = { name: 't', topicId: await harness.createTopic('t') }
    const producer = new TransactionalProducer(harness, 'pay-1', { timeoutMs: 60_000 })
    await producer.init()
    await producer.send(topic, 0, ['a'])
    harness.clock.stepWall(-HALF_HOUR_MS)
    harness.clock.advance(60_000 + CHECK_MS)
    expect(await transactionState(harness)).toBe('Ongoing')
    harness.clock.stepWall(HALF_HOUR_MS)
    expect(await transactionState(harness)).toBe('Ongoing')
    harness.clock.advance(CHECK_MS)
    expect(await transactionState(harness)).toBe('CompleteAbort')
  })

  it('a transactional id expires at the first check after a step forward', async () => {
    await using harness = await started()
    await new TransactionalProducer(harness, 'pay-1').init()
    harness.clock.stepWall(8 * DAY_MS)
    expect(await transactionState(harness)).toBe('Empty')
    harness.clock.advance(3_600_000)
    expect(await transactionState(harness)).toBe('TRANSACTIONAL_ID_NOT_FOUND')
  })

  it('a committed offset expires at the first check after a step forward', async () => {
    await using harness = await started()
    await harness.createTopic('t')
    const topics = [{ name: 't', partitions: [{ partitionIndex: 0, committedOffset: 5n }] }]
    const commit = { groupId: 'g', generationIdOrMemberEpoch: -1, memberId: '', topics }
    await harness.request('OffsetCommit', commit, { version: 8 })
    harness.clock.stepWall(8 * DAY_MS)
    expect(await committedOffset(harness, 'g', 't')).toBe(5n)
    harness.clock.advance(600_000)
    await yieldToEventLoop()
    expect(await committedOffset(harness, 'g', 't')).toBe(-1n)
  })

  it('a segment passes retention.ms at the first check after a step forward', async () => {
    await using harness = await started()
    const topicId = await harness.createTopic('t', 1, { 'retention.ms': '60000' })
    await harness.produce(topicId, batchOf(['a'], {}, BigInt(harness.clock.wall.now())))
    harness.clock.stepWall(HALF_HOUR_MS)
    expect(await harness.values(topicId)).toEqual(['a'])
    harness.clock.advance(30_000)
    await yieldToEventLoop()
    const { topics } = await harness.request('ListOffsets', {
      topics: [{ name: 't', partitions: [{ partitionIndex: 0, timestamp: -2n }] }]
    })
    expect(topics[0]?.partitions[0]?.offset).toBe(1n)
  })

  it('a record of a topic with LogAppendTime gets the time after the step', async () => {
    const clock = new ManualClock()
    await using harness = await Harness.start({ clock })
    const topicId = await harness.createTopic('t', 1, { 'message.timestamp.type': 'LogAppendTime' })
    const before = clock.wall.now()
    clock.stepWall(-HALF_HOUR_MS)
    const { logAppendTimeMs } = await harness.produce(topicId, batchOf(['a']))
    expect(logAppendTimeMs).toBe(BigInt(before - HALF_HOUR_MS))
  })

  it('an assignment interval continues only when the wall clock has caught up after a step back', async () => {
    await using harness = await started({ 'group.consumer.assignment.interval.ms': 5_000 })
    for (const name of ['foo', 'bar']) await harness.createTopic(name)
    const claim = { groupId: 'g', memberId: 'm', rebalanceTimeoutMs: -1, topicPartitions: null }
    const joining = { ...claim, rebalanceTimeoutMs: 60_000, subscribedTopicNames: ['foo'], topicPartitions: [] }
    const { memberEpoch } = await harness.request('ConsumerGroupHeartbeat', { ...joining, memberEpoch: 0 })
    harness.clock.stepWall(-HALF_HOUR_MS)
    const changed = { ...claim, memberEpoch, subscribedTopicNames: ['foo', 'bar'] }
    await harness.request('ConsumerGroupHeartbeat', changed)
    harness.clock.advance(5_000)
    await harness.request('ConsumerGroupHeartbeat', { ...claim, memberEpoch })
    expect(await assignmentEpoch(harness)).toBe(memberEpoch)
    harness.clock.stepWall(HALF_HOUR_MS)
    await harness.request('ConsumerGroupHeartbeat', { ...claim, memberEpoch })
    expect(await assignmentEpoch(harness)).toBe(memberEpoch + 1)
  })

  async function assignmentEpoch(harness: Harness): Promise<number | undefined> {
    return (await harness.request('ConsumerGroupDescribe', { groupIds: ['g'] })).groups[0]?.assignmentEpoch
  }
})
