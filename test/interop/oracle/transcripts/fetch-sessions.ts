// Incremental fetch sessions: their state, partitions that responses leave out, and their end.
import { APIS } from '../../../../src/protocol/messages/index.ts'
import type { Session } from '../session.ts'
import { arrange, type Call, call, delayed, type Step } from '../transcript.ts'
import { bytes } from './batches.ts'
import { byId, fetched, LATEST, NOW, named } from './fetching.ts'
import { fill, filled } from './producing.ts'
import { gone, idOf, topic } from './topic.ts'

const { DeleteRecords, DeleteTopics, Fetch } = APIS
const MAIN = 'sessions'
const OTHER = 'sessions-other'
const UNKNOWN_ID = 'AAAAAAAAAAAAAAAAAAAABQ'
type FetchCall = Call<typeof Fetch>
type Topics = ReturnType<typeof named>[] | ((session: Session) => ReturnType<typeof byId>[])

/** Steps of one session, which `first` has opened. */
function inSession(first: FetchCall, version = LATEST) {
  return (name: string, sessionEpoch: number, topics: Topics = [], more: object = {}): FetchCall =>
    call(name, Fetch, version, session => ({
      ...NOW,
      sessionId: first.answerTo(session).sessionId,
      sessionEpoch,
      topics: typeof topics === 'function' ? topics(session) : topics,
      ...more
    }))
}

const opened = (name: string, topics: ReturnType<typeof named>[], version = LATEST) =>
  fetched(name, topics, { version, sessionId: 0, sessionEpoch: 0 })
const openedById = (name: string, topics: (session: Session) => ReturnType<typeof byId>[], version = 17) =>
  fetched(name, topics, { version, sessionId: 0, sessionEpoch: 0 })
const append = (name: string, values: readonly string[], index = 0) =>
  arrange(`an append to ${name}`, session => fill(session, name, [bytes(values)], index))

const first = opened('a session begins', [named(MAIN, {}, { partition: 1 })])
const next = inSession(first)

const life: Step[] = [
  topic(MAIN, 3),
  topic(OTHER),
  filled(MAIN, [bytes(['a']), bytes(['b'])]),
  filled(MAIN, [bytes(['c'])], 1),
  filled(OTHER, [bytes(['d'])]),
  first,
  next('nothing is changed', 1, [named(MAIN, { fetchOffset: 2n }, { partition: 1, fetchOffset: 1n })]),
  next('nothing is new', 2),
  append(MAIN, ['e'], 1),
  next('one partition is new', 3),
  next('it is still there', 4),
  next('it was read', 5, [named(MAIN, { partition: 1, fetchOffset: 2n })]),
  next('a topic is added', 6, [named(OTHER)]),
  next('an empty partition is added', 7, [named(MAIN, { partition: 2 })]),
  next('an unknown one is added', 8, [named('sessions-none')]),
  next('it stays unknown', 9),
  next('out of range', 10, [named(MAIN, { fetchOffset: 99n })]),
  next('still out of range', 11),
  next('in range again', 12, [named(MAIN, { fetchOffset: 2n })]),
  next('and nothing new of it', 13),
  next('with an epoch to come', 14, [named(MAIN, { fetchOffset: 2n, currentLeaderEpoch: 5 })]),
  next('with a diverging epoch', 15, [named(MAIN, { fetchOffset: 9n, lastFetchedEpoch: 0 })]),
  next('still diverging', 16),
  next('partitions are forgotten', 17, [], {
    forgottenTopicsData: [
      { topic: MAIN, partitions: [0] },
      { topic: 'sessions-none', partitions: [0, 5] }
    ]
  }),
  next('one is forgotten and added again', 18, [named(MAIN, { partition: 1, fetchOffset: 1n })], {
    forgottenTopicsData: [{ topic: MAIN, partitions: [1] }]
  }),
  next('a partition twice', 19, [named(MAIN, { fetchOffset: 99n }, { fetchOffset: 1n })]),
  next('of another isolation level', 20, [], { isolationLevel: 1 }),
  next('of an isolation level that is none', 21, [], { isolationLevel: 7 }),
  next('after it', 22),
  call('records are deleted', DeleteRecords, 2, {
    topics: [{ name: OTHER, partitions: [{ partitionIndex: 0, offset: -1n }] }],
    timeoutMs: 5000
  }),
  next('the start of a log has moved', 23, [named(OTHER, { fetchOffset: 1n })]),
  next('and does not move again', 24),
  next('the least bytes', 25, [], { maxBytes: 1 }),
  next('the rest', 26, [], { maxBytes: 1 })
]

