import { describe, expect, it } from 'vitest'
import { decodeRecord, encodeRecord, type GroupRecord } from '../../src/group/records.ts'
import { MalformedFrame, ZERO_UUID } from '../../src/protocol/wire/bytes.ts'

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex')

const key = { group: 'g', topic: 'foo', partition: 0 }
const commit = {
  offset: 42n,
  leaderEpoch: 3,
  metadata: 'm',
  commitTimestamp: 1_700_000_000_000n,
  expireTimestamp: -1n,
  topicId: ZERO_UUID
}
const TOPIC_ID = 'AAECAwQFBgcICQoLDA0ODw'

const groupMetadata: GroupRecord = {
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
        subscription: hex('0001'),
        assignment: hex('')
      }
    ]
  }
}

// Written by Apache Kafka's own serializer.
const GOLDEN: [string, GroupRecord, string, string][] = [
  [
    'a commit',
    { type: 'OffsetCommit', key, value: commit },
    '0001 0001 67 0003 666f6f 00000000',
    '0004 000000000000002a 00000003 02 6d 0000018bcfe56800 00'
  ],
  [
    'a commit with the id of its topic',
    { type: 'OffsetCommit', key, value: { ...commit, topicId: TOPIC_ID } },
    '0001 0001 67 0003 666f6f 00000000',
    '0004 000000000000002a 00000003 02 6d 0000018bcfe56800 01 00 10 000102030405060708090a0b0c0d0e0f'
  ],
  [
    'a group',
    groupMetadata,
    '0002 0001 67',
    `0003 0008 636f6e73756d6572 00000001 0005 72616e6765 0002 6d31 0000018bcfe56800 00000001 0002 6d31 ffff 0001 63
     000a 2f3132372e302e302e31 000493e0 0000afc8 00000002 0001 00000000`.replaceAll(/\s/g, '')
  ]
]

describe('records of __consumer_offsets', () => {
  it.each(GOLDEN)("the record of %s has Kafka's bytes", (_, record, keyHex, valueHex) => {
    expect(encodeRecord(record)).toEqual({ key: hex(keyHex), value: hex(valueHex) })
    expect(decodeRecord({ key: hex(keyHex), value: hex(valueHex) })).toEqual(record)
  })

  it('a commit with an explicit expiry is written in version 1, which alone has a field for it', () => {
    const value = { ...commit, expireTimestamp: 1_700_000_001_000n }
    const bytes = '0001 000000000000002a 0001 6d 0000018bcfe56800 0000018bcfe56be8'
    const written = encodeRecord({ type: 'OffsetCommit', key, value })
    expect(written.value).toEqual(hex(bytes))
    expect(decodeRecord(written)).toEqual({ type: 'OffsetCommit', key, value: { ...value, leaderEpoch: -1 } })
  })

  it('a commit in the version of older brokers can be read', () => {
    const value = hex('0003 000000000000002a 00000003 0001 6d 0000018bcfe56800')
    expect(decodeRecord({ key: hex('0000 0001 67 0003 666f6f 00000000'), value })).toEqual({
      type: 'OffsetCommit',
      key,
      value: commit
    })
  })

  it('a tombstone has no value', () => {
    const tombstone: GroupRecord = { type: 'GroupMetadata', key: { group: 'g' }, value: null }
    expect(encodeRecord(tombstone)).toEqual({ key: hex('0002 0001 67'), value: null })
    expect(decodeRecord({ key: hex('0002 0001 67'), value: null })).toEqual(tombstone)
  })

  it('records of other group types have a name, and records of unknown types have none', () => {
    const value = hex('0000')
    expect(decodeRecord({ key: hex('000b 0001 67'), value })).toMatchObject({ recordType: 'ShareGroupMetadata' })
    expect(decodeRecord({ key: hex('0063 0001 67'), value })).toEqual({
      type: 'Skipped',
      recordTypeId: 99,
      recordType: null
    })
  })

  it('a record of a known type with an unknown version or too few bytes is refused', () => {
    const ofGroup = hex('0002 0001 67')
    expect(() => decodeRecord({ key: ofGroup, value: hex('0005 0000') })).toThrow(MalformedFrame)
    expect(() => decodeRecord({ key: ofGroup, value: hex('0003 0008 636f') })).toThrow(MalformedFrame)
  })
})
