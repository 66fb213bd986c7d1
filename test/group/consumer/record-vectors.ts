/** Records of consumer groups as Apache Kafka's own serializer writes them. */
import type { ConsumerGroupRecord } from '../../../src/group/consumer/records.ts'
import { hex } from '../../protocol/records/vectors.ts'

const FOO = 'AAECAwQFBgcICQoLDA0ODw'
const BAR = 'EBESExQVFhcYGRobHB0eHw'
const group = { groupId: 'g' }
const member = { groupId: 'g', memberId: 'm' }

/** Name, record, key and value. */
export const RECORDS: readonly [string, ConsumerGroupRecord, string, string][] = [
  [
    'a group',
    { type: 'ConsumerGroupMetadata', key: group, value: { epoch: 7, metadataHash: -5_822_394_829_432_759_245n } },
    '0003 0001 67',
    '0000 00000007 01 00 08 af32b2c04196dc33'
  ],
  [
    'a group without topics',
    { type: 'ConsumerGroupMetadata', key: group, value: { epoch: 7, metadataHash: 0n } },
    '0003 0001 67',
    '0000 00000007 00'
  ],
  [
    'the topics of a group of an older broker',
    {
      type: 'ConsumerGroupPartitionMetadata',
      key: group,
      value: {
        topics: [
          {
            topicId: FOO,
            topicName: 'foo',
            numPartitions: 2,
            partitionMetadata: [{ partition: 1, racks: ['r1', 'r2'] }]
          }
        ]
      }
    },
    '0004 0001 67',
    '0000 02 000102030405060708090a0b0c0d0e0f 04666f6f 00000002 02 00000001 03 037231 037232 00 00 00'
  ],
  [
    'a member that names topics',
    {
      type: 'ConsumerGroupMemberMetadata',
      key: member,
      value: {
        instanceId: null,
        rackId: null,
        clientId: 'c',
        clientHost: '/127.0.0.1',
        subscribedTopicNames: ['bar', 'foo'],
        subscribedTopicRegex: '',
        rebalanceTimeoutMs: 300_000,
        serverAssignor: null,
        classicMemberMetadata: null
      }
    },
    '0005 0001 67 0001 6d',
    '0000 00 00 0263 0b2f3132372e302e302e31 03 04626172 04666f6f 01 000493e0 00 01 00 01 00'
  ],
  [
    'a member that has everything a member can have',
    {
      type: 'ConsumerGroupMemberMetadata',
      key: member,
      value: {
        instanceId: 'i',
        rackId: 'r',
        clientId: 'c',
        clientHost: '/127.0.0.1',
        subscribedTopicNames: [],
        subscribedTopicRegex: 'f.*',
        rebalanceTimeoutMs: 45_000,
        serverAssignor: 'uniform',
        classicMemberMetadata: {
          sessionTimeoutMs: 45_000,
          supportedProtocols: [{ name: 'range', metadata: hex('0001') }]
        }
      }
    },
    '0005 0001 67 0001 6d',
    `0000 0269 0272 0263 0b2f3132372e302e302e31 01 04662e2a 0000afc8 08756e69666f726d
     01 00 11 01 0000afc8 02 0672616e6765 03 0001 00 00`
  ],
  [
    'the assignment of a group',
    {
      type: 'ConsumerGroupTargetAssignmentMetadata',
      key: group,
      value: { assignmentEpoch: 7, assignmentTimestamp: 1_700_000_000_000n }
    },
    '0006 0001 67',
    '0000 00000007 01 00 08 0000018bcfe56800'
  ],
  [
    'the assignment of a group, which an older broker computed',
    {
      type: 'ConsumerGroupTargetAssignmentMetadata',
      key: group,
      value: { assignmentEpoch: 7, assignmentTimestamp: 0n }
    },
    '0006 0001 67',
    '0000 00000007 00'
  ],
  [
    'the partitions that a member is to have',
    {
      type: 'ConsumerGroupTargetAssignmentMember',
      key: member,
      value: {
        topicPartitions: [
          { topicId: FOO, partitions: [0, 1] },
          { topicId: BAR, partitions: [5] }
        ]
      }
    },
    '0007 0001 67 0001 6d',
    `0000 03 000102030405060708090a0b0c0d0e0f 03 00000000 00000001 00
     101112131415161718191a1b1c1d1e1f 02 00000005 00 00`
  ],
  [
    'the partitions that a member has',
    {
      type: 'ConsumerGroupCurrentMemberAssignment',
      key: member,
      value: {
        memberEpoch: 7,
        previousMemberEpoch: 6,
        state: 1,
        assignedPartitions: [{ topicId: FOO, partitions: [0, 1], assignmentEpochs: [5, 7] }],
        partitionsPendingRevocation: [{ topicId: BAR, partitions: [3], assignmentEpochs: [4] }]
      }
    },
    '0008 0001 67 0001 6d',
    `0000 00000007 00000006 01
     02 000102030405060708090a0b0c0d0e0f 03 00000000 00000001 01 00 09 03 00000005 00000007
     02 101112131415161718191a1b1c1d1e1f 02 00000003 01 00 05 02 00000004 00`
  ],
  [
    'the partitions that a member has of an older broker',
    {
      type: 'ConsumerGroupCurrentMemberAssignment',
      key: member,
      value: {
        memberEpoch: 7,
        previousMemberEpoch: 7,
        state: 0,
        assignedPartitions: [{ topicId: FOO, partitions: [0], assignmentEpochs: null }],
        partitionsPendingRevocation: []
      }
    },
    '0008 0001 67 0001 6d',
    '0000 00000007 00000007 00 02 000102030405060708090a0b0c0d0e0f 02 00000000 00 01 00'
  ],
  [
    'the topics of a regular expression',
    {
      type: 'ConsumerGroupRegularExpression',
      key: { groupId: 'g', regularExpression: 'f.*' },
      value: { topics: ['foo', 'fun'], version: 42n, timestamp: 1_700_000_000_000n }
    },
    '0010 0001 67 0003 662e2a',
    '0000 03 04666f6f 0466756e 000000000000002a 0000018bcfe56800 00'
  ]
]
