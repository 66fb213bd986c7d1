// CreateTopics, CreatePartitions, DeleteTopics: checks of names, counts, assignments and configs.
import { APIS } from '../../../../src/protocol/messages/index.ts'
import { arrange, atEachVersion, call, type Step } from '../transcript.ts'
import { gone, leaders, topic, topicId } from './topic.ts'

const { CreateTopics, CreatePartitions, DeleteTopics } = APIS
const subset = ['configs']
const UNKNOWN_ID = 'AAAAAAAAAAAAAAAAAAAABQ'

const newTopic = (name: string, more: object = {}) => ({ name, numPartitions: 1, replicationFactor: 1, ...more })
const create = (name: string, ...topics: ReturnType<typeof newTopic>[]) =>
  call(name, CreateTopics, 7, { topics }, { subset })
const configs = (name: string, value: string | null) => ({ configs: [{ name, value }] })
const assigned = (...partitions: [number, number[]][]) => ({
  ...{ numPartitions: -1, replicationFactor: -1 },
  assignments: partitions.map(([partitionIndex, brokerIds]) => ({ partitionIndex, brokerIds }))
})
const grow = (
  name: string,
  topics: { name: string; count: number; assignments?: { brokerIds: number[] }[] }[],
  more = {}
) => call(name, CreatePartitions, 3, { topics, timeoutMs: 30_000, ...more })
/** Kafka 4.3 reports the record limit of an operation as its own error, and still creates as many partitions as fit. */
const growTooFar = call(
  'too many',
  CreatePartitions,
  3,
  { topics: [{ name: 'topics-grow', count: 30_000 }], timeoutMs: 30_000 },
  { since: '4.4.0' }
)
const remove = (name: string, version: number, topics: { name: string | null; topicId?: string }[]) =>
  call(name, DeleteTopics, version, { topics, timeoutMs: 30_000 })

const NAMES = [
  '',
  '.',
  '..',
  'a b',
  'a/b',
  'ä',
  'a\u0000',
  'x'.repeat(249),
  'x'.repeat(250),
  'a-b_c.d9',
  '__consumer_offsets'
]
const SETTINGS: [string, string | null][] = [
  ...([
    ['retention.ms', '60000'],
    ['retention.ms', '-2'],
    ['retention.ms', 'never'],
    ['retention.ms', null]
  ] as const),
  ...([
    ['no.such.setting', '1'],
    ['cleanup.policy', 'compact,delete'],
    ['cleanup.policy', 'shred']
  ] as const),
  ...([
    ['compression.type', 'zstd'],
    ['compression.type', 'rar'],
    ['segment.bytes', '1'],
    ['max.message.bytes', '-1']
  ] as const),
  ...([
    ['min.insync.replicas', '0'],
    ['message.timestamp.type', 'LogAppendTime'],
    ['flush.ms', '9223372036854775808']
  ] as const),
  ...([
    ['message.timestamp.type', 'Never'],
    ['unclean.leader.election.enable', 'maybe'],
    ['segment.ms', ' 5000 ']
  ] as const)
].map(pair => [...pair])

const creation: Step[] = [
  ...atEachVersion('a topic', CreateTopics, version => ({ topics: [newTopic(`topics-v${version}`)] }), { subset }),
  ...atEachVersion('the same topic', CreateTopics, version => ({ topics: [newTopic(`topics-v${version}`)] }), {
    subset
  }),
  ...atEachVersion(
    'a topic to be only validated',
    CreateTopics,
    version => ({ topics: [newTopic(`topics-dry${version}`), newTopic('topics-v2')], validateOnly: true }),
    { subset }
  ),
  create('no topic'),
  create(
    'the same topic twice in a request',
    newTopic('topics-twice'),
    newTopic('topics-twice'),
    newTopic('topics-once')
  ),
  ...NAMES.map(name => create(`the name "${name.slice(0, 5)}" of ${name.length} letters`, newTopic(name))),
  create('a name with a dot', newTopic('topics.dot_under')),
  create('a name that collides with it', newTopic('topics_dot.under')),
  create('two names that collide with each other', newTopic('topics.x_y'), newTopic('topics_x.y')),
  create('default counts', { ...newTopic('topics-default'), numPartitions: -1, replicationFactor: -1 }),
  create('no partitions', { ...newTopic('topics-zero'), numPartitions: 0 }),
  create('minus two partitions', { ...newTopic('topics-minus'), numPartitions: -2 }),
  create('too many partitions', { ...newTopic('topics-many'), numPartitions: 20_000 }),
  create('no replicas', { ...newTopic('topics-zero'), replicationFactor: 0 }),
  create('minus two replicas', { ...newTopic('topics-minus'), replicationFactor: -2 }),
  create('more replicas than brokers', { ...newTopic('topics-more'), replicationFactor: 2 }),
  ...SETTINGS.map(([name, value], index) =>
    create(`${name}=${value}`, newTopic(`topics-setting${index}`, configs(name, value)))
  ),
  create('the same setting twice', {
    ...newTopic('topics-again'),
    ...{ configs: [...configs('retention.ms', '1').configs, ...configs('retention.ms', '2').configs] }
  }),
  create('an assignment', newTopic('topics-assigned', assigned([0, [1]], [1, [1]]))),
  create('an assignment and counts', newTopic('topics-both', { assignments: assigned([0, [1]]).assignments })),
  create('an assignment to no broker', newTopic('topics-empty', assigned([0, []]))),
  create('an assignment to an unknown broker', newTopic('topics-stranger', assigned([0, [7]]))),
  create('an assignment twice to a broker', newTopic('topics-doubled', assigned([0, [1, 1]]))),
  create('an assignment with a gap', newTopic('topics-gap', assigned([0, [1]], [2, [1]]))),
  create('an assignment of a partition twice', newTopic('topics-same', assigned([0, [1]], [0, [1]]))),
  create('an assignment of a negative partition', newTopic('topics-negative', assigned([-1, [1]])))
]

