/** Decoded keys and values compared with the lines that Kafka 4.3 printed for the same records. */
import { expect, it } from 'vitest'
import { groupDecoder, metadataDecoder } from '../../src/dump/formats/coordinator-decoder.ts'
import { textOf } from '../../src/dump/items.ts'
import { encodeRecord, type GroupRecord } from '../../src/group/records.ts'
import { encodeMetadataRecord, type MetadataRecord, metadataRecord } from '../../src/metadata/records.ts'
import { hex } from '../protocol/records/vectors.ts'

const TOPIC_ID = 'AAECAwQFBgcICQoLDA0ODw'
const DIRECTORY_ID = 'EBESExQVFhcYGRobHB0eHw'

function group(record: GroupRecord): string {
  return textOf({ kind: 'entry', pairs: groupDecoder({ offset: 0n, ...encodeRecord(record) }) })
}

function metadata(record: MetadataRecord): string {
  const pairs = metadataDecoder({ offset: 0n, key: null, value: encodeMetadataRecord(record) })
  return textOf({ kind: 'entry', pairs })
}

const KEY = { group: 'g', topic: 'foo', partition: 0 }

it('a dump decodes committed offsets', () => {
  const value = {
    offset: 42n,
    leaderEpoch: -1,
    metadata: 'm',
    commitTimestamp: 1_700_000_000_000n,
    expireTimestamp: -1n
  }
  expect(group({ type: 'OffsetCommit', key: KEY, value: { ...value, topicId: TOPIC_ID } })).toBe(
    'key: {"type":"1","data":{"group":"g","topic":"foo","partition":0}} payload: {"version":"4","data":{"offset":42,"leaderEpoch":-1,"metadata":"m","commitTimestamp":1700000000000,"topicId":"AAECAwQFBgcICQoLDA0ODw"}}'
  )
  expect(group({ type: 'OffsetCommit', key: KEY, value: null })).toBe(
    'key: {"type":"1","data":{"group":"g","topic":"foo","partition":0}} payload: <DELETE>'
  )
})

it('a dump decodes the subscriptions and assignments of consumers, and prints other bytes unchanged', () => {
  const of = (subscription: Buffer, assignment: Buffer): GroupRecord => ({
    type: 'GroupMetadata',
    key: { group: 'g' },
    value: {
      protocolType: 'consumer',
      generation: 1,
      protocol: 'range',
      leader: 'm1',
      currentStateTimestamp: 1_700_000_000_000n,
      members: [
        {
          memberId: 'm1',
          groupInstanceId: null,
          clientId: 'c',
          clientHost: '/127.0.0.1',
          rebalanceTimeout: 300_000,
          sessionTimeout: 45_000,
          subscription,
          assignment
        }
      ]
    }
  })
  const line = (subscription: string, assignment: string) =>
    `key: {"type":"2","data":{"group":"g"}} payload: {"version":"3","data":{"protocolType":"consumer","generation":1,"protocol":"range","leader":"m1","currentStateTimestamp":1700000000000,"members":[{"memberId":"m1","groupInstanceId":null,"clientId":"c","clientHost":"/127.0.0.1","rebalanceTimeout":300000,"sessionTimeout":45000,"subscription":${subscription},"assignment":${assignment}}]}}`
  expect(group(of(hex('0001 00000001 0003666f6f ffffffff 00000000'), hex('0000 00000000 ffffffff')))).toBe(
    line('{"topics":["foo"],"userData":null,"ownedPartitions":[]}', '{"assignedPartitions":[],"userData":null}')
  )
  expect(group(of(hex('0001 7fffffff'), hex('')))).toBe(line('"AAF/////"', '""'))
})

