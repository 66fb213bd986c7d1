import { describe, expect, it } from 'vitest'
import {
  readAssignment,
  readSubscription,
  subscribedTopicsOf,
  versionOf,
  writeAssignment
} from '../../src/protocol/consumer-protocol.ts'

const version = '0000'
const topics = '00000002 0003666f6f 0003626172'
const hex = (...parts: string[]) => Buffer.from(parts.join('').replaceAll(' ', ''), 'hex')

describe('the topics of a subscription', () => {
  it('are read in any version, with any bytes after the first fields', () => {
    expect(subscribedTopicsOf(hex(version, topics, 'ffffffff'))).toEqual(['foo', 'bar'])
    expect(subscribedTopicsOf(hex('0003', topics, '00000001aa', '00000000', 'ffffffff', 'ffff'))).toEqual([
      'foo',
      'bar'
    ])
    expect(subscribedTopicsOf(hex(version, '00000000', '00000000'))).toEqual([])
  })

  it('are undefined for bytes that are no subscription', () => {
    for (const bytes of ['', '00', version, `${version}00000001`, `${version}7fffffff`]) {
      expect(subscribedTopicsOf(hex(bytes))).toBeNull()
    }
  })

  it('are undefined, as in Kafka, without user data or with user data cut short', () => {
    expect(subscribedTopicsOf(hex(version, topics))).toBeNull()
    expect(subscribedTopicsOf(hex(version, topics, '00000002aa'))).toBeNull()
  })
})

// Written by Apache Kafka's own class: topics foo and bar, user data, owned foo 0 and 3 and bar 7, generation 5, rack r1.
const START = '00000002 0003626172 0003666f6f 00000003010203'
const OWNED = '00000002 0003626172 00000001 00000007 0003666f6f 00000002 00000000 00000003'
const SUBSCRIPTIONS = [
  ['0000', START],
  ['0001', START, OWNED],
  ['0002', START, OWNED, '00000005'],
  ['0003', START, OWNED, '00000005', '00027231']
]
const ownedPartitions = [
  { topic: 'bar', partitions: [7] },
  { topic: 'foo', partitions: [0, 3] }
]
const ALL = {
  topics: ['bar', 'foo'],
  userData: Buffer.of(1, 2, 3),
  ownedPartitions,
  generationId: 5,
  rackId: 'r1'
}

describe('a subscription', () => {
  it('is read in every version, with defaults for missing fields', () => {
    const [first, second, third, fourth] = SUBSCRIPTIONS.map(parts => readSubscription(hex(...parts)))
    expect(first).toEqual({ ...ALL, ownedPartitions: [], generationId: -1, rackId: null })
    expect(second).toEqual({ ...ALL, generationId: -1, rackId: null })
    expect(third).toEqual({ ...ALL, rackId: null })
    expect(fourth).toEqual(ALL)
  })

  it('of a consumer without partitions is read', () => {
    const plain = '00000001 0003666f6f ffffffff 00000000 ffffffff ffff'
    const nothing = { userData: null, ownedPartitions: [], generationId: -1, rackId: null }
    expect(readSubscription(hex('0003', plain))).toEqual({ topics: ['foo'], ...nothing })
  })

  it('of a newer version is read as the newest supported version', () => {
    expect(readSubscription(hex('0009', START, OWNED, '00000005', '00027231', 'abcdef'))).toEqual(ALL)
  })

  it('is undefined when it is cut short or has a negative version', () => {
    const [first = [], , , fourth = []] = SUBSCRIPTIONS
    const whole = hex(...fourth)
    for (let length = 0; length < whole.length; length++) expect(readSubscription(whole.subarray(0, length))).toBeNull()
    expect(readSubscription(hex('ffff', ...first.slice(1)))).toBeNull()
  })
})

// Written by Apache Kafka's own class, the same in every version.
const ASSIGNED = '00000002 0003666f6f 00000002 00000000 00000003 0003626172 00000001 00000007'
const assignedPartitions = [
  { topic: 'foo', partitions: [0, 3] },
  { topic: 'bar', partitions: [7] }
]

describe('an assignment', () => {
  it('is read and written in every version', () => {
    for (const version of [0, 1, 2, 3]) {
      const bytes = hex(`000${version}`, ASSIGNED, 'ffffffff')
      expect(writeAssignment(assignedPartitions, version)).toEqual(bytes)
      expect(readAssignment(bytes)).toEqual({ assignedPartitions, userData: null })
    }
    expect(writeAssignment([], 3)).toEqual(hex('0003 00000000 ffffffff'))
  })

  it('is read with its user data', () => {
    const userData = Buffer.of(1, 2, 3)
    expect(readAssignment(hex('0001', ASSIGNED, '00000003010203'))).toEqual({ assignedPartitions, userData })
  })

  it('is undefined when it is cut short', () => {
    const whole = hex('0000', ASSIGNED, 'ffffffff')
    for (let length = 0; length < whole.length; length++) expect(readAssignment(whole.subarray(0, length))).toBeNull()
  })
})

it('the version of a subscription is limited to the newest supported one, and undefined without two bytes for it', () => {
  expect([hex('0000'), hex('000201'), hex('0003'), hex('7fff')].map(versionOf)).toEqual([0, 2, 3, 3])
  expect([hex(''), hex('00'), hex('ffff')].map(versionOf)).toEqual([null, null, null])
})
