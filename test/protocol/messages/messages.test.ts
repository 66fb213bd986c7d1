/**
 * The registry against facts of Apache Kafka 4.4, and defaults of missing fields. For codecs in general see test/wire and
 * test/interop.
 */
import { describe, expect, it } from 'vitest'
import { serves } from '../../../src/protocol/api.ts'
import { APIS, type ApiName, apiByKey } from '../../../src/protocol/messages/index.ts'

const topicId = 'AAECAwQFBgcICQoLDA0ODw'
const currentLeader = { leaderId: 2, leaderEpoch: 5 }

/** Responses with many tagged fields, and their bytes as the Java classes of kafka-clients 4.4.0 write them. */
const GOLDEN: [title: string, encode: () => Buffer, bytes: string][] = [
  [
    'ApiVersions with features',
    () =>
      APIS.ApiVersions.response.encode(
        {
          errorCode: 'NONE',
          apiKeys: [{ apiKey: 18, minVersion: 0, maxVersion: 5 }],
          supportedFeatures: [{ name: 'f', minVersion: 0, maxVersion: 2 }],
          finalizedFeaturesEpoch: 9n,
          finalizedFeatures: [{ name: 'f', maxVersionLevel: 2, minVersionLevel: 2 }]
        },
        3
      ),
    '0000 02 0012 0000 0005 00 00000000 03 00 08 02 0266 0000 0002 00 01 08 0000000000000009 02 08 02 0266 0002 0002 00'
  ],
  [
    'Fetch that names a new leader',
    () => {
      const partition = { partitionIndex: 0, highWatermark: -1n, currentLeader, records: null }
      const partitions = [{ ...partition, errorCode: 'NOT_LEADER_OR_FOLLOWER' as const }]
      const nodeEndpoints = [{ nodeId: 2, host: 'h', port: 9092 }]
      return APIS.Fetch.response.encode({ responses: [{ topic: '', topicId, partitions }], nodeEndpoints }, 16)
    },
    `00000000 0000 00000000 02 000102030405060708090a0b0c0d0e0f 02 00000000 0006 ffffffffffffffff ffffffffffffffff
     ffffffffffffffff 00 ffffffff 00 01 01 09 00000002 00000005 00 00 01 00 0d 02 00000002 0268 00002384 00 00`
  ],
  [
    'Produce that names a bad record and a new leader',
    () => {
      const recordErrors = [{ batchIndex: 1, batchIndexErrorMessage: 'x' }]
      const partition = { index: 0, errorCode: 'INVALID_RECORD', baseOffset: -1n, recordErrors, currentLeader } as const
      const nodeEndpoints = [{ nodeId: 2, host: 'h', port: 9092, rack: 'r' }]
      const responses = [{ name: 't', topicId, partitionResponses: [partition] }]
      return APIS.Produce.response.encode({ responses, nodeEndpoints }, 10)
    },
    `02 0274 02 00000000 0057 ffffffffffffffff ffffffffffffffff ffffffffffffffff 02 00000001 0278 00 00
     01 00 09 00000002 00000005 00 00 00000000 01 00 0e 02 00000002 0268 00002384 0272 00`
  ],
  [
    'DescribeTopicPartitions with a next page',
    () => {
      const partition = { partitionIndex: 0, leaderId: 1, replicaNodes: [1], isrNodes: [1] }
      const partitions = [{ ...partition, errorCode: 'NONE' as const }]
      const topics = [{ errorCode: 'NONE' as const, name: 't', topicId, partitions }]
      const nextCursor = { topicName: 't', partitionIndex: 1 }
      return APIS.DescribeTopicPartitions.response.encode({ topics, nextCursor }, 0)
    },
    `00000000 02 0000 0274 000102030405060708090a0b0c0d0e0f 00 02 0000 00000000 00000001 ffffffff 02 00000001
     02 00000001 00 00 01 00 80000000 00 01 0274 00000001 00 00`
  ],
  [
    'CreateTopics whose settings may not be seen',
    () => {
      const topicConfigErrorCode = 'TOPIC_AUTHORIZATION_FAILED'
      const topics = [{ name: 't', topicId, errorCode: 'NONE', topicConfigErrorCode, configs: null }] as const
      return APIS.CreateTopics.response.encode({ topics }, 7)
    },
    '00000000 02 0274 000102030405060708090a0b0c0d0e0f 0000 00 ffffffff ffff 00 01 00 02 001d 00'
  ]
]

describe('bytes as Kafka writes them', () => {
  it.each(GOLDEN)('%s', (_title, encode, bytes) => {
    expect(encode().toString('hex')).toBe(bytes.replace(/\s/g, ''))
  })
})