const growth: Step[] = [
  topic('topics-grow', 1),
  ...atEachVersion('one more partition', CreatePartitions, version => ({
    ...{ topics: [{ name: 'topics-grow', count: version + 2 }], timeoutMs: 30_000 }
  })),
  arrange('they have leaders', session => leaders(session, 'topics-grow', 5)),
  grow('as many as there are', [{ name: 'topics-grow', count: 5 }]),
  grow('fewer than there are', [{ name: 'topics-grow', count: 2 }]),
  grow('none', [{ name: 'topics-grow', count: 0 }]),
  grow('minus one', [{ name: 'topics-grow', count: -1 }]),
  growTooFar,
  grow('an unknown topic', [{ name: 'topics-unknown', count: 2 }]),
  grow('a name that is not allowed', [{ name: 'a b', count: 2 }]),
  grow('the same topic twice', [
    { name: 'topics-grow', count: 6 },
    { name: 'topics-grow', count: 7 }
  ]),
  grow('only validated', [{ name: 'topics-grow', count: 6 }], { validateOnly: true }),
  grow('assigned', [{ name: 'topics-grow', count: 6, assignments: [{ brokerIds: [1] }] }]),
  grow('assigned to an unknown broker', [{ name: 'topics-grow', count: 7, assignments: [{ brokerIds: [9] }] }]),
  grow('assigned to no broker', [{ name: 'topics-grow', count: 7, assignments: [{ brokerIds: [] }] }]),
  grow('assigned twice to a broker', [{ name: 'topics-grow', count: 7, assignments: [{ brokerIds: [1, 1] }] }]),
  grow('too few assignments', [{ name: 'topics-grow', count: 8, assignments: [{ brokerIds: [1] }] }]),
  grow('empty assignments', [{ name: 'topics-grow', count: 8, assignments: [] }]),
  grow('no topics', [])
]

const deletion: Step[] = [
  ...[1, 2, 3, 4, 5].map(version =>
    call('by name', DeleteTopics, version, { topicNames: [`topics-v${version + 1}`, 'topics-none'], timeoutMs: 30_000 })
  ),
  remove('by name', 6, [{ name: 'topics-v7' }]),
  gone('topics-v7'),
  remove('once more', 6, [{ name: 'topics-v7' }]),
  topic('topics-by-id'),
  call('nothing', DeleteTopics, 6, { topics: [], timeoutMs: 30_000 }),
  {
    name: 'by id (DeleteTopics v6)',
    async play(session) {
      const id = await topicId(session, 'topics-by-id')
      const request = { topics: [{ name: null, topicId: id }], timeoutMs: 30_000 }
      return session.masks.mask('by id', await session.sendRequest(DeleteTopics, 6, request))
    }
  },
  remove('by an unknown id', 6, [{ name: null, topicId: UNKNOWN_ID }]),
  remove('by name and id', 6, [{ name: 'topics-grow', topicId: UNKNOWN_ID }]),
  remove('by neither', 6, [{ name: null }]),
  remove('a name that is not allowed', 6, [{ name: 'a b' }, { name: '' }]),
  remove('the same name twice', 6, [{ name: 'topics-once' }, { name: 'topics-once' }]),
  remove('two topics, one unknown', 6, [{ name: 'topics-once' }, { name: 'topics-unknown' }])
]

export const topics: Step[] = [...creation, ...growth, ...deletion]
