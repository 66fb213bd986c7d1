// Fetch sessions of read_committed consumers during transactions.
import { APIS } from '../../../../src/protocol/messages/index.ts'
import { call, type Step } from '../transcript.ts'
import { topic } from './topic.ts'
import type { Transactional } from './transactional.ts'

const { Fetch } = APIS
const V2 = { version: 12 }
const END = { version: 5 }

const fetchSession = (name: string, more: object): Step =>
  call(
    name,
    Fetch,
    12,
    session => ({
      ...{ maxWaitMs: 0, minBytes: 0, isolationLevel: 1, sessionId: 0, sessionEpoch: -1, topics: [] },
      ...more,
      ...('sessionEpoch' in more && more.sessionEpoch !== 0
        ? { sessionId: Number(session.recall('fetch session')) }
        : {})
    }),
    {
      compare: (answer, session) => {
        if (answer.sessionId !== 0) session.remember('fetch session', answer.sessionId)
        const { sessionId, ...rest } = answer
        return { ...rest, hasSession: sessionId !== 0 }
      }
    }
  )

const READ = 'txn-read'
/** Fetches of one session while transactions of `producer` begin and end. */
export const committedReads = (producer: Transactional): Step[] => [
  topic(READ, 2),
  producer.init('a producer'),
  fetchSession('a session', {
    sessionEpoch: 0,
    topics: [
      { topic: READ, partitions: [0, 1].map(partition => ({ partition, fetchOffset: 0n, partitionMaxBytes: 99_999 })) }
    ]
  }),
  producer.write('a batch', READ, V2),
  fetchSession('while it is open', { sessionEpoch: 1 }),
  fetchSession('while it is open, again', { sessionEpoch: 2 }),
  ...producer.commit('it commits', END),
  fetchSession('after the end', { sessionEpoch: 3 }),
  fetchSession('continues', {
    sessionEpoch: 4,
    topics: [{ topic: READ, partitions: [{ partition: 0, fetchOffset: 2n, partitionMaxBytes: 99_999 }] }]
  }),
  producer.write('a batch', READ, V2),
  ...producer.abort('it aborts', END),
  fetchSession('after an abort', { sessionEpoch: 5 }),
  fetchSession('nothing new', {
    sessionEpoch: 6,
    topics: [{ topic: READ, partitions: [{ partition: 0, fetchOffset: 4n, partitionMaxBytes: 99_999 }] }]
  }),
  producer.add('in the old way', { [READ]: [1] }),
  producer.write('a batch', READ, { partition: 1 }),
  fetchSession('the other partition is open', { sessionEpoch: 7 }),
  ...producer.abort('it aborts'),
  fetchSession('and aborted', { sessionEpoch: 8 })
]
