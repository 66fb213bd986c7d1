// ListOffsets: earliest and latest offsets, offsets by timestamp.
import { APIS } from '../../../../src/protocol/messages/index.ts'
import { arrange, atEachVersion, call, type Step } from '../transcript.ts'
import { bytes, CODECS, TIME } from './batches.ts'
import { filled } from './producing.ts'
import { topic } from './topic.ts'

const { DeleteRecords, ListOffsets } = APIS
const MAIN = 'list-offsets'
const SPECIAL = [-1n, -2n, -3n, -4n, -5n, -6n, -7n, -8n]

interface Asked {
  readonly partitionIndex?: number
  readonly currentLeaderEpoch?: number
}

const at = (timestamp: bigint, more: Asked = {}) => ({ partitionIndex: 0, timestamp, ...more })
const asked = (timestamp: bigint, name = MAIN, more: Asked = {}) => ({
  topics: [{ name, partitions: [at(timestamp, more)] }]
})
const list = (name: string, timestamp: bigint, topicName = MAIN, more: Asked = {}) =>
  call(name, ListOffsets, 11, asked(timestamp, topicName, more))

const versions: Step[] = [
  topic(MAIN, 2),
  filled(MAIN, [
    bytes(['a', 'b', 'c'], { time: TIME }),
    bytes(['d', 'e'], { time: TIME + 10_000n }),
    bytes(['f'], { time: TIME + 20_000n }),
    bytes(['g'], { time: TIME + 5000n })
  ]),
  ...[...SPECIAL, 0n, TIME].flatMap(timestamp => atEachVersion(`at ${timestamp}`, ListOffsets, () => asked(timestamp))),
  ...[-1n, 0n, 1n, 1000n, 1001n, 2000n, 2001n, 5000n, 9999n, 10_000n, 10_001n, 11_000n, 11_001n, 20_000n, 20_001n].map(
    delta => list(`${delta} ms after the first`, TIME + delta)
  ),
  list('the largest time', 2n ** 63n - 1n),
  list('the least time', -(2n ** 63n))
]

/** Finds records inside compressed batches, and the first of several records with the maximum timestamp. */
const insideBatches: Step[] = CODECS.flatMap(codec => {
  const name = `list-offsets-${codec}`
  return [
    topic(name),
    filled(name, [
      bytes(['a', 'b', 'c'], { codec }),
      bytes(['d', 'e', 'f', 'g'], { codec, time: TIME + 1000n }),
      bytes(['h', 'i'], { codec, time: TIME + 3000n })
    ]),
    ...[0n, 1500n, 2000n, 2500n, 4000n, 4001n].map(delta =>
      list(`${delta} ms after the first, ${codec}`, TIME + delta, name)
    ),
    list(`the largest time, ${codec}`, -3n, name)
  ]
})

const appendTime: Step[] = [
  topic('list-offsets-appended', 1, { 'message.timestamp.type': 'LogAppendTime' }),
  filled('list-offsets-appended', [bytes(['a', 'b', 'c'])]),
  // The first of several batches with the same timestamp is found: two batches within a millisecond would count as one.
  arrange('the clock moves on', async session => {
    for (const start = Date.now(); Date.now() === start; ) await session.sendRequest(ListOffsets, 11, asked(-1n))
  }),
  filled('list-offsets-appended', [bytes(['d', 'e'], { codec: 'gzip' })]),
  ...[-3n, 0n, TIME].map(timestamp => list(`append time at ${timestamp}`, timestamp, 'list-offsets-appended')),
  call('append time, a day from now', ListOffsets, 11, () =>
    asked(BigInt(Date.now()) + 86_400_000n, 'list-offsets-appended')
  ),
  topic('list-offsets-timeless'),
  filled('list-offsets-timeless', [bytes(['a'], { time: -1n }), bytes(['b'], { time: -1n })]),
  ...[...SPECIAL.slice(0, 6), 0n].map(timestamp =>
    list(`records without time at ${timestamp}`, timestamp, 'list-offsets-timeless')
  )
]

/** A segment of 1 MiB has room for only one batch of 600 kB. Timestamps increase and decrease. */
const segments: Step[] = [
  topic('list-offsets-segments', 1, { 'segment.bytes': `${1 << 20}` }),
  filled(
    'list-offsets-segments',
    [0n, 20_000n, 10_000n, 5000n].map(delta => bytes(['x'.repeat(600_000), 'y'], { time: TIME + delta }))
  ),
  ...[...SPECIAL.slice(0, 6), 0n].map(timestamp =>
    list(`over segments, at ${timestamp}`, timestamp, 'list-offsets-segments')
  ),
  ...[1n, 1000n, 1001n, 6000n, 10_000n, 15_000n, 21_000n, 21_001n].map(delta =>
    list(`over segments, ${delta} ms after the first`, TIME + delta, 'list-offsets-segments')
  ),
  call('records are deleted over segments', DeleteRecords, 2, {
    topics: [{ name: 'list-offsets-segments', partitions: [{ partitionIndex: 0, offset: 3n }] }],
    timeoutMs: 5000
  }),
  ...[...SPECIAL.slice(0, 6), 0n, TIME + 1000n, TIME + 20_000n, TIME + 21_000n].map(timestamp =>
    list(`over segments when the first are deleted, at ${timestamp}`, timestamp, 'list-offsets-segments')
  )
]

