// DeleteRecords moves the log start offset; later reads.
import { APIS } from '../../../../src/protocol/messages/index.ts'
import { atEachVersion, call, type Step } from '../transcript.ts'
import { bytes } from './batches.ts'
import { filled, produced } from './producing.ts'
import { fetchAll, fetchBytes } from './read.ts'
import { topic } from './topic.ts'

const { DeleteRecords, ListOffsets } = APIS
const MAIN = 'delete-records'

const before = (offset: bigint, partitionIndex = 0) => ({ partitionIndex, offset })
const remove = (name: string, offset: bigint, topicName = MAIN, partitionIndex = 0) =>
  call(name, DeleteRecords, 2, {
    topics: [{ name: topicName, partitions: [before(offset, partitionIndex)] }],
    timeoutMs: 5000
  })
const start = (name: string) =>
  call(name, ListOffsets, 7, { topics: [{ name: MAIN, partitions: [{ partitionIndex: 0, timestamp: -2n }] }] })
const read = (name: string, fetchOffset: bigint) =>
  call(name, APIS.Fetch, 12, {
    ...{ maxWaitMs: 0, minBytes: 0 },
    topics: [{ topic: MAIN, partitions: [{ partition: 0, fetchOffset, partitionMaxBytes: 1 << 20 }] }]
  })

export const deleteRecords: Step[] = [
  topic(MAIN, 3),
  filled(MAIN, [bytes(['a', 'b', 'c']), bytes(['d', 'e']), bytes(['f'])]),
  filled(MAIN, [bytes(['g'])], 1),
  ...atEachVersion('before an offset', DeleteRecords, version => ({
    topics: [{ name: MAIN, partitions: [before(BigInt(version + 1))] }],
    timeoutMs: 5000
  })),
  start('the start now'),
  ...[0n, 2n, 3n, 4n].map(offset => read(`from ${offset}`, offset)),
  produced('the response has the log start offset with an append', bytes(['h']), MAIN),
  remove('what is gone already', 1n),
  remove('up to the start', 3n),
  remove('into the middle of a batch', 4n),
  read('the batch comes whole', 4n),
  read('from before it', 3n),
  ...[100n, 8n, -2n, -100n, -(2n ** 63n), 2n ** 63n - 1n].map(offset => remove(`before ${offset}`, offset)),
  remove('all of an empty partition', -1n, MAIN, 2),
  remove('nothing of an empty partition', 0n, MAIN, 2),
  remove('beyond an empty partition', 1n, MAIN, 2),
  ...[0, 2].flatMap(version => [
    call('an unknown partition', DeleteRecords, version, {
      topics: [{ name: MAIN, partitions: [before(1n, 7), before(1n, -1)] }],
      timeoutMs: 5000
    }),
    call('an unknown topic', DeleteRecords, version, {
      topics: [{ name: 'delete-records-none', partitions: [before(1n)] }],
      timeoutMs: 5000
    })
  ]),
  remove('a topic that is not allowed', 0n, 'a b'),
  remove('from the offsets topic', 0n, '__consumer_offsets'),
  remove('from a partition that the offsets topic has not', 0n, '__consumer_offsets', 99),
  topic('delete-records-compact', 1, { 'cleanup.policy': 'compact' }),
  topic('delete-records-both', 1, { 'cleanup.policy': 'compact,delete' }),
  filled('delete-records-compact', [bytes(['a'])]),
  filled('delete-records-both', [bytes(['a'])]),
  ...[1n, -1n, 5n, -2n].flatMap(offset => [
    remove(`before ${offset} of a compacted topic`, offset, 'delete-records-compact'),
    remove(`before ${offset} of a compacted topic that may delete`, offset, 'delete-records-both')
  ]),
  call('several at once', DeleteRecords, 2, {
    topics: [
      { name: MAIN, partitions: [before(5n), before(-1n, 1), before(9n, 2), before(0n, 3)] },
      { name: 'delete-records-none', partitions: [before(0n)] },
      { name: 'delete-records-compact', partitions: [before(0n)] }
    ],
    timeoutMs: 5000
  }),
  call('a partition twice', DeleteRecords, 2, {
    topics: [{ name: MAIN, partitions: [before(100n), before(6n)] }],
    timeoutMs: 5000
  }),
  call('a topic twice', DeleteRecords, 2, {
    topics: [
      { name: MAIN, partitions: [before(6n)] },
      { name: MAIN, partitions: [before(1n, 1)] }
    ],
    timeoutMs: 5000
  }),
  call('a timeout of zero', DeleteRecords, 2, { topics: [{ name: MAIN, partitions: [before(6n)] }], timeoutMs: 0 }),
  call('no topics', DeleteRecords, 2, { topics: [], timeoutMs: 5000 }),
  call('no partitions', DeleteRecords, 2, { topics: [{ name: MAIN, partitions: [] }], timeoutMs: 5000 }),
  fetchBytes('what is left', 'delete-records-compact', 1),
  remove('all', -1n),
  remove('all again', -1n),
  start('the start in the end'),
  read('at the end', 7n),
  fetchAll('from the start', MAIN, 3),
  produced('the next record', bytes(['i']), MAIN),
  read('it is there', 7n)
]
