// Fetch: offsets, limits, waits, leader epochs, isolation levels, replicas, by topic name and id. Compares bytes,
// truncated batches included.
import { APIS } from '../../../../src/protocol/messages/index.ts'
import type { Session } from '../session.ts'
import { arrange, atEachVersion, call, delayed, type Step } from '../transcript.ts'
import { bytes, CODECS } from './batches.ts'
import { byId, fetched, LATEST, NOW, named } from './fetching.ts'
import { fill, filled } from './producing.ts'
import { withBytes } from './read.ts'
import { gone, topic } from './topic.ts'

const { CreatePartitions, DeleteRecords, DeleteTopics, Fetch } = APIS
const UNKNOWN_ID = 'AAAAAAAAAAAAAAAAAAAABQ'
const MAIN = 'fetch'
const OTHER = 'fetch-other'
/** A record of SIZE bytes makes a batch of BATCH bytes. */
const SIZE = 1000
const BATCH = bytes(['0'.repeat(SIZE)]).length

const offsets: Step[] = [
  topic(MAIN, 3),
  topic(OTHER),
  topic('fetch-empty'),
  filled(
    MAIN,
    Array.from({ length: 5 }, (_, n) => bytes([`${n}`.repeat(SIZE)]))
  ),
  filled(MAIN, [bytes(['p']), bytes(['q', 'r', 's'])], 1),
  filled(OTHER, [bytes(['t']), bytes(['u'])]),
  ...atEachVersion(
    'from the start',
    Fetch,
    version => session => ({ ...NOW, topics: [version < 13 ? named(MAIN) : byId(session, MAIN)] }),
    { compare: withBytes }
  ),
  ...atEachVersion('out of range and unknown', Fetch, version => session => {
    const partitions = [{ fetchOffset: 99n }, { partition: 9 }, { fetchOffset: -1n, partition: 1 }]
    const unknown = version < 13 ? { topic: 'fetch-none' } : { topicId: UNKNOWN_ID }
    const existing = version < 13 ? named(MAIN, ...partitions) : byId(session, MAIN, ...partitions)
    return { ...NOW, topics: [{ ...unknown, partitions: existing.partitions.slice(0, 1) }, existing] }
  }),
  ...[1n, 4n, 5n, 6n, 100n, -1n, -2n, 2n ** 63n - 1n].map(fetchOffset =>
    fetched(`from ${fetchOffset}`, [named(MAIN, { fetchOffset })])
  ),
  ...[0n, 1n, 2n, 3n, 4n].map(fetchOffset =>
    fetched(`from ${fetchOffset}, in a batch of three`, [named(MAIN, { partition: 1, fetchOffset })])
  ),
  fetched('an empty log', [named('fetch-empty')]),
  fetched('beyond an empty log', [named('fetch-empty', { fetchOffset: 1n })]),
  topic('fetch-deleted'),
  filled('fetch-deleted', [bytes(['a', 'b', 'c']), bytes(['d', 'e'])]),
  call('records are deleted', DeleteRecords, 2, {
    topics: [{ name: 'fetch-deleted', partitions: [{ partitionIndex: 0, offset: 2n }] }],
    timeoutMs: 5000
  }),
  ...[0n, 1n, 2n, 3n, 5n].map(fetchOffset =>
    fetched(`from ${fetchOffset} when the start is 2`, [named('fetch-deleted', { fetchOffset })])
  )
]

const LIMITS = [
  0,
  1,
  16,
  17,
  60,
  61,
  500,
  BATCH - 1,
  BATCH,
  BATCH + 1,
  2 * BATCH - 1,
  2 * BATCH,
  2 * BATCH + 70,
  1 << 20
]

