import { describe, expect, it } from 'vitest'
import { createTopics, type NewTopic, type TopicRules } from '../../../src/metadata/decisions/create-topics.ts'
import { evolve } from '../../../src/metadata/image/evolve.ts'
import { configsOf, EMPTY_IMAGE } from '../../../src/metadata/image/image.ts'
import { KafkaError } from '../../../src/protocol/errors.ts'
import { consumerOffsetsTopic } from '../../../src/replica/new-topics.ts'
import { randomUuid, seededRandom } from '../../../src/runtime/random.ts'
import { settingsWith } from '../../config/settings-with.ts'

const DIRECTORY = 'ICEiIyQlJicoKSorLC0uLw'
const random = seededRandom(7)

const rules: TopicRules = {
  brokers: [{ nodeId: 1, directoryId: DIRECTORY }],
  numPartitions: 4,
  defaultReplicationFactor: 1,
  maxPartitions: 15_000,
  newTopicId: () => randomUuid(random),
  overrides: configs => {
    if (configs.some(({ name }) => name === 'bad')) throw new KafkaError('INVALID_CONFIG', 'no bad settings')
    return new Map(configs.map(({ name, value }) => [name, value ?? '']))
  }
}
const threeBrokers = [1, 2, 3].map(nodeId => ({ nodeId, directoryId: DIRECTORY }))

const newTopic = (name: string, fields: Partial<NewTopic> = {}): NewTopic => ({
  name,
  numPartitions: 1,
  replicationFactor: 1,
  assignments: [],
  configs: [],
  ...fields
})
const assigned = (...brokerIds: number[][]) => ({
  numPartitions: -1,
  replicationFactor: -1,
  assignments: brokerIds.map((ids, partitionIndex) => ({ partitionIndex, brokerIds: ids }))
})
const existing = evolve(
  EMPTY_IMAGE,
  createTopics(EMPTY_IMAGE, [newTopic('there'), newTopic('dots.and-dashes')], rules).records
)
const answer = (topic: NewTopic, over: Partial<TopicRules> = {}) => {
  const { results } = createTopics(existing, [topic], { ...rules, ...over })
  return results[0]
}

