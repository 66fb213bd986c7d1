// Fetch: limits, waiting, sessions, offsets out of range, epochs, by name and by id.
import { APIS } from '../../../../src/protocol/messages/index.ts'
import type { Session } from '../session.ts'
import { arrange, atEachVersion, call, parked, type Step } from '../transcript.ts'
import { bytes } from './batches.ts'
import { gone, idOf, topic } from './topic.ts'

const { DeleteTopics, Fetch, Produce } = APIS
const UNKNOWN_ID = 'AAAAAAAAAAAAAAAAAAAABQ'
const NOW = { maxWaitMs: 0, minBytes: 0 }
const SIZE = 1000

interface Asked {
  readonly partition?: number
  readonly fetchOffset?: bigint
  readonly partitionMaxBytes?: number
  readonly currentLeaderEpoch?: number
  readonly lastFetchedEpoch?: number
  readonly logStartOffset?: bigint
}

const asked = (more: Asked = {}) => ({ partition: 0, fetchOffset: 0n, partitionMaxBytes: 1 << 20, ...more })
const from = (more: Asked = {}, name = 'fetch') => ({ topic: name, partitions: [asked(more)] })
const fetching = (name: string, more: Asked, rest: object = {}) =>
  call(name, Fetch, 12, { ...NOW, topics: [from(more)], ...rest })
const byId = (session: Session, name: string, more: Asked = {}) => ({
  topicId: idOf(session, name),
  partitions: [asked(more)]
})

async function fill(session: Session, name: string, values: readonly string[], index = 0): Promise<void> {
  for (const value of values) {
    const topicData = [{ name, partitionData: [{ index, records: bytes([value]) }] }]
    await session.ask(Produce, 9, { transactionalId: null, acks: -1, timeoutMs: 5000, topicData })
  }
}

const single: Step[] = [
  topic('fetch', 2),
  topic('fetch-other'),
  topic('fetch-empty'),
  arrange('they are filled', async session => {
    await fill(
      session,
      'fetch',
      Array.from({ length: 5 }, (_, n) => `${n}`.repeat(SIZE))
    )
    await fill(session, 'fetch', ['p', 'q'], 1)
    await fill(session, 'fetch-other', ['r', 's'])
  }),
  ...atEachVersion('from the start', Fetch, version => (session: Session) => ({
    ...NOW,
    topics: [version < 13 ? from() : byId(session, 'fetch')]
  })),
  ...[1n, 4n, 5n, 6n, 100n, -1n, -2n].map(offset => fetching(`from ${offset}`, { fetchOffset: offset })),
  ...[0, 1, 500, SIZE + 200, 2 * SIZE + 400, -1].flatMap(limit => [
    fetching(`at most ${limit} bytes a partition`, { partitionMaxBytes: limit }),
    fetching(`at most ${limit} bytes`, {}, { maxBytes: limit })
  ]),
  call('at most a batch over two partitions', Fetch, 12, {
    ...{ ...NOW, maxBytes: SIZE + 300 },
    topics: [{ topic: 'fetch', partitions: [asked(), asked({ partition: 1 })] }]
  }),
  call('at most a batch over two topics', Fetch, 12, {
    ...{ ...NOW, maxBytes: 10 },
    topics: [from({}, 'fetch-other'), from({ partition: 1 })]
  }),
  call('an empty topic', Fetch, 12, { ...NOW, topics: [from({}, 'fetch-empty')] }),
  call('an unknown topic', Fetch, 12, { ...NOW, topics: [from({}, 'fetch-none')] }),
  call('an unknown partition', Fetch, 12, { ...NOW, topics: [from({ partition: 6 })] }),
  call('a negative partition', Fetch, 12, { ...NOW, topics: [from({ partition: -1 })] }),
  call('a known and an unknown one', Fetch, 12, { ...NOW, topics: [from(), from({}, 'fetch-none')] }),
  call('the same partition twice', Fetch, 12, {
    ...NOW,
    topics: [{ topic: 'fetch', partitions: [asked(), asked({ fetchOffset: 2n })] }]
  }),
  call('no topics', Fetch, 12, { ...NOW, topics: [] }),
  call('an unknown id', Fetch, 13, { ...NOW, topics: [{ topicId: UNKNOWN_ID, partitions: [asked()] }] }),
  call('no id', Fetch, 13, { ...NOW, topics: [{ partitions: [asked()] }] }),
  ...[0, 1, -1].map(epoch => fetching(`with the epoch ${epoch}`, { currentLeaderEpoch: epoch })),
  ...[0, 1, 5, -1].map(epoch =>
    fetching(`last fetched in epoch ${epoch}`, { fetchOffset: 2n, lastFetchedEpoch: epoch })
  ),
  fetching('read committed', {}, { isolationLevel: 1 }),
  fetching('an unknown isolation level', {}, { isolationLevel: 7 }),
  fetching('as a follower that is none', {}, { replicaId: 5 }),
  fetching('as a debugging consumer', {}, { replicaId: -2 }),
  fetching('with a rack', {}, { rackId: 'a' }),
  fetching('with a cluster id', {}, { clusterId: 'none' })
]