const limits: Step[] = [
  ...LIMITS.flatMap(limit => [
    fetched(`at most ${limit} bytes a partition`, [named(MAIN, { partitionMaxBytes: limit })]),
    fetched(`at most ${limit} bytes`, [named(MAIN)], { maxBytes: limit }),
    fetched(
      `at most ${limit} bytes over three partitions`,
      [named(MAIN, { partition: 2 }, {}, { partition: 1 }), named(OTHER)],
      { maxBytes: limit }
    ),
    fetched(`at most ${limit} bytes for each of two`, [
      named(MAIN, { partitionMaxBytes: limit }, { partition: 1, partitionMaxBytes: limit }),
      named(OTHER, { partitionMaxBytes: limit })
    ])
  ]),
  fetched('the first partition has an error, the second a large batch', [
    named(MAIN, { fetchOffset: 99n, partitionMaxBytes: 1 }, { partition: 1, partitionMaxBytes: 1 }),
    named(OTHER, { partitionMaxBytes: 1 })
  ]),
  ...[-1, -100].flatMap(limit => [
    fetched(`${limit} bytes a partition`, [named(MAIN, { partitionMaxBytes: limit }, { partition: 1 })]),
    fetched(`${limit} bytes`, [named(MAIN)], { maxBytes: limit }),
    fetched(`${limit} bytes of an empty log`, [named('fetch-empty', { partitionMaxBytes: limit })])
  ]),
  ...CODECS.flatMap(codec => [
    topic(`fetch-${codec}`),
    filled(`fetch-${codec}`, [bytes(['a', 'b'], { codec }), bytes(['c', 'd', 'e'], { codec })]),
    ...[4, 9, 10].map(version => fetched(`${codec} records`, [named(`fetch-${codec}`)], { version })),
    fetched(`${codec} records from the middle`, [named(`fetch-${codec}`, { fetchOffset: 3n, partitionMaxBytes: 20 })])
  ]),
  topic('fetch-segments', 1, { 'segment.bytes': `${1 << 20}` }),
  filled(
    'fetch-segments',
    ['a', 'b', 'c'].map(value => bytes([value.repeat(600_000)]))
  ),
  fetched('a fetch ends with its segment', [named('fetch-segments', { partitionMaxBytes: 10 << 20 })]),
  fetched('the next segment', [named('fetch-segments', { fetchOffset: 1n, partitionMaxBytes: 10 << 20 })]),
  call('an older segment does not wait for more', Fetch, LATEST, {
    ...{ maxWaitMs: 15_000, minBytes: 50 << 20 },
    topics: [named('fetch-segments')]
  })
]

const names: Step[] = [
  fetched('an unknown topic', [named('fetch-none')]),
  fetched('a topic that is not allowed', [named('a b')]),
  fetched('an empty name', [named('')]),
  fetched('an unknown partition', [named(MAIN, { partition: 6 })]),
  fetched('a negative partition', [named(MAIN, { partition: -1 })]),
  fetched('a known one and unknown ones', [
    named('fetch-none'),
    named(MAIN, { partition: 9 }, { fetchOffset: 4n }),
    named(OTHER)
  ]),
  fetched(
    'by id, a known one and unknown ones',
    session => [
      { topicId: UNKNOWN_ID, partitions: named('').partitions },
      byId(session, MAIN, { partition: 9 }, { fetchOffset: 4n }),
      byId(session, OTHER)
    ],
    { version: 17 }
  ),
  fetched('the same partition twice', [named(MAIN, {}, { fetchOffset: 3n }), named(OTHER)]),
  fetched('the same topic twice', [
    named(MAIN, { fetchOffset: 4n }),
    named(OTHER),
    named(MAIN, { partition: 1 }, { fetchOffset: 3n })
  ]),
  fetched(
    'the same topic twice, by id',
    session => [
      byId(session, MAIN, { fetchOffset: 4n }),
      byId(session, OTHER),
      byId(session, MAIN, { partition: 1 }, { fetchOffset: 3n })
    ],
    { version: 17 }
  ),
  fetched('no topics', []),
  fetched('no partitions', [{ topic: MAIN, partitions: [] }]),
  ...[13, 17].flatMap(version => [
    fetched('an unknown id', [{ topicId: UNKNOWN_ID, partitions: named('').partitions }], { version }),
    fetched('no id', [{ partitions: named('').partitions }], { version }),
    fetched('an unknown partition', session => [byId(session, MAIN, { partition: 9 })], { version })
  ]),
  fetched('the offsets topic', [named('__consumer_offsets', { fetchOffset: 1n << 40n })])
]

