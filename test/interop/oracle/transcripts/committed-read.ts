// Consumers of a log with transactions: the end of read_committed Fetch and ListOffsets, the aborted transactions in a
// Fetch response, and its offset fields.
import { APIS } from '../../../../src/protocol/messages/index.ts'
import { atEachVersion, call, type Step } from '../transcript.ts'
import { bytes } from './batches.ts'
import { byId, NOW, named } from './fetching.ts'
import { filled } from './producing.ts'
import { topic } from './topic.ts'
import { Transactional } from './transactional.ts'

const { DeleteRecords, Fetch, ListOffsets } = APIS
const TOPIC = 'committed-read'
const producer = new Transactional('read')
const other = new Transactional('read-other')
const LEVELS = [0, 1]

const fetched = (
  name: string,
  topics: ReturnType<typeof named>[],
  { isolationLevel }: { isolationLevel: number }
): Step => call(name, Fetch, 12, { ...NOW, isolationLevel, topics })

/** Fetches of both isolation levels from these offsets. */
function read(when: string, ...offsets: bigint[]): Step[] {
  return LEVELS.flatMap(isolationLevel => [
    ...offsets.map(fetchOffset =>
      fetched(`${when} from ${fetchOffset} at level ${isolationLevel}`, [named(TOPIC, { fetchOffset })], {
        isolationLevel
      })
    ),
    ...[-1n, -2n, -3n, -4n, 0n, 1_700_000_000_000n].map(timestamp =>
      call(`${when} the offset at ${timestamp} at level ${isolationLevel}`, ListOffsets, 8, {
        isolationLevel,
        topics: [{ name: TOPIC, partitions: [{ partitionIndex: 0, timestamp }] }]
      })
    )
  ])
}

const small = (name: string, fetchOffset: bigint, partitionMaxBytes: number): Step =>
  fetched(name, [named(TOPIC, { fetchOffset, partitionMaxBytes })], { isolationLevel: 1 })

const everyVersion: Step[] = LEVELS.flatMap(isolationLevel => [
  ...atEachVersion(`all at level ${isolationLevel}`, Fetch, version => session => ({
    ...NOW,
    isolationLevel,
    topics: [version < 13 ? named(TOPIC) : byId(session, TOPIC)]
  })),
  ...atEachVersion(
    `the end at level ${isolationLevel}`,
    ListOffsets,
    () => ({ isolationLevel, topics: [{ name: TOPIC, partitions: [{ partitionIndex: 0, timestamp: -1n }] }] }),
    { first: 2 }
  )
])

export const committedRead: Step[] = [
  topic(TOPIC),
  producer.found(),
  other.found(),
  producer.init('a producer'),
  other.init('another producer'),
  filled(TOPIC, [bytes(['a', 'b'])]),
  ...read('before all transactions', 0n, 1n, 2n),
  producer.add('a transaction', { [TOPIC]: [0] }),
  ...read('while one is open without a batch', 0n, 2n),
  producer.write('a batch', TOPIC, { values: ['c', 'd'] }),
  filled(TOPIC, [bytes(['e'])]),
  ...read('while one is open', 0n, 2n, 3n, 4n, 5n),
  other.add('another transaction', { [TOPIC]: [0] }),
  other.write('a batch of the other', TOPIC),
  ...producer.abort('the first one aborts'),
  ...read('while the other is open', 0n, 3n, 4n, 5n, 6n, 7n),
  ...other.commit('the other commits'),
  ...read('when both have ended', 0n, 2n, 4n, 6n, 7n, 8n, 9n),
  producer.add('a transaction', { [TOPIC]: [0] }),
  other.add('another transaction', { [TOPIC]: [0] }),
  other.write('a batch', TOPIC, { sequence: 1, values: ['x', 'y', 'z'] }),
  producer.write('a batch', TOPIC, { sequence: 2 }),
  ...other.abort('one aborts'),
  ...producer.abort('and so does the other'),
  ...read('after three aborts', 0n, 3n, 8n, 10n, 12n, 14n),
  small('little of it', 0n, 1),
  small('little of it', 0n, 200),
  small('little of it', 6n, 200),
  small('little of it', 8n, 1),
  small('little of it', 9n, 400),
  ...everyVersion,
  fetched('a level that is none', [named(TOPIC)], { isolationLevel: 2 }),
  fetched('beyond the end', [named(TOPIC, { fetchOffset: 99n })], { isolationLevel: 1 }),
  call('the first are deleted', DeleteRecords, 2, {
    topics: [{ name: TOPIC, partitions: [{ partitionIndex: 0, offset: 4n }] }],
    timeoutMs: 5000
  }),
  ...read('after that', 0n, 4n, 5n),
  producer.add('a transaction', { [TOPIC]: [0] }),
  producer.write('a batch', TOPIC, { sequence: 3 }),
  call('the first of an open transaction are deleted', DeleteRecords, 2, {
    topics: [{ name: TOPIC, partitions: [{ partitionIndex: 0, offset: -1n }] }],
    timeoutMs: 5000
  }),
  ...read('after that', 14n, 15n),
  ...producer.commit('it commits'),
  ...read('in the end', 14n, 15n, 16n)
]