const epochs: Step[] = [
  next('an old epoch', 3),
  next('an epoch to come', 99),
  next('the same one again', 26),
  next('a negative epoch', -2),
  next('the right epoch after all that', 27),
  call('by id, a session of names', Fetch, 17, session => ({
    ...{ ...NOW, sessionId: first.answerTo(session).sessionId, sessionEpoch: 28 },
    topics: [byId(session, MAIN)]
  })),
  next('it lives on', 28),
  ...[7, 9].map((version, index) => inSession(first, version)(`in version ${version}`, 29 + index)),
  next('it ends with a last fetch', -1, [named(MAIN, { fetchOffset: 1n })]),
  next('it is gone', 31),
  next('it is gone for its end too', -1, [named(MAIN, { fetchOffset: 1n })]),
  ...[7, LATEST].flatMap(version => [
    fetched('an unknown session', [named(MAIN)], { version, sessionId: 12_345, sessionEpoch: 1 }),
    fetched('an unknown session ends', [named(MAIN)], { version, sessionId: 12_345, sessionEpoch: -1 }),
    fetched('no session, a later epoch', [named(MAIN)], { version, sessionId: 0, sessionEpoch: 3 }),
    fetched('no session, no epoch', [named(MAIN)], { version, sessionId: 0, sessionEpoch: -1 })
  ]),
  fetched('a negative session', [named(MAIN)], { sessionId: -5, sessionEpoch: 0 }),
  fetched('an unknown session and what is unknown', [named('sessions-none')], { sessionId: 77, sessionEpoch: 4 })
]

const renewed = opened('a session', [named(MAIN)])
const again = call('it begins again', Fetch, LATEST, session => ({
  ...{ ...NOW, sessionId: renewed.answerTo(session).sessionId, sessionEpoch: 0 },
  topics: [named(MAIN, { partition: 1 })]
}))
const emptied = opened('a session of one partition', [named(MAIN)])
const none = opened('a session of nothing', [])
const unknown = opened('a session of an unknown topic', [named('sessions-none')])
const failing = opened('a session of one out of range', [named(MAIN, { fetchOffset: 99n })])

const ends: Step[] = [
  renewed,
  again,
  inSession(renewed)('the first one is gone', 1),
  inSession(again)('the second lives', 1),
  emptied,
  inSession(emptied)('its last partition is forgotten', 1, [], {
    forgottenTopicsData: [{ topic: MAIN, partitions: [0] }]
  }),
  inSession(emptied)('then it is gone', 2),
  none,
  inSession(none)('the session continues', 1),
  inSession(none)('with a partition', 1, [named(MAIN)]),
  inSession(none)('and after it', 2),
  unknown,
  inSession(unknown)('the unknown topic is still reported', 1),
  failing,
  inSession(failing)('the partition is still out of range', 1),
  ...[7, 10].flatMap(version => {
    const begun = opened(`in version ${version}`, [named(MAIN)], version)
    return [begun, inSession(begun, version)(`in version ${version}`, 1)]
  })
]

const order = opened('a session of three', [
  named(MAIN, { fetchOffset: 2n }, { partition: 1, fetchOffset: 2n }),
  named(OTHER, { fetchOffset: 1n })
])

/** A partition with data moves to the end of the session. */
const fairness: Step[] = [
  order,
  arrange('all get records', async session => {
    await fill(session, MAIN, [bytes(['m'])])
    await fill(session, MAIN, [bytes(['n'])], 1)
    await fill(session, OTHER, [bytes(['o'])])
  }),
  ...[1, 2, 3, 4].map(epoch => inSession(order)('one batch at a time', epoch, [], { maxBytes: 1 }))
]

/** Without a topic id of zero: Kafka's handler then fails for the rest of the session. */
const ids = openedById('a session by id', session => [byId(session, MAIN), byId(session, 'sessions-doomed')])
const nextById = inSession(ids, 17)