const epochs: Step[] = [
  ...[0, 1, 7, -1, -2].flatMap(currentLeaderEpoch => [
    fetched(`with the epoch ${currentLeaderEpoch}`, [named(MAIN, { currentLeaderEpoch, fetchOffset: 4n })]),
    fetched(
      `with the epoch ${currentLeaderEpoch}, by id`,
      session => [byId(session, MAIN, { currentLeaderEpoch, fetchOffset: 4n })],
      { version: 17 }
    )
  ]),
  fetched('a wrong epoch and out of range', [named(MAIN, { currentLeaderEpoch: 4, fetchOffset: 99n })]),
  fetched('a wrong epoch of an unknown partition', [named(MAIN, { currentLeaderEpoch: 4, partition: 9 })]),
  ...[0, 1, 5, -1, -2].flatMap(lastFetchedEpoch =>
    [0n, 2n, 5n, 6n, 99n, -1n].map(fetchOffset =>
      fetched(`last fetched in epoch ${lastFetchedEpoch}, from ${fetchOffset}`, [
        named(MAIN, { fetchOffset, lastFetchedEpoch })
      ])
    )
  ),
  ...[0, 1].flatMap(lastFetchedEpoch =>
    [0n, 1n, 2n, 5n].map(fetchOffset =>
      fetched(`last fetched in epoch ${lastFetchedEpoch}, from ${fetchOffset}, when the start is 2`, [
        named('fetch-deleted', { fetchOffset, lastFetchedEpoch })
      ])
    )
  ),
  fetched('last fetched in an epoch of an empty log', [named('fetch-empty', { lastFetchedEpoch: 0 })]),
  fetched('last fetched in an epoch, with the epoch of now', [
    named(MAIN, { lastFetchedEpoch: 0, currentLeaderEpoch: 0, fetchOffset: 4n })
  ])
]

const readers: Step[] = [
  ...[4, 11, 12].map(version =>
    fetched('read committed', [named(MAIN, { fetchOffset: 4n })], { isolationLevel: 1, version })
  ),
  fetched('read committed, and errors', [named(MAIN, { fetchOffset: 99n }), named('fetch-none')], {
    isolationLevel: 1
  }),
  fetched('read committed, an empty log', [named('fetch-empty')], { isolationLevel: 1 }),
  ...[4, 12].flatMap(version =>
    [2, 7, -1].map(isolationLevel =>
      fetched(`isolation level ${isolationLevel}`, [named(MAIN), named(OTHER)], { isolationLevel, version })
    )
  ),
  fetched('an isolation level, by id', session => [byId(session, MAIN)], { isolationLevel: 2, version: 17 }),
  ...[5, 0, -2, -3].flatMap(replicaId => [
    fetched(`as replica ${replicaId}`, [named(MAIN, { fetchOffset: 4n }), named('fetch-none')], { replicaId }),
    fetched(`as replica ${replicaId}, with the epoch of now`, [named(MAIN, { currentLeaderEpoch: 0 })], { replicaId }),
    fetched(`as replica ${replicaId}, with an epoch to come`, [named(MAIN, { currentLeaderEpoch: 1 })], { replicaId }),
    fetched(`as replica ${replicaId}, an isolation level`, [named(MAIN)], { replicaId, isolationLevel: 9 }),
    ...[15, 17].map(version =>
      fetched(`as replica ${replicaId}`, session => [byId(session, MAIN, { fetchOffset: 4n })], {
        version,
        replicaState: { replicaId, replicaEpoch: -1n }
      })
    )
  ]),
  fetched('as the leader itself', [named(MAIN)], { replicaId: 1 }),
  fetched('with a rack', [named(MAIN, { fetchOffset: 4n })], { rackId: 'a' }),
  fetched('with a cluster id', [named(MAIN, { fetchOffset: 4n })], { clusterId: 'none' }),
  fetched('with a log start', [named(MAIN, { fetchOffset: 4n, logStartOffset: 3n })])
]

let waits = 0

/**
 * A fetch that waits during `act`; compares its response. The connection is opened first, so that the request arrives
 * before `act`.
 */
function delayedFetch(name: string, request: object, act: Step, version = LATEST): Step[] {
  const on = `waiting ${++waits}`
  const open = arrange(`${name}, the connection`, session =>
    session.sendRequest(Fetch, LATEST, { ...NOW, topics: [] }, on)
  )
  const { sent, answer } = delayed(
    name,
    Fetch,
    version,
    session => ({
      ...{ maxWaitMs: 15_000, minBytes: 1 },
      ...(typeof request === 'function' ? request(session) : request)
    }),
    { on, compare: withBytes }
  )
  return [open, sent, act, answer]
}

const append = (name: string, values: readonly string[], index = 0) =>
  arrange(`an append to ${name}`, session => fill(session, name, [bytes(values)], index))