/** Key, first and last version, first flexible version. */
const FACTS: Record<ApiName, readonly [number, number, number, number]> = {
  Produce: [0, 3, 13, 9],
  Fetch: [1, 4, 18, 12],
  ListOffsets: [2, 1, 11, 6],
  Metadata: [3, 0, 13, 9],
  OffsetCommit: [8, 2, 10, 8],
  OffsetFetch: [9, 1, 10, 6],
  FindCoordinator: [10, 0, 6, 3],
  JoinGroup: [11, 0, 9, 6],
  Heartbeat: [12, 0, 4, 4],
  LeaveGroup: [13, 0, 5, 4],
  SyncGroup: [14, 0, 5, 4],
  DescribeGroups: [15, 0, 6, 5],
  ListGroups: [16, 0, 5, 3],
  ApiVersions: [18, 0, 5, 3],
  CreateTopics: [19, 2, 7, 5],
  DeleteTopics: [20, 1, 6, 4],
  DeleteRecords: [21, 0, 2, 2],
  // Kafka defines version 6 but does not serve it: it is marked unstable.
  InitProducerId: [22, 0, 5, 2],
  OffsetForLeaderEpoch: [23, 2, 4, 4],
  AddPartitionsToTxn: [24, 0, 5, 3],
  AddOffsetsToTxn: [25, 0, 4, 3],
  EndTxn: [26, 0, 5, 3],
  WriteTxnMarkers: [27, 1, 2, 1],
  TxnOffsetCommit: [28, 0, 6, 3],
  DescribeConfigs: [32, 1, 4, 4],
  AlterConfigs: [33, 0, 2, 2],
  CreatePartitions: [37, 0, 3, 2],
  DeleteGroups: [42, 0, 3, 2],
  IncrementalAlterConfigs: [44, 0, 1, 1],
  OffsetDelete: [47, 0, 0, 1],
  UpdateFeatures: [57, 0, 2, 0],
  DescribeCluster: [60, 0, 2, 0],
  DescribeProducers: [61, 0, 0, 0],
  DescribeTransactions: [65, 0, 0, 0],
  ListTransactions: [66, 0, 2, 0],
  ConsumerGroupHeartbeat: [68, 0, 1, 0],
  ConsumerGroupDescribe: [69, 0, 1, 0],
  ListConfigResources: [74, 0, 1, 0],
  DescribeTopicPartitions: [75, 0, 0, 0]
}

describe('the registry', () => {
  it.each(Object.values(APIS))('has $name as Kafka has it', api => {
    expect([api.key, ...api.versions, api.flexibleSince]).toEqual(FACTS[api.name as ApiName])
    expect(APIS[api.name as ApiName]).toBe(api)
    expect(apiByKey(api.key)).toBe(api)
  })

  it('is in the order of its keys', () => {
    const keys = Object.values(APIS).map(api => api.key)
    expect(keys).toEqual(keys.toSorted((a, b) => a - b))
  })

  it('has no other keys', () => {
    for (const key of [-1, 4, 76, 32_767]) expect(apiByKey(key)).toBeUndefined()
  })

  it('advertises Produce since version 0 and serves it since version 3', () => {
    expect(APIS.Produce.advertisedSince).toBe(0)
    expect([2, 3, 13, 14].map(version => serves(APIS.Produce, version))).toEqual([false, true, true, false])
  })
})

describe('fields that a version lacks', () => {
  it('allow_auto_topic_creation reads as true in old versions of Metadata, as in Kafka', () => {
    const request = APIS.Metadata.request.decode(Buffer.from('00000000', 'hex'), 0)
    expect(request).toEqual({
      topics: [],
      allowAutoTopicCreation: true,
      includeClusterAuthorizedOperations: false,
      includeTopicAuthorizedOperations: false
    })
  })

  it('the session of an old Fetch reads as no session', () => {
    const request = APIS.Fetch.request.decode(
      APIS.Fetch.request.encode({ maxWaitMs: 1, minBytes: 1, topics: [] }, 4),
      4
    )
    expect(request).toMatchObject({ sessionId: 0, sessionEpoch: -1, rackId: '', forgottenTopicsData: [] })
  })

  it('the coordinator of FindCoordinator is written as fields up to version 3 and as a list afterwards', () => {
    const { response } = APIS.FindCoordinator
    const coordinator = { nodeId: 1, host: 'h', port: 9092 }
    const answer = { ...coordinator, coordinators: [{ key: 'g', ...coordinator, errorCode: 'NONE' as const }] }
    expect(response.decode(response.encode(answer, 3), 3)).toMatchObject({ ...coordinator, coordinators: [] })
    const newer = response.decode(response.encode(answer, 4), 4)
    expect(newer).toMatchObject({ nodeId: 0, host: '', coordinators: answer.coordinators })
  })

  it('a field can be null only in versions that declare it nullable', () => {
    const { response } = APIS.JoinGroup
    const answer = { errorCode: 'NONE' as const, protocolName: null }
    expect(response.decode(response.encode(answer, 7), 7).protocolName).toBeNull()
    expect(() => response.encode(answer, 6)).toThrow(/the field is nullable/)
  })
})