it('a dump decodes records of consumer groups, with tagged fields that are not empty', () => {
  const member = { groupId: 'cg', memberId: 'mm' }
  const value = { memberEpoch: 3, previousMemberEpoch: 2, state: 0, partitionsPendingRevocation: [] }
  const line = (epochs: string) =>
    `key: {"type":"8","data":{"groupId":"cg","memberId":"mm"}} payload: {"version":"0","data":{"memberEpoch":3,"previousMemberEpoch":2,"state":0,"assignedPartitions":[{"topicId":"AAECAwQFBgcICQoLDA0ODw","partitions":[0,1]${epochs}}],"partitionsPendingRevocation":[]}}`
  const of = (assignmentEpochs: number[] | null) => ({
    type: 'ConsumerGroupCurrentMemberAssignment' as const,
    key: member,
    value: { ...value, assignedPartitions: [{ topicId: TOPIC_ID, partitions: [0, 1], assignmentEpochs }] }
  })
  expect(group(of(null))).toBe(line(''))
  expect(group(of([2, 3]))).toBe(line(',"assignmentEpochs":[2,3]'))
})

it('a dump decodes records of group types that are not served', () => {
  const pairs = groupDecoder({
    offset: 0n,
    key: hex('000b 0002 7367'),
    value: hex('0000 00000003 0000000000000007 00')
  })
  expect(textOf({ kind: 'entry', pairs })).toBe(
    'key: {"type":"11","data":{"groupId":"sg"}} payload: {"version":"0","data":{"epoch":3,"metadataHash":7}}'
  )
})

it('a dump decodes metadata records: fields in order, and tagged fields that are not the default', () => {
  const partition = { partitionId: 0, topicId: TOPIC_ID, replicas: [1], isr: [1] }
  const leader = { leader: 1, leaderEpoch: 7, partitionEpoch: 9, directories: [DIRECTORY_ID] }
  expect(metadata(metadataRecord('PartitionRecord', { ...partition, ...leader }))).toBe(
    'payload: {"type":"PARTITION_RECORD","version":2,"data":{"partitionId":0,"topicId":"AAECAwQFBgcICQoLDA0ODw","replicas":[1],"isr":[1],"removingReplicas":[],"addingReplicas":[],"leader":1,"leaderEpoch":7,"partitionEpoch":9,"directories":["EBESExQVFhcYGRobHB0eHw"]}}'
  )
  expect(metadata(metadataRecord('PartitionChangeRecord', { partitionId: 0, topicId: TOPIC_ID, leader: -1 }))).toBe(
    'payload: {"type":"PARTITION_CHANGE_RECORD","version":2,"data":{"partitionId":0,"topicId":"AAECAwQFBgcICQoLDA0ODw","leader":-1}}'
  )
  expect(
    metadata(metadataRecord('BrokerRegistrationChangeRecord', { brokerId: 1, brokerEpoch: 12n, fenced: -1 }))
  ).toBe(
    'payload: {"type":"BROKER_REGISTRATION_CHANGE_RECORD","version":2,"data":{"brokerId":1,"brokerEpoch":12,"fenced":-1}}'
  )
  expect(metadata(metadataRecord('NoOpRecord', {}))).toBe('payload: {"type":"NO_OP_RECORD","version":0,"data":{}}')
})

it.each([
  [1000, '1000.0'],
  [0.5, '0.5'],
  [1e7, '1.0E7'],
  [12_345_678.9, '1.23456789E7'],
  [0.0001, '1.0E-4'],
  [0, '0.0']
])('a dump prints the number %d of a quota as Java does', (value, printed) => {
  const quota = metadataRecord('ClientQuotaRecord', { entity: [], key: 'producer_byte_rate', value, remove: false })
  expect(metadata(quota)).toContain(`"value":${printed},`)
})

it('a dump escapes text as Jackson does', () => {
  const name = 'a"\\\n\u001f\u007fé'
  expect(metadata(metadataRecord('TopicRecord', { name, topicId: TOPIC_ID }))).toContain(
    '"name":"a\\"\\\\\\n\\u001F\u007fé"'
  )
})

it('a dump reports metadata records that cannot be decoded', () => {
  const pairs = metadataDecoder({ offset: 9n, key: null, value: hex('01 63 00') })
  expect(pairs).toEqual([['payload', 'Error at 9, skipping. the metadata record type 99 is unknown']])
})
