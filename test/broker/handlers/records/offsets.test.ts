import { describe, expect, it } from 'vitest'
import { batchOf, Harness } from '../../../../src/testing/harness.ts'

const LATEST = -1n
const EARLIEST = -2n

describe('ListOffsets', () => {
  it('refuses a partition that is named twice, and returns it once', async () => {
    await using broker = await Harness.start()
    await broker.createTopic('t', 2)
    const at = (partitionIndex: number, timestamp = LATEST) => ({ partitionIndex, timestamp })
    const { topics } = await broker.request('ListOffsets', {
      topics: [
        { name: 't', partitions: [at(0), at(1)] },
        { name: 't', partitions: [at(0, EARLIEST)] },
        { name: 'u', partitions: [] }
      ]
    })
    expect(topics).toMatchObject([
      {
        name: 't',
        partitions: [
          { partitionIndex: 0, errorCode: 'INVALID_REQUEST' },
          { partitionIndex: 1, errorCode: 'NONE' }
        ]
      }
    ])
  })

  it('refuses an invalid isolation level', async () => {
    await using broker = await Harness.start()
    await broker.createTopic('t')
    const request = {
      isolationLevel: 2,
      topics: [{ name: 't', partitions: [{ partitionIndex: 0, timestamp: LATEST }] }]
    }
    const { topics } = await broker.request('ListOffsets', request)
    expect(topics[0]?.partitions[0]?.errorCode).toBe('UNKNOWN_SERVER_ERROR')
  })

  it('returns the leader epoch of an empty log', async () => {
    await using broker = await Harness.start()
    await broker.createTopic('t')
    const request = { topics: [{ name: 't', partitions: [{ partitionIndex: 0, timestamp: EARLIEST }] }] }
    const { topics } = await broker.request('ListOffsets', request)
    expect(topics[0]?.partitions[0]).toMatchObject({ offset: 0n, leaderEpoch: 0 })
  })
})

describe('OffsetForLeaderEpoch', () => {
  it('returns the end of the leader epoch of an empty log', async () => {
    await using broker = await Harness.start()
    await broker.createTopic('t')
    const request = { replicaId: -1, topics: [{ topic: 't', partitions: [{ partition: 0, leaderEpoch: 0 }] }] }
    const { topics } = await broker.request('OffsetForLeaderEpoch', request)
    expect(topics[0]?.partitions[0]).toMatchObject({ errorCode: 'NONE', leaderEpoch: 0, endOffset: 0n })
  })
})

describe('DeleteRecords', () => {
  it('uses the last offset for a partition that is named twice, and returns it once', async () => {
    await using broker = await Harness.start()
    const topicId = await broker.createTopic('t')
    await broker.produce(topicId, batchOf(['a', 'b', 'c']))
    const upTo = (offset: bigint) => ({ name: 't', partitions: [{ partitionIndex: 0, offset }] })
    const { topics } = await broker.request('DeleteRecords', { topics: [upTo(100n), upTo(2n)], timeoutMs: 1000 })
    expect(topics).toMatchObject([{ name: 't', partitions: [{ errorCode: 'NONE', lowWatermark: 2n }] }])
  })
})