describe('createTopics', () => {
  it('writes the record of the topic, then of its configs, then of its partitions', () => {
    const configs = [{ name: 'cleanup.policy', value: 'compact' }]
    const { records, results } = createTopics(existing, [newTopic('new', { numPartitions: 2, configs })], rules)
    const [result] = results
    expect(result).toMatchObject({ name: 'new', errorCode: 'NONE', errorMessage: null, numPartitions: 2 })
    expect(records.map(({ type }) => type)).toEqual([
      'TopicRecord',
      'ConfigRecord',
      'PartitionRecord',
      'PartitionRecord'
    ])
    const image = evolve(existing, records)
    expect(configsOf(image, 2, 'new').get('cleanup.policy')).toBe('compact')
    expect(image.topicsByName.get('new')).toMatchObject({
      topicId: result?.topicId,
      partitions: [0, 1].map(partitionId => ({
        partitionId,
        replicas: [1],
        isr: [1],
        leader: 1,
        leaderEpoch: 0,
        partitionEpoch: 0,
        directories: [DIRECTORY]
      }))
    })
  })

  it('uses the defaults of the broker for -1', () => {
    expect(answer(newTopic('new', { numPartitions: -1, replicationFactor: -1 }))).toMatchObject({
      numPartitions: 4,
      replicationFactor: 1
    })
  })

  it('accepts the partitions and replicas of an assignment in any order', () => {
    const topic = newTopic('new', {
      ...assigned([3, 1], [2, 3]),
      assignments: [
        { partitionIndex: 1, brokerIds: [2, 3] },
        { partitionIndex: 0, brokerIds: [3, 1] }
      ]
    })
    const { records, results } = createTopics(EMPTY_IMAGE, [topic], { ...rules, brokers: threeBrokers })
    expect(results).toMatchObject([{ numPartitions: 2, replicationFactor: 2 }])
    const partitions = evolve(EMPTY_IMAGE, records).topicsByName.get('new')?.partitions
    expect(partitions).toMatchObject([
      { replicas: [3, 1], leader: 3 },
      { replicas: [2, 3], leader: 2 }
    ])
  })

  it('spreads leaders over the brokers', () => {
    const topic = newTopic('new', { numPartitions: 4, replicationFactor: 2 })
    const { records } = createTopics(EMPTY_IMAGE, [topic], { ...rules, brokers: threeBrokers })
    const partitions = evolve(EMPTY_IMAGE, records).topicsByName.get('new')?.partitions
    expect(partitions?.map(({ replicas }) => replicas)).toEqual([
      [1, 2],
      [2, 3],
      [3, 1],
      [1, 2]
    ])
  })

  it.each([
    ['TOPIC_ALREADY_EXISTS', "Topic 'there' already exists.", newTopic('there')],
    ['TOPIC_ALREADY_EXISTS', "Topic 'dots.and-dashes' already exists.", newTopic('dots.and-dashes')],
    ['INVALID_TOPIC_EXCEPTION', 'Topic name is invalid: the empty string is not allowed', newTopic('')],
    ['INVALID_TOPIC_EXCEPTION', "Topic name is invalid: '.' is not allowed", newTopic('.')],
    ['INVALID_TOPIC_EXCEPTION', "Topic name is invalid: '..' is not allowed", newTopic('..')],
    [
      'INVALID_TOPIC_EXCEPTION',
      "Topic name is invalid: 'a b' contains one or more characters other than ASCII alphanumerics, '.', '_' and '-'",
      newTopic('a b')
    ],
    [
      'INVALID_TOPIC_EXCEPTION',
      `Topic name is invalid: the length of '${'x'.repeat(250)}' is longer than the max allowed length 249`,
      newTopic('x'.repeat(250))
    ],
    [
      'INVALID_TOPIC_EXCEPTION',
      "Topic 'dots_and-dashes' collides with existing topic: dots.and-dashes",
      newTopic('dots_and-dashes')
    ],
    ['INVALID_CONFIG', 'no bad settings', newTopic('new', { configs: [{ name: 'bad', value: '1' }] })],
    [
      'INVALID_REPLICATION_FACTOR',
      'Replication factor must be larger than 0, or -1 to use the default value.',
      newTopic('new', { replicationFactor: 0 })
    ],
    [
      'INVALID_REPLICATION_FACTOR',
      'Replication factor must be larger than 0, or -1 to use the default value.',
      newTopic('new', { replicationFactor: -2 })
    ],
    [
      'INVALID_REPLICATION_FACTOR',
      'Unable to replicate the partition 3 time(s): The target replication factor of 3 cannot be reached because only ' +
        '1 broker(s) are registered or some brokers have all their log directories cordoned.',
      newTopic('new', { replicationFactor: 3 })
    ],
    [
      'INVALID_PARTITIONS',
      'Number of partitions was set to an invalid non-positive value.',
      newTopic('new', { numPartitions: 0 })
    ],
    [
      'INVALID_PARTITIONS',
      'Number of partitions was set to an invalid non-positive value.',
      newTopic('new', { numPartitions: -7 })
    ],
    [
      'INVALID_REQUEST',
      'A manual partition assignment was specified, but replication factor was not set to -1.',
      newTopic('new', { ...assigned([1]), replicationFactor: 1 })
    ],
    [
      'INVALID_REQUEST',
      'A manual partition assignment was specified, but numPartitions was not set to -1.',
      newTopic('new', { ...assigned([1]), numPartitions: 1 })
    ],
    [
      'INVALID_REPLICA_ASSIGNMENT',
      'The manual partition assignment includes an empty replica list.',
      newTopic('new', assigned([]))
    ],
    [
      'INVALID_REPLICA_ASSIGNMENT',
      'The manual partition assignment includes broker 2, but no such broker is registered.',
      newTopic('new', assigned([1], [2]))
    ],
    [
      'INVALID_REPLICA_ASSIGNMENT',
      'The manual partition assignment includes the broker 1 more than once.',
      newTopic('new', assigned([1, 1]))
    ],
    [
      'INVALID_REPLICA_ASSIGNMENT',
      'Found multiple manual partition assignments for partition 0',
      newTopic('new', {
        ...assigned([1]),
        assignments: [0, 0].map(partitionIndex => ({ partitionIndex, brokerIds: [1] }))
      })
    ],
    [
      'INVALID_REPLICA_ASSIGNMENT',
      'partitions should be a consecutive 0-based integer sequence',
      newTopic('new', {
        ...assigned([1]),
        assignments: [1, 2].map(partitionIndex => ({ partitionIndex, brokerIds: [1] }))
      })
    ]
  ] as const)('answers %s: %s', (errorCode, errorMessage, topic) => {
    expect(answer(topic)).toEqual({
      name: topic.name,
      topicId: 'AAAAAAAAAAAAAAAAAAAAAA',
      errorCode,
      errorMessage,
      numPartitions: -1,
      replicationFactor: -1
    })
  })

  it('requires the same number of replicas for every assigned partition', () => {
    expect(answer(newTopic('new', assigned([1, 2], [3])), { brokers: threeBrokers })).toMatchObject({
      errorCode: 'INVALID_REPLICA_ASSIGNMENT',
      errorMessage:
        'The manual partition assignment includes a partition with 1 replica(s), but this is not consistent with ' +
        'previous partitions, which have 2 replica(s).'
    })
  })

  it('creates the valid topics of a request and returns errors for the others', () => {
    const topics = ['a', 'twice', 'a b', 'twice', '__cluster_metadata', 'c'].map(name => newTopic(name))
    const { records, results } = createTopics(existing, topics, rules)
    expect(results.map(({ name, errorCode, errorMessage }) => [name, errorCode, errorMessage])).toEqual([
      ['a', 'NONE', null],
      ['a b', 'INVALID_TOPIC_EXCEPTION', expect.any(String)],
      ['c', 'NONE', null],
      ['twice', 'INVALID_REQUEST', 'Duplicate topic name.'],
      ['__cluster_metadata', 'INVALID_REQUEST', 'Creation of internal topic __cluster_metadata is prohibited.']
    ])
    expect([...evolve(existing, records).topicsByName.keys()].sort()).toEqual(['a', 'c', 'dots.and-dashes', 'there'])
  })

  it('accepts two new topics that differ only in dots and underscores, as Kafka does', () => {
    const { results } = createTopics(existing, [newTopic('new.topic'), newTopic('new_topic')], rules)
    expect(results.map(({ errorCode }) => errorCode)).toEqual(['NONE', 'NONE'])
  })

  it.each([
    ['more partitions than one request may', [10_001], 'Excessively large number of partitions per request.'],
    [
      'counts that overflow an int32',
      [2 ** 31 - 1, 2 ** 31 - 1],
      'Excessively large number of partitions per request.'
    ],
    ['more records than one batch may', [5000, 4999], 'Unable to perform excessively large batch operation.']
  ])('refuses all topics of a request with %s', (_, counts, errorMessage) => {
    const topics = [
      newTopic('there'),
      ...counts.map((numPartitions, index) => newTopic(`big-${index}`, { numPartitions }))
    ]
    const { records, results } = createTopics(existing, topics, rules)
    expect(records).toEqual([])
    expect(results).toHaveLength(topics.length)
    for (const result of results) expect(result).toMatchObject({ errorCode: 'POLICY_VIOLATION', errorMessage })
  })

  it('counts all partitions of one request against the limit of the broker', () => {
    const topics = ['a', 'b'].map(name => newTopic(name, { numPartitions: 4000 }))
    const { results } = createTopics(existing, topics, { ...rules, maxPartitions: 5000 })
    expect(results).toMatchObject([
      { errorCode: 'NONE' },
      {
        errorCode: 'POLICY_VIOLATION',
        errorMessage: 'The broker would have 8002 partitions, more than its limit of 5000.'
      }
    ])
  })
})

it('createTopics gives __consumer_offsets the configs that the group coordinator needs', () => {
  const topic = consumerOffsetsTopic(settingsWith())
  const { records, results } = createTopics(existing, [topic], rules)
  expect(results).toMatchObject([{ errorCode: 'NONE', numPartitions: 50 }])
  expect(Object.fromEntries(configsOf(evolve(existing, records), 2, '__consumer_offsets'))).toEqual({
    'cleanup.policy': 'compact',
    'compression.type': 'producer',
    'segment.bytes': '104857600'
  })
})