const emptyLogs: Step[] = [
  topic('list-offsets-empty'),
  ...[...SPECIAL, 0n, TIME].map(timestamp => list(`an empty log at ${timestamp}`, timestamp, 'list-offsets-empty')),
  ...[1, 3, 4].flatMap(version =>
    [-1n, -2n].map(timestamp =>
      call(`an empty log at ${timestamp}`, ListOffsets, version, asked(timestamp, 'list-offsets-empty'))
    )
  )
]

const requests: Step[] = [
  ...[2, 7, 11].flatMap(version => [
    call('read committed', ListOffsets, version, { isolationLevel: 1, ...asked(-1n) }),
    call('read committed, at a time', ListOffsets, version, { isolationLevel: 1, ...asked(TIME + 1n) }),
    ...[2, 9, -1].map(isolationLevel =>
      call(`isolation level ${isolationLevel}`, ListOffsets, version, { isolationLevel, ...asked(-1n) })
    )
  ]),
  ...[1, 11].flatMap(version => [
    call('an unknown topic', ListOffsets, version, asked(-1n, 'list-offsets-none')),
    call('a topic that is not allowed', ListOffsets, version, asked(-1n, 'a b')),
    call('an unknown partition', ListOffsets, version, asked(-1n, MAIN, { partitionIndex: 5 })),
    call('a negative partition', ListOffsets, version, asked(-1n, MAIN, { partitionIndex: -1 }))
  ]),
  call('what is wrong and an unknown topic', ListOffsets, 11, asked(-9n, 'list-offsets-none')),
  ...[1, 11].flatMap(version => [
    call('a partition twice', ListOffsets, version, {
      topics: [{ name: MAIN, partitions: [at(-1n), at(-2n), at(-1n, { partitionIndex: 1 })] }]
    }),
    call('a topic twice', ListOffsets, version, {
      topics: [
        { name: MAIN, partitions: [at(-1n), at(-2n, { partitionIndex: 1 })] },
        { name: 'list-offsets-empty', partitions: [at(-1n)] },
        { name: MAIN, partitions: [at(-2n)] }
      ]
    }),
    call('a topic in two pieces', ListOffsets, version, {
      topics: [
        { name: MAIN, partitions: [at(-1n)] },
        { name: MAIN, partitions: [at(-1n, { partitionIndex: 1 })] }
      ]
    })
  ]),
  call('an unknown partition twice', ListOffsets, 11, {
    topics: [{ name: 'list-offsets-none', partitions: [at(-1n), at(-1n)] }]
  }),
  ...[-1, 0, 1, 5, -2].flatMap(currentLeaderEpoch =>
    [-1n, -2n, -3n, 0n].map(timestamp =>
      list(`with the epoch ${currentLeaderEpoch} at ${timestamp}`, timestamp, MAIN, { currentLeaderEpoch })
    )
  ),
  list('an epoch to come of an unknown partition', -1n, MAIN, { partitionIndex: 5, currentLeaderEpoch: 5 }),
  ...[2, 0, -2, -3].flatMap(replicaId => [
    call(`as replica ${replicaId}`, ListOffsets, 11, { replicaId, ...asked(-1n) }),
    call(`as replica ${replicaId}, at a time`, ListOffsets, 11, { replicaId, ...asked(TIME) })
  ]),
  call('with a timeout', ListOffsets, 11, { ...asked(-1n), timeoutMs: 1 }),
  call('no topics', ListOffsets, 11, { topics: [] }),
  call('no partitions', ListOffsets, 11, { topics: [{ name: MAIN, partitions: [] }] })
]

const afterDeletion: Step[] = [
  call('records are deleted', DeleteRecords, 2, {
    topics: [{ name: MAIN, partitions: [{ partitionIndex: 0, offset: 4n }] }],
    timeoutMs: 5000
  }),
  ...[...SPECIAL, 0n, TIME, TIME + 10_000n, TIME + 11_000n].map(timestamp =>
    list(`when the first are deleted, at ${timestamp}`, timestamp)
  ),
  call('all records are deleted', DeleteRecords, 2, {
    topics: [{ name: MAIN, partitions: [{ partitionIndex: 0, offset: -1n }] }],
    timeoutMs: 5000
  }),
  ...[...SPECIAL, 0n, TIME + 20_000n].map(timestamp => list(`when all are deleted, at ${timestamp}`, timestamp))
]

export const listOffsets: Step[] = [
  ...versions,
  ...insideBatches,
  ...appendTime,
  ...segments,
  ...emptyLogs,
  ...requests,
  ...afterDeletion
]