const byIds: Step[] = [
  topic('sessions-doomed'),
  filled('sessions-doomed', [bytes(['x'])]),
  ids,
  nextById('the same again', 1),
  nextById('an unknown id', 2, session => [{ ...byId(session, MAIN), topicId: UNKNOWN_ID }]),
  inSession(ids)('by name', 3, [named(MAIN)]),
  nextById('the unknown one is forgotten', 3, [], { forgottenTopicsData: [{ topicId: UNKNOWN_ID, partitions: [0] }] }),
  call('read to the end', Fetch, 17, session => ({
    ...{ ...NOW, sessionId: ids.answerTo(session).sessionId, sessionEpoch: 4 },
    topics: [byId(session, MAIN, { fetchOffset: 3n }), byId(session, 'sessions-doomed', { fetchOffset: 1n })]
  })),
  arrange('the topic is deleted', session =>
    session.sendRequest(DeleteTopics, 6, { topics: [{ name: 'sessions-doomed' }], timeoutMs: 30_000 })
  ),
  gone('sessions-doomed'),
  nextById('a topic of the session is gone', 5),
  nextById('it stays gone', 6),
  arrange('its old id', async session => session.remember('old id', idOf(session, 'sessions-doomed'))),
  topic('sessions-doomed'),
  nextById('another topic has its name', 7),
  call('a new session by the old id', Fetch, 17, session => ({
    ...{ ...NOW, sessionId: 0, sessionEpoch: 0 },
    topics: [{ ...byId(session, MAIN), topicId: `${session.recall('old id')}` }]
  })),
  call('the new id is added', Fetch, 17, session => ({
    ...{ ...NOW, sessionId: ids.answerTo(session).sessionId, sessionEpoch: 8 },
    topics: [byId(session, 'sessions-doomed')],
    forgottenTopicsData: [{ topicId: `${session.recall('old id')}`, partitions: [0] }]
  }))
]

const byName = opened('a session by name', [named('sessions-renewed')])

/** A session with topic names continues with a recreated topic. */
const names: Step[] = [
  topic('sessions-renewed'),
  filled('sessions-renewed', [bytes(['x'])]),
  byName,
  arrange('the topic is deleted', session =>
    session.sendRequest(DeleteTopics, 6, { topics: [{ name: 'sessions-renewed' }], timeoutMs: 30_000 })
  ),
  gone('sessions-renewed'),
  inSession(byName)('its topic is gone', 1),
  topic('sessions-renewed'),
  inSession(byName)('it is there again, and empty', 2),
  filled('sessions-renewed', [bytes(['y'])]),
  inSession(byName)('and filled', 3)
]

const waitingSession = opened('a session that will wait', [
  named(MAIN, { partition: 2 }),
  named(OTHER, { fetchOffset: 9n })
])
const { sent, answer } = delayed(
  'an append wakes it',
  Fetch,
  LATEST,
  session => ({
    ...{ maxWaitMs: 15_000, minBytes: 1, sessionId: waitingSession.answerTo(session).sessionId, sessionEpoch: 1 },
    topics: [named(OTHER, { fetchOffset: 2n })]
  }),
  { on: 'waiting' }
)

const waiting: Step[] = [
  waitingSession,
  sent,
  append(MAIN, ['z'], 2),
  answer,
  call('an error in it does not wait', Fetch, LATEST, session => ({
    ...{ maxWaitMs: 15_000, minBytes: 1, sessionId: waitingSession.answerTo(session).sessionId, sessionEpoch: 2 },
    topics: [named(MAIN, { partition: 2, fetchOffset: 1n }), named(OTHER, { fetchOffset: 99n })]
  }))
]

const holding = opened('a session that is held', [named(MAIN)])

/** A broker keeps a thousand sessions. A session is not evicted before it is two minutes old. */
const many: Step[] = [
  holding,
  arrange('as many sessions as there can be', async session => {
    const request = { ...NOW, sessionId: 0, sessionEpoch: 0, topics: [named(MAIN)] }
    const ids: number[] = []
    for (let count = 0; count < 1200; count++) {
      const answer = await session.sendRequest(Fetch, LATEST, request)
      if (typeof answer !== 'string' && answer.sessionId !== 0) ids.push(answer.sessionId)
    }
    session.remember('many sessions', ids)
  }),
  opened('one more', [named(MAIN)]),
  opened('a larger one', [named(MAIN, {}, { partition: 1 }, { partition: 2 })]),
  inSession(holding)('an old session continues', 1),
  inSession(holding)('it ends', -1),
  arrange('so do all others', async session => {
    const request = { ...NOW, sessionEpoch: -1, topics: [] }
    for (const sessionId of session.recall('many sessions') as number[]) {
      await session.sendRequest(Fetch, LATEST, { ...request, sessionId })
    }
  }),
  opened('there is room again', [named(MAIN)])
]

export const fetchSessions: Step[] = [...life, ...epochs, ...ends, ...fairness, ...byIds, ...names, ...waiting, ...many]
