import { describe, expect, it } from 'vitest'
import {
  decodeMetadataRecord,
  encodeMetadataRecord,
  type MetadataRecord,
  metadataRecord
} from '../../src/metadata/records.ts'
import { MalformedFrame } from '../../src/protocol/wire/bytes.ts'

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex')
const TOPIC_ID_HEX = '000102030405060708090a0b0c0d0e0f'
const DIRECTORY_HEX = '101112131415161718191a1b1c1d1e1f'
const topicId = hex(TOPIC_ID_HEX).toString('base64url')
const directory = hex(DIRECTORY_HEX).toString('base64url')

/** Frames that Kafka's own encoders wrote. */
const GOLDEN: readonly (readonly [MetadataRecord, string])[] = [
  [
    metadataRecord('FeatureLevelRecord', { name: 'metadata.version', featureLevel: 25 }),
    '01 0c 00 11 6d657461646174612e76657273696f6e 0019 00'
  ],
  [metadataRecord('TopicRecord', { name: 'foo', topicId }), `01 02 00 04 666f6f ${TOPIC_ID_HEX} 00`],
  [
    metadataRecord('PartitionRecord', {
      partitionId: 0,
      topicId,
      replicas: [1],
      isr: [1],
      leader: 1,
      leaderEpoch: 0,
      partitionEpoch: 0,
      directories: [directory]
    }),
    `01 03 02 00000000 ${TOPIC_ID_HEX} 02 00000001 02 00000001 01 01 00000001 00000000 00000000 02 ${DIRECTORY_HEX} 00`
  ],
  [
    metadataRecord('ConfigRecord', {
      resourceType: 2,
      resourceName: 'foo',
      name: 'cleanup.policy',
      value: 'compact'
    }),
    '01 04 00 02 04 666f6f 0f 636c65616e75702e706f6c696379 08 636f6d70616374 00'
  ],
  [
    metadataRecord('ProducerIdsRecord', { brokerId: 1, brokerEpoch: 5n, nextProducerId: 1000n }),
    '01 0f 00 00000001 0000000000000005 00000000000003e8 00'
  ],
  [
    metadataRecord('BeginTransactionRecord', { name: 'Bootstrap records' }),
    '01 17 00 01 00 12 12 426f6f747374726170207265636f726473'
  ],
  [metadataRecord('EndTransactionRecord', {}), '01 18 00 00'],
  [metadataRecord('NoOpRecord', {}), '01 14 00 00'],
  [
    metadataRecord('AccessControlEntryRecord', {
      id: topicId,
      resourceType: 2,
      resourceName: 'foo',
      patternType: 3,
      principal: 'User:a',
      host: '*',
      operation: 3,
      permissionType: 3
    }),
    `01 12 00 ${TOPIC_ID_HEX} 02 04 666f6f 03 07 557365723a61 02 2a 03 03 00`
  ],
  [
    metadataRecord('UserScramCredentialRecord', {
      name: 'a',
      mechanism: 1,
      salt: hex('0102'),
      storedKey: hex('03'),
      serverKey: hex('04'),
      iterations: 4096
    }),
    '01 0b 00 02 61 01 03 0102 02 03 02 04 00001000 00'
  ],
  [metadataRecord('RemoveTopicRecord', { topicId }), `01 09 00 ${TOPIC_ID_HEX} 00`],
  [
    metadataRecord('PartitionChangeRecord', { partitionId: 0, topicId, leader: 1 }),
    `01 05 02 00000000 ${TOPIC_ID_HEX} 01 01 04 00000001`
  ],
  [
    metadataRecord('RegisterBrokerRecord', {
      brokerId: 1,
      incarnationId: topicId,
      brokerEpoch: 7n,
      endPoints: [{ name: 'PLAINTEXT', host: 'localhost', port: 9092, securityProtocol: 0 }],
      features: [{ name: 'metadata.version', minSupportedVersion: 7, maxSupportedVersion: 25 }],
      fenced: true,
      logDirs: [directory]
    }),
    `01 00 03 00000001 00 ${TOPIC_ID_HEX} 0000000000000007 02 0a 504c41494e54455854 0a 6c6f63616c686f7374 2384 0000 00
     02 11 6d657461646174612e76657273696f6e 0007 0019 00 00 01 00 01 00 11 02 ${DIRECTORY_HEX}`.replaceAll('\n', '')
  ]
]

describe('a metadata record', () => {
  it.each(GOLDEN)("has the bytes of Kafka's encoder: %o", (record, frame) => {
    expect(encodeMetadataRecord(record).toString('hex')).toBe(hex(frame).toString('hex'))
    expect(decodeMetadataRecord(hex(frame))).toEqual(record)
  })

  it.each(GOLDEN)('is refused at every cut: %o', (_, frame) => {
    const whole = hex(frame)
    for (let length = 0; length < whole.length; length++) {
      expect(() => decodeMetadataRecord(whole.subarray(0, length))).toThrow(MalformedFrame)
    }
  })

  it('of an older version reads with the defaults of its missing fields', () => {
    const frame = `01 03 00 00000000 ${TOPIC_ID_HEX} 02 00000001 02 00000001 01 01 00000001 00000002 00000003 00`
    expect(decodeMetadataRecord(hex(frame))).toMatchObject({
      version: 0,
      directories: [],
      eligibleLeaderReplicas: null
    })
  })

  it.each([
    ['01 63 00 00', 'the metadata record type 99 is unknown'],
    ['01 02 01 00', 'the version 1 of TopicRecord is unknown'],
    ['02 14 00 00', 'the metadata frame version 2 is unknown'],
    ['01 14 00 00 07', '1 bytes follow the last field of NoOpRecord']
  ])('%s is refused: %s', (frame, message) => {
    expect(() => decodeMetadataRecord(hex(frame))).toThrow(new MalformedFrame(message))
  })
})
