import { describe, expect, it } from 'vitest'
import { createPartitions, type MorePartitions } from '../../../src/metadata/decisions/create-partitions.ts'
import { partitionRecord } from '../../../src/metadata/decisions/placement.ts'
import { evolve } from '../../../src/metadata/image/evolve.ts'
import { EMPTY_IMAGE } from '../../../src/metadata/image/image.ts'
import { metadataRecord } from '../../../src/metadata/records.ts'

const TOPIC_ID = 'AAECAwQFBgcICQoLDA0ODw'
const DIRECTORY = 'ICEiIyQlJicoKSorLC0uLw'
const brokers = [{ nodeId: 1, directoryId: DIRECTORY }]
const limits = { brokers, maxPartitions: 15_000 }
const image = evolve(EMPTY_IMAGE, [
  metadataRecord('TopicRecord', { name: 'foo', topicId: TOPIC_ID }),
  ...[0, 1].map(partitionId => partitionRecord(TOPIC_ID, partitionId, [1], brokers))
])
const request = (count: number, assignments: number[][] | null = null, name = 'foo'): MorePartitions => ({
  name,
  count,
  assignments: assignments?.map(brokerIds => ({ brokerIds })) ?? null
})

describe('createPartitions', () => {
  it.each([
    ['placed by the broker', null],
    ['assigned by the client', [[1], [1]]]
  ])('adds partitions %s after the last one', (_, assignments) => {
    const { records, results } = createPartitions(image, [request(4, assignments)], limits)
    expect(results).toEqual([{ name: 'foo', errorCode: 'NONE', errorMessage: null }])
    expect(records).toHaveLength(2)
    expect(evolve(image, records).topicsByName.get('foo')?.partitions[3]).toMatchObject({
      partitionId: 3,
      leader: 1,
      isr: [1],
      directories: [DIRECTORY]
    })
  })

  it.each([
    ['UNKNOWN_TOPIC_OR_PARTITION', null, request(3, null, 'bar')],
    ['INVALID_PARTITIONS', 'Topic already has 2 partition(s).', request(2)],
    ['INVALID_PARTITIONS', 'The topic foo currently has 2 partition(s); 1 would not be an increase.', request(1)],
    ['INVALID_PARTITIONS', 'The topic foo currently has 2 partition(s); -5 would not be an increase.', request(-5)],
    [
      'INVALID_REPLICA_ASSIGNMENT',
      'Attempted to add 2 additional partition(s), but only 1 assignment(s) were specified.',
      request(4, [[1]])
    ],
    [
      'INVALID_REPLICA_ASSIGNMENT',
      'The manual partition assignment includes broker 9, but no such broker is registered.',
      request(3, [[9]])
    ],
    ['INVALID_REPLICA_ASSIGNMENT', 'The manual partition assignment includes an empty replica list.', request(3, [[]])],
    ['POLICY_VIOLATION', 'Excessively large number of partitions per request.', request(2 ** 31 - 1)]
  ] as const)('answers %s: %s', (errorCode, errorMessage, topic) => {
    const { records, results } = createPartitions(image, [topic], limits)
    expect(results).toEqual([{ name: topic.name, errorCode, errorMessage }])
    expect(records).toEqual([])
  })

  it('refuses an assignment with another replication factor', () => {
    const two = [...brokers, { nodeId: 2, directoryId: DIRECTORY }]
    const { results } = createPartitions(image, [request(3, [[1, 2]])], { ...limits, brokers: two })
    expect(results).toMatchObject([
      {
        errorCode: 'INVALID_REPLICA_ASSIGNMENT',
        errorMessage:
          'The manual partition assignment includes a partition with 2 replica(s), but this is not consistent with ' +
          'previous partitions, which have 1 replica(s).'
      }
    ])
  })

  it('enforces the partition limit of the broker', () => {
    const { results } = createPartitions(image, [request(4)], { ...limits, maxPartitions: 3 })
    expect(results).toMatchObject([
      {
        errorCode: 'POLICY_VIOLATION',
        errorMessage: 'The broker would have 4 partitions, more than its limit of 3.'
      }
    ])
  })

  it('refuses a topic that is named twice', () => {
    const { records, results } = createPartitions(image, [request(3), request(4)], limits)
    expect(results).toEqual([{ name: 'foo', errorCode: 'INVALID_REQUEST', errorMessage: 'Duplicate topic name.' }])
    expect(records).toEqual([])
  })
})