const waiting: Step[] = [
  call('at the end with a short wait', Fetch, 12, { maxWaitMs: 50, minBytes: 1, topics: [from({ fetchOffset: 5n })] }),
  call('more bytes wanted than there are', Fetch, 12, { maxWaitMs: 50, minBytes: 1 << 20, topics: [from()] }),
  call('an error does not wait', Fetch, 12, { maxWaitMs: 4_000, minBytes: 1, topics: [from({ fetchOffset: 99n })] }),
  ...(() => {
    const { sent, answer } = parked(
      'an append wakes it',
      Fetch,
      12,
      {
        ...{ maxWaitMs: 4_000, minBytes: 1, topics: [from({ fetchOffset: 2n }, 'fetch-other')] }
      },
      { on: 'waiting' }
    )
    return [sent, arrange('an append', session => fill(session, 'fetch-other', ['t'])), answer]
  })()
]

const first = call('a session begins', Fetch, 12, {
  ...{ ...NOW, sessionId: 0, sessionEpoch: 0 },
  topics: [{ topic: 'fetch', partitions: [asked(), asked({ partition: 1 })] }]
})
const inSession = (name: string, sessionEpoch: number, topics: ReturnType<typeof from>[] = [], more: object = {}) =>
  call(name, Fetch, 12, (session: Session) => ({
    ...{ ...NOW, sessionId: first.answerTo(session).sessionId, sessionEpoch, topics },
    ...more
  }))
const withId = call('a session by id begins', Fetch, 16, (session: Session) => ({
  ...{ ...NOW, sessionId: 0, sessionEpoch: 0, topics: [byId(session, 'fetch-doomed')] }
}))

const sessions: Step[] = [
  first,
  inSession('nothing is changed', 1, [
    { topic: 'fetch', partitions: [asked({ fetchOffset: 5n }), asked({ partition: 1, fetchOffset: 2n })] }
  ]),
  inSession('nothing is new', 2),
  arrange('an append', session => fill(session, 'fetch', ['u'], 1)),
  inSession('one partition is new', 3),
  inSession('it is still there', 4),
  inSession('it was read', 5, [from({ partition: 1, fetchOffset: 3n })]),
  inSession('a topic is added', 6, [from({}, 'fetch-other')]),
  inSession('an unknown one is added', 7, [from({}, 'fetch-none')]),
  inSession('it stays unknown', 8),
  inSession('out of range', 9, [from({ fetchOffset: 99n })]),
  inSession('still out of range', 10),
  inSession('partitions are forgotten', 11, [], {
    forgottenTopicsData: [
      { topic: 'fetch', partitions: [0] },
      { topic: 'fetch-none', partitions: [0] }
    ]
  }),
  inSession('the wrong epoch', 3),
  inSession('the right epoch after it', 12),
  inSession('the session ends', -1, [from({ fetchOffset: 4n })]),
  inSession('it is gone', 1),
  call('an unknown session', Fetch, 12, { ...NOW, sessionId: 12_345, sessionEpoch: 1, topics: [from()] }),
  call('no session, later epoch', Fetch, 12, {
    ...NOW,
    sessionId: 0,
    sessionEpoch: 3,
    topics: [from({ fetchOffset: 4n })]
  }),
  topic('fetch-doomed'),
  withId,
  arrange('the topic is deleted', session =>
    session.ask(DeleteTopics, 6, { topics: [{ name: 'fetch-doomed' }], timeoutMs: 30_000 })
  ),
  gone('fetch-doomed'),
  call('a topic of the session is gone', Fetch, 16, (session: Session) => ({
    ...{ ...NOW, sessionId: withId.answerTo(session).sessionId, sessionEpoch: 1, topics: [] }
  }))
]

export const fetch: Step[] = [...single, ...waiting, ...sessions]
