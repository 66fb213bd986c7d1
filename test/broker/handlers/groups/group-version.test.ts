/** The consumer protocol (KIP-848) can be disabled by the feature `group.version`, and by a config until Kafka 5.0. */
import { expect, it } from 'vitest'
import { Harness } from '../../../../src/testing/harness.ts'

const SAFE_DOWNGRADE = 2

async function heartbeat(broker: Harness): Promise<string> {
  await broker.request('FindCoordinator', { coordinatorKeys: ['g'] })
  const member = { groupId: 'g', memberId: 'm', memberEpoch: 0, instanceId: null, rackId: null, serverAssignor: null }
  const subscription = { rebalanceTimeoutMs: 1000, subscribedTopicNames: ['t'], topicPartitions: [] }
  return (await broker.request('ConsumerGroupHeartbeat', { ...member, ...subscription })).errorCode
}

async function setLevel(broker: Harness, maxVersionLevel: number, upgradeType?: number): Promise<string> {
  const update = { feature: 'group.version', maxVersionLevel, ...(upgradeType !== undefined && { upgradeType }) }
  return (await broker.request('UpdateFeatures', { timeoutMs: 1000, featureUpdates: [update] })).errorCode
}

it('the consumer protocol is enabled by default', async () => {
  await using broker = await Harness.start()
  expect(await heartbeat(broker)).toBe('NONE')
})

it('the consumer protocol is disabled and enabled with the feature group.version, also over a restart', async () => {
  const broker = await Harness.start()
  expect(await setLevel(broker, 0, SAFE_DOWNGRADE)).toBe('NONE')
  expect(await heartbeat(broker)).toBe('UNSUPPORTED_VERSION')
  await broker.stop()
  await using again = await Harness.start({ storage: broker.storage })
  expect(await heartbeat(again)).toBe('UNSUPPORTED_VERSION')
  expect(await setLevel(again, 1)).toBe('NONE')
  expect(await heartbeat(again)).toBe('NONE')
})

it('the consumer protocol is disabled by group.coordinator.rebalance.protocols', async () => {
  await using broker = await Harness.start({ config: { 'group.coordinator.rebalance.protocols': 'classic,streams' } })
  expect(await heartbeat(broker)).toBe('UNSUPPORTED_VERSION')
  const { groups } = await broker.request('ConsumerGroupDescribe', { groupIds: ['g'] })
  expect(groups).toMatchObject([{ groupId: 'g', errorCode: 'UNSUPPORTED_VERSION' }])
})
