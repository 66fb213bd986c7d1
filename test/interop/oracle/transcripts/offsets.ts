// ListOffsets, OffsetForLeaderEpoch, DeleteRecords: where a log begins and ends, and what lies at a time.
import { APIS } from '../../../../src/protocol/messages/index.ts'
import { arrange, atEachVersion, call, type Step } from '../transcript.ts'
import { bytes, TIME } from './batches.ts'
import { fetchAll } from './read.ts'
import { topic } from './topic.ts'

const { DeleteRecords, ListOffsets, OffsetForLeaderEpoch, Produce } = APIS
const SPECIAL = [-1n, -2n, -3n, -4n, -5n, -6n, -7n, -8n]

const fill = (name: string, batches: readonly (readonly string[])[]) =>
  arrange(`${name} is filled`, async session => {
    for (const [index, values] of batches.entries()) {
      const records = bytes(values, { time: TIME + BigInt(index) * 10_000n })
      const topicData = [{ name, partitionData: [{ index: 0, records }] }]
      await session.ask(Produce, 9, { transactionalId: null, acks: -1, timeoutMs: 5000, topicData })
    }
  })
const at = (timestamp: bigint, more: object = {}) => ({ partitionIndex: 0, timestamp, ...more })
const list = (name: string, version: number, timestamp: bigint, more: object = {}) =>
  call(name, ListOffsets, version, { topics: [{ name: 'offsets', partitions: [at(timestamp, more)] }] })
const remove = (name: string, partitions: { partitionIndex: number; offset: bigint }[], topicName = 'offsets') =>
  call(name, DeleteRecords, 2, { topics: [{ name: topicName, partitions }], timeoutMs: 5000 })
const epoch = (name: string, leaderEpoch: number, more: object = {}, topicName = 'offsets') =>
  call(name, OffsetForLeaderEpoch, 4, {
    replicaId: -1,
    topics: [{ topic: topicName, partitions: [{ partition: 0, leaderEpoch, ...more }] }]
  })

const listing: Step[] = [
  topic('offsets'),
  topic('offsets-empty'),
  fill('offsets', [['a', 'b', 'c'], ['d', 'e'], ['f']]),
  ...[-1n, -2n, 0n, TIME].flatMap(timestamp =>
    atEachVersion(`at ${timestamp}`, ListOffsets, () => ({
      topics: [{ name: 'offsets', partitions: [at(timestamp)] }]
    }))
  ),
  ...SPECIAL.flatMap(timestamp => [7, 11].map(version => list(`special ${timestamp}`, version, timestamp))),
  ...[-3n, -4n, -5n].flatMap(timestamp => [1, 6, 8].map(version => list(`special ${timestamp}`, version, timestamp))),
  ...[-1n, 0n, 1n, 1000n, 1001n, 2000n, 2001n, 9999n, 10_000n, 11_000n, 20_000n, 20_001n].map(delta =>
    list(`${delta} ms after the first`, 7, TIME + delta)
  ),
  call('an empty topic', ListOffsets, 8, {
    topics: [{ name: 'offsets-empty', partitions: [at(-1n)] }]
  }),
  ...[-2n, -3n, -4n, -5n, 0n].map(timestamp =>
    call(`an empty topic at ${timestamp}`, ListOffsets, 9, {
      topics: [{ name: 'offsets-empty', partitions: [at(timestamp)] }]
    })
  ),
  call('read committed', ListOffsets, 7, { isolationLevel: 1, topics: [{ name: 'offsets', partitions: [at(-1n)] }] }),
  call('an unknown isolation level', ListOffsets, 7, {
    isolationLevel: 9,
    topics: [{ name: 'offsets', partitions: [at(-1n)] }]
  }),
  call('an unknown topic', ListOffsets, 7, { topics: [{ name: 'offsets-none', partitions: [at(-1n)] }] }),
  call('an unknown partition', ListOffsets, 7, {
    topics: [{ name: 'offsets', partitions: [{ partitionIndex: 5, timestamp: -1n }] }]
  }),
  call('a negative partition', ListOffsets, 7, {
    topics: [{ name: 'offsets', partitions: [{ partitionIndex: -1, timestamp: -1n }] }]
  }),
  call('the same partition twice', ListOffsets, 7, { topics: [{ name: 'offsets', partitions: [at(-1n), at(-2n)] }] }),
  list('the epoch of now', 7, -1n, { currentLeaderEpoch: 0 }),
  list('an epoch to come', 7, -1n, { currentLeaderEpoch: 5 }),
  call('as a follower', ListOffsets, 7, { replicaId: 2, topics: [{ name: 'offsets', partitions: [at(-1n)] }] }),
  call('as a debugging consumer', ListOffsets, 7, {
    replicaId: -2,
    topics: [{ name: 'offsets', partitions: [at(-1n)] }]
  }),
  call('no topics', ListOffsets, 7, { topics: [] })
]

const epochs: Step[] = [
  ...atEachVersion('the end of the first epoch', OffsetForLeaderEpoch, () => ({
    ...{ replicaId: -1, topics: [{ topic: 'offsets', partitions: [{ partition: 0, leaderEpoch: 0 }] }] }
  })),
  ...[-1, 1, 5, -2].map(number => epoch(`the end of epoch ${number}`, number)),
  epoch('with the epoch of now', 0, { currentLeaderEpoch: 0 }),
  epoch('with an epoch to come', 0, { currentLeaderEpoch: 1 }),
  epoch('an unknown partition', 0, { partition: 4 }),
  epoch('an unknown topic', 0, {}, 'offsets-none'),
  epoch('an empty topic', 0, {}, 'offsets-empty')
]

const deletion: Step[] = [
  ...atEachVersion('before an offset', DeleteRecords, version => ({
    ...{
      topics: [{ name: 'offsets', partitions: [{ partitionIndex: 0, offset: BigInt(version + 1) }] }],
      timeoutMs: 5000
    }
  })),
  list('the start now', 7, -2n),
  list('a time before it', 7, 0n),
  list('the earliest local one', 8, -4n),
  fetchAll('from before it', 'offsets', 1),
  remove('what is gone already', [{ partitionIndex: 0, offset: 1n }]),
  remove('beyond the end', [{ partitionIndex: 0, offset: 100n }]),
  remove('at a negative offset', [{ partitionIndex: 0, offset: -2n }]),
  remove('an unknown partition', [{ partitionIndex: 7, offset: 1n }]),
  remove('an unknown topic', [{ partitionIndex: 0, offset: 1n }], 'offsets-none'),
  remove('from the offsets topic', [{ partitionIndex: 0, offset: 0n }], '__consumer_offsets'),
  remove('nothing', []),
  remove('all', [{ partitionIndex: 0, offset: -1n }]),
  ...SPECIAL.slice(0, 4).map(timestamp => list(`when all is gone, at ${timestamp}`, 9, timestamp)),
  epoch('when all is gone', 0),
  fetchAll('when all is gone', 'offsets', 1)
]

export const offsets: Step[] = [...listing, ...epochs, ...deletion]
