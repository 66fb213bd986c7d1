/** Log lines about groups: one sentence for each event with member and reason; none for a heartbeat. */
import { expect, it } from 'vitest'
import { Harness } from '../../../../src/testing/harness.ts'
import { RecordingLogger } from '../../../../src/testing/recording-logger.ts'
import { subscriptionOf } from '../../../group/embedded.ts'

/** A broker, and its log lines about groups since the last read. */
async function started(config: Record<string, string | number> = {}) {
  const logger = new RecordingLogger()
  const broker = await Harness.start({ logger, config: { 'group.consumer.assignment.interval.ms': 0, ...config } })
  await broker.createTopic('t', 2)
  await broker.request('FindCoordinator', { coordinatorKeys: ['g'] })
  const read = () => {
    const lines = logger.take().filter(({ level, bindings }) => level === 'info' && bindings.groupId !== undefined)
    return lines.map(({ message }) => message)
  }
  return { broker, read }
}

function beat(broker: Harness, memberId: string, memberEpoch: number, instanceId: string | null = null) {
  const joining = { rebalanceTimeoutMs: 1000, subscribedTopicNames: ['t'], topicPartitions: [] }
  const member = { groupId: 'g', memberId, memberEpoch, instanceId }
  const options = { clientId: 'shop' }
  return broker.request('ConsumerGroupHeartbeat', { ...member, ...(memberEpoch === 0 && joining) }, options)
}

function joinClassic(broker: Harness, groupInstanceId: string | null = null, rebalanceTimeoutMs = 45_000) {
  const timeouts = { sessionTimeoutMs: 45_000, rebalanceTimeoutMs }
  const protocols = [{ name: 'range', metadata: subscriptionOf(['t']) }]
  const request = { groupId: 'g', memberId: '', groupInstanceId, protocolType: 'consumer', protocols, ...timeouts }
  const options = { clientId: 'old', version: groupInstanceId === null ? 3 : 5 }
  return broker.request('JoinGroup', request, options)
}

it('members that join and leave are logged, and heartbeats are not', async () => {
  const { broker, read } = await started()
  await using _ = broker
  const { memberEpoch } = await beat(broker, 'm', 0)
  expect(read()).toEqual([
    'group g: member m joined by the consumer protocol, client shop at /127.0.0.1',
    'group g: group epoch 2, subscriptions changed'
  ])
  for (let count = 0; count < 100; count++) await beat(broker, 'm', memberEpoch)
  expect(read()).toEqual([])
  await broker.request('CreatePartitions', { topics: [{ name: 't', count: 3 }], timeoutMs: 1000 })
  await beat(broker, 'm', memberEpoch)
  expect(read()).toEqual(['group g: group epoch 3, subscribed topics changed'])
  await beat(broker, 'm', -1)
  expect(read()).toEqual(['group g: group epoch 4, members removed', 'group g: member m of client shop left'])
})

it('fenced members of an expired session are logged', async () => {
  const { broker, read } = await started()
  await using _ = broker
  await beat(broker, 'm', 0)
  read()
  broker.clock.advance(45_000)
  expect(read()).toEqual([
    'group g: member m of client shop fenced: session timeout',
    'group g: group epoch 3, members removed'
  ])
})

it('removed and refused members are logged', async () => {
  const { broker, read } = await started({ 'group.consumer.max.size': 2 })
  await using _ = broker
  await beat(broker, 'm', 0)
  await beat(broker, 's', 0, 'i')
  read()
  await beat(broker, 'm', 77)
  await beat(broker, 'other', 0)
  expect(read()).toEqual([
    expect.stringMatching(/^group g: member m refused with FENCED_MEMBER_EPOCH: member m has epoch 2, not 77/),
    expect.stringMatching(/^group g: member other refused with GROUP_MAX_SIZE_REACHED: /)
  ])
})

it('groups that change their type are logged, and those that cannot change it', async () => {
  const { broker, read } = await started()
  await using _ = broker
  const { memberId, generationId } = await joinClassic(broker)
  const claim = { groupId: 'g', memberId, generationId }
  await broker.request('SyncGroup', { ...claim, assignments: [] }, { version: 3 })
  read()
  await beat(broker, 'm', 0)
  expect(read()).toContain('group g converted from a classic to a consumer group at epoch 1, 1 members')
  await beat(broker, 'm', -1)
  expect(read()).toContainEqual(
    expect.stringMatching(/^group g converted from a consumer to a classic group at epoch \d, 1 members$/)
  )

  const strict = await started({ 'group.consumer.migration.policy': 'disabled' })
  await using __ = strict.broker
  await joinClassic(strict.broker)
  strict.read()
  await beat(strict.broker, 'm', 0)
  expect(strict.read()).toEqual([expect.stringMatching(/: Cannot upgrade classic group g .* disabled\.$/)])
})

it('a static member that replaces another one of a classic group is logged with both member ids', async () => {
  const { broker, read } = await started()
  await using _ = broker
  const first = await joinClassic(broker, 'i')
  const claim = { groupId: 'g', memberId: first.memberId, generationId: first.generationId }
  await broker.request('SyncGroup', { ...claim, assignments: [] }, { version: 3 })
  read()
  const second = await joinClassic(broker, 'i')
  expect(read()).toEqual([
    `group g stays Stable, generation 1, 1 members: static member i restarted as ${second.memberId}`
  ])
  const { errorCode } = await broker.request('Heartbeat', { ...claim, groupInstanceId: 'i' })
  expect([errorCode, ...read()]).toEqual([
    'FENCED_INSTANCE_ID',
    `group g: member ${first.memberId} (static i) refused with FENCED_INSTANCE_ID`
  ])
})

it.each([
  [45_000, /: session timeout of old-\S+$/],
  [10_000, /: no JoinGroup in time from old-\S+$/]
])('a member that misses a rebalance of %i ms is logged', async (rebalanceTimeoutMs, why) => {
  const { broker, read } = await started()
  await using _ = broker
  await joinClassic(broker, null, rebalanceTimeoutMs)
  const second = joinClassic(broker, null, rebalanceTimeoutMs)
  broker.clock.advance(rebalanceTimeoutMs - 1)
  read()
  broker.clock.advance(1)
  await second
  expect(read()).toEqual([expect.stringMatching(why)])
})
