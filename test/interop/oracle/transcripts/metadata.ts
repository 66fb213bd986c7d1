// Metadata, DescribeTopicPartitions and DescribeCluster: by name, by id, all topics, unknown topics, invalid requests.
// Not compared, because Kafka fails with UNKNOWN_SERVER_ERROR: a topic with neither name nor id.
import { APIS } from '../../../../src/protocol/messages/index.ts'
import { arrange, atEachVersion, call, type Step } from '../transcript.ts'
import { gone, leaders, topic } from './topic.ts'

const { Metadata, DescribeTopicPartitions, DescribeCluster, DeleteTopics } = APIS
const UNKNOWN_ID = 'AAAAAAAAAAAAAAAAAAAABQ'
const quiet = { allowAutoTopicCreation: false }
const mine = (names: readonly (string | null)[]) => names.some(name => name?.startsWith('metadata-'))

const existing = call('an id is learned', Metadata, 12, { ...quiet, topics: [{ name: 'metadata-a' }] })

export const metadata: Step[] = [
  topic('metadata-a', 2),
  topic('metadata-b', 1),
  ...atEachVersion('a known topic', Metadata, () => ({ ...quiet, topics: [{ name: 'metadata-a' }] })),
  ...atEachVersion('an unknown topic', Metadata, () => ({ ...quiet, topics: [{ name: 'metadata-none' }] }), {
    first: 4
  }),
  ...atEachVersion('no topic at all', Metadata, () => ({ ...quiet, topics: [] }), { first: 1 }),
  ...atEachVersion('all topics', Metadata, version => ({ ...quiet, topics: version === 0 ? [] : null }), {
    compare: ({ topics, ...rest }) => ({ ...rest, topics: topics.filter(({ name }) => mine([name])) })
  }),
  call('the same topic twice', Metadata, 9, { ...quiet, topics: [{ name: 'metadata-a' }, { name: 'metadata-a' }] }),
  ...[9, 12].map(version =>
    call('a name that is not allowed', Metadata, version, {
      ...quiet,
      topics: [{ name: 'a b' }, { name: '' }, { name: '..' }, { name: 'x'.repeat(250) }, { name: 'metadata-b' }]
    })
  ),
  call('a name that is not allowed, with auto-creation', Metadata, 12, { topics: [{ name: 'a b' }, { name: '' }] }),
  ...[8, 10, 12].map(version =>
    call('authorized operations', Metadata, version, {
      ...{ ...quiet, topics: [{ name: 'metadata-a' }] },
      ...{ includeClusterAuthorizedOperations: true, includeTopicAuthorizedOperations: true }
    })
  ),
  existing,
  ...[12, 13].flatMap(version => [
    call('by id', Metadata, version, session => ({
      ...quiet,
      topics: [{ topicId: existing.answerTo(session).topics[0]?.topicId, name: null }]
    })),
    call('by an unknown id', Metadata, version, { ...quiet, topics: [{ topicId: UNKNOWN_ID, name: null }] }),
    call('by id and name', Metadata, version, session => ({
      ...quiet,
      topics: [{ topicId: existing.answerTo(session).topics[0]?.topicId, name: 'metadata-a' }]
    })),
    call('ids and names mixed', Metadata, version, session => ({
      ...quiet,
      topics: [{ name: 'metadata-b' }, { topicId: existing.answerTo(session).topics[0]?.topicId, name: null }]
    }))
  ]),
  call('by id in a version that cannot', Metadata, 10, { ...quiet, topics: [{ topicId: UNKNOWN_ID, name: null }] }),
  call('by null name in a version that cannot', Metadata, 11, { ...quiet, topics: [{ name: null }] }),

  call(
    'an unknown topic with auto-creation',
    Metadata,
    9,
    { topics: [{ name: 'metadata-auto' }] },
    {
      // Kafka responds before it has created the topic, minikafka may respond after that; clients accept both.
      compare: ({ topics }) => topics.map(({ name }) => name)
    }
  ),
  arrange('auto-creation is done', session => leaders(session, 'metadata-auto', 1)),
  call('a topic made by auto-creation', Metadata, 9, { ...quiet, topics: [{ name: 'metadata-auto' }] }),
  arrange('it is deleted', session =>
    session.sendRequest(DeleteTopics, 6, { topics: [{ name: 'metadata-auto' }], timeoutMs: 30_000 })
  ),
  gone('metadata-auto'),

  call('partitions of topics', DescribeTopicPartitions, 0, {
    topics: [{ name: 'metadata-b' }, { name: 'metadata-a' }, { name: 'metadata-none' }, { name: 'a b' }]
  }),
  call('one partition at a time', DescribeTopicPartitions, 0, {
    ...{ topics: [{ name: 'metadata-a' }, { name: 'metadata-b' }], responsePartitionLimit: 1 }
  }),
  call('from a cursor', DescribeTopicPartitions, 0, {
    ...{ topics: [{ name: 'metadata-a' }, { name: 'metadata-b' }], responsePartitionLimit: 1 },
    cursor: { topicName: 'metadata-a', partitionIndex: 1 }
  }),
  call('from a cursor at the end', DescribeTopicPartitions, 0, {
    ...{ topics: [{ name: 'metadata-a' }, { name: 'metadata-b' }], responsePartitionLimit: 10 },
    cursor: { topicName: 'metadata-b', partitionIndex: 0 }
  }),
  call('from a cursor at an unknown topic', DescribeTopicPartitions, 0, {
    ...{
      topics: [{ name: 'metadata-a' }, { name: 'metadata-b' }],
      cursor: { topicName: 'metadata-aa', partitionIndex: 0 }
    }
  }),
  call('from a negative cursor', DescribeTopicPartitions, 0, {
    ...{ topics: [{ name: 'metadata-a' }], cursor: { topicName: 'metadata-a', partitionIndex: -1 } }
  }),
  call('a limit of zero', DescribeTopicPartitions, 0, { topics: [{ name: 'metadata-a' }], responsePartitionLimit: 0 }),
  call(
    'all topics',
    DescribeTopicPartitions,
    0,
    { topics: [] },
    {
      compare: ({ topics, ...rest }) => ({ ...rest, topics: topics.filter(({ name }) => mine([name])) })
    }
  ),

  ...atEachVersion('the cluster', DescribeCluster, () => ({ includeClusterAuthorizedOperations: true })),
  call('the controllers, asked of a broker', DescribeCluster, 1, { endpointType: 2 }),
  call('an endpoint type that is none', DescribeCluster, 1, { endpointType: 7 }),
  call('fenced brokers', DescribeCluster, 2, { includeFencedBrokers: true })
]