const waiting: Step[] = [
  topic('fetch-waiting', 2),
  topic('fetch-doomed'),
  ...[50, 500].map(maxWaitMs =>
    call(`at the end, with a wait of ${maxWaitMs}`, Fetch, LATEST, {
      ...{ maxWaitMs, minBytes: 1 },
      topics: [named(MAIN, { fetchOffset: 5n })]
    })
  ),
  call('more bytes wanted than there are', Fetch, LATEST, { maxWaitMs: 50, minBytes: 1 << 20, topics: [named(MAIN)] }),
  ...[-1, 0].map(minBytes =>
    call(`${minBytes} bytes are enough`, Fetch, LATEST, {
      ...{ maxWaitMs: 15_000, minBytes },
      topics: [named(MAIN, { fetchOffset: 5n })]
    })
  ),
  call('a negative wait', Fetch, LATEST, { maxWaitMs: -1, minBytes: 1, topics: [named(MAIN, { fetchOffset: 5n })] }),
  call('an error does not wait', Fetch, LATEST, {
    maxWaitMs: 15_000,
    minBytes: 1,
    topics: [named(MAIN, { fetchOffset: 99n })]
  }),
  call('nothing to wait for', Fetch, LATEST, { maxWaitMs: 15_000, minBytes: 1, topics: [] }),
  call('only unknown ones to wait for', Fetch, LATEST, {
    maxWaitMs: 15_000,
    minBytes: 1,
    topics: [named('fetch-none')]
  }),
  call('a diverging epoch does not wait', Fetch, LATEST, {
    ...{ maxWaitMs: 15_000, minBytes: 1 },
    topics: [named(MAIN, { fetchOffset: 99n, lastFetchedEpoch: 0 })]
  }),
  call('more than the answer may hold is not waited for', Fetch, LATEST, {
    ...{ maxWaitMs: 15_000, minBytes: 1 << 20, maxBytes: 10 },
    topics: [named(MAIN)]
  }),
  ...delayedFetch('an append wakes it', { topics: [named('fetch-waiting')] }, append('fetch-waiting', ['a'])),
  ...delayedFetch(
    'an append to one of two wakes it',
    { topics: [named('fetch-waiting', { fetchOffset: 1n }, { partition: 1 })] },
    append('fetch-waiting', ['b'], 1)
  ),
  ...delayedFetch(
    'an append to an unknown one next to it wakes nothing',
    { maxWaitMs: 700, topics: [named('fetch-none'), named('fetch-waiting', { fetchOffset: 1n })] },
    append('fetch-other', ['v'])
  ),
  ...delayedFetch(
    'a small append is not enough',
    { maxWaitMs: 700, minBytes: 1000, topics: [named('fetch-waiting', { fetchOffset: 1n })] },
    append('fetch-waiting', ['c'])
  ),
  ...delayedFetch(
    'two appends are enough',
    { minBytes: 2 * bytes(['d']).length, topics: [named('fetch-waiting', { fetchOffset: 2n })] },
    arrange('two appends', async session => {
      await fill(session, 'fetch-waiting', [bytes(['d']), bytes(['e'])])
    })
  ),
  ...delayedFetch(
    'what a partition may give does not reach the least',
    { maxWaitMs: 700, minBytes: 5000, topics: [named('fetch-waiting', { fetchOffset: 4n, partitionMaxBytes: 100 })] },
    append('fetch-waiting', ['f'.repeat(6000)])
  ),
  ...delayedFetch(
    'the topic is deleted',
    { topics: [named('fetch-doomed')] },
    arrange('the topic is deleted', session =>
      session.sendRequest(DeleteTopics, 6, { topics: [{ name: 'fetch-doomed' }], timeoutMs: 30_000 })
    )
  ),
  gone('fetch-doomed'),
  topic('fetch-doomed'),
  ...delayedFetch(
    'the topic is deleted, by id',
    (session: Session) => ({ topics: [byId(session, 'fetch-doomed')] }),
    arrange('the topic is deleted', session =>
      session.sendRequest(DeleteTopics, 6, { topics: [{ name: 'fetch-doomed' }], timeoutMs: 30_000 })
    ),
    17
  ),
  gone('fetch-doomed'),
  ...delayedFetch(
    'partitions are added',
    { maxWaitMs: 700, topics: [named('fetch-empty')] },
    arrange('partitions are added', session =>
      session.sendRequest(CreatePartitions, 3, {
        topics: [{ name: 'fetch-empty', count: 2, assignments: null }],
        timeoutMs: 30_000
      })
    )
  ),
  ...delayedFetch(
    'records are deleted',
    { maxWaitMs: 700, topics: [named(MAIN, { fetchOffset: 5n })] },
    call('meanwhile records are deleted', DeleteRecords, 2, {
      topics: [{ name: MAIN, partitions: [{ partitionIndex: 0, offset: -1n }] }],
      timeoutMs: 5000
    })
  )
]

export const fetch: Step[] = [...offsets, ...limits, ...names, ...epochs, ...readers, ...waiting]
