import { describe, expect, it } from 'vitest'
import { subscribedTopicsOf } from '../../../src/group/classic/subscription.ts'

const version = '0000'
const topics = '00000002 0003666f6f 0003626172'
const hex = (...parts: string[]) => Buffer.from(parts.join('').replaceAll(' ', ''), 'hex')

describe('the topics of a subscription', () => {
  it('are read whatever the version, and whatever comes after its first fields', () => {
    expect(subscribedTopicsOf(hex(version, topics, 'ffffffff'))).toEqual(['foo', 'bar'])
    expect(subscribedTopicsOf(hex('0003', topics, '00000001aa', '00000000', 'ffffffff', 'ffff'))).toEqual([
      'foo',
      'bar'
    ])
    expect(subscribedTopicsOf(hex(version, '00000000', '00000000'))).toEqual([])
  })

  it('are unknown where the bytes are no subscription', () => {
    for (const bytes of ['', '00', version, `${version}00000001`, `${version}7fffffff`]) {
      expect(subscribedTopicsOf(hex(bytes))).toBeNull()
    }
  })

  it('are unknown, as in Kafka, where user data is missing or cut short', () => {
    expect(subscribedTopicsOf(hex(version, topics))).toBeNull()
    expect(subscribedTopicsOf(hex(version, topics, '00000002aa'))).toBeNull()
  })
})
