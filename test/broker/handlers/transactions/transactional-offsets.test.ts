/** Transactional offset commits of a client that adds the group before it looks up the group coordinator. */
import { expect, it } from 'vitest'
import { Harness } from '../../../../src/testing/harness.ts'
import { committedOffset, TransactionalProducer } from '../../transactional.ts'

it('a group is added to a transaction before __consumer_offsets exists', async () => {
  await using broker = await Harness.start({ config: { 'offsets.topic.num.partitions': 7 } })
  await broker.createTopic('t')
  const producer = new TransactionalProducer(broker, 'tx', { generation: 'classic' })
  await producer.init()
  const { transactionalId, producerId, producerEpoch } = producer
  const added = { transactionalId, producerId, producerEpoch, groupId: 'g' }
  expect(await broker.request('AddOffsetsToTxn', added, { version: 3 })).toMatchObject({ errorCode: 'NONE' })
  expect(await broker.request('DescribeTransactions', { transactionalIds: ['tx'] })).toMatchObject({
    transactionStates: [{ topics: [{ topic: '__consumer_offsets', partitions: ['g'.charCodeAt(0) % 7] }] }]
  })
  await broker.request('FindCoordinator', { keyType: 0, coordinatorKeys: ['g'] })
  expect(await producer.trySendOffset('g', 't', 0, 5n)).toBe('NONE')
  expect(await committedOffset(broker, 'g', 't')).toBe('UNSTABLE_OFFSET_COMMIT')
  await producer.commit()
  expect(await committedOffset(broker, 'g', 't')).toBe(5n)
})
