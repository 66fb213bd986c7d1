import { expect, expectTypeOf, test } from 'vitest'
import { BrokerSettings } from '../../src/config/values.ts'

const texts = (values: Record<string, string>) => new Map(Object.entries(values))
const given = (values: Record<string, string>) => new BrokerSettings(texts(values))

test('a value has the type of its row in the table', () => {
  const settings = given({})
  expectTypeOf(settings.get('message.max.bytes')).toEqualTypeOf<number>()
  expectTypeOf(settings.get('log.retention.ms')).toEqualTypeOf<number | null>()
  expectTypeOf(settings.get('listeners')).toEqualTypeOf<readonly string[]>()
  expectTypeOf(settings.get('broker.rack')).toEqualTypeOf<string | null>()
  expectTypeOf(settings.topic().get('preallocate')).toEqualTypeOf<boolean>()
  expectTypeOf(settings.topic().get('internal.segment.bytes')).toEqualTypeOf<number | null>()
})

test("a topic's settings default to the broker's", () => {
  const topic = given({ 'message.max.bytes': '5', 'log.cleanup.policy': 'compact', 'log.roll.hours': '2' }).topic()
  expect(topic.get('max.message.bytes')).toBe(5)
  expect(topic.get('cleanup.policy')).toEqual(['compact'])
  expect(topic.get('segment.ms')).toBe(7_200_000)
  expect(topic.text('flush.ms')).toBe('9223372036854775807')
})

test('overrides of a topic win, and leave other topics alone', () => {
  const settings = given({ 'message.max.bytes': '5' })
  expect(settings.topic(texts({ 'max.message.bytes': ' 6 ' })).get('max.message.bytes')).toBe(6)
  expect(settings.topic().get('max.message.bytes')).toBe(5)
})

test('negative retention means unlimited, in every unit', () => {
  expect(given({ 'log.retention.hours': '-7' }).topic().get('retention.ms')).toBe(-1)
})

test('a test may have segments below the minimum', () => {
  expect(given({}).topic(texts({ 'internal.segment.bytes': '100' })).segmentBytes).toBe(100)
  expect(given({}).topic().segmentBytes).toBe(1_073_741_824)
})

test('a change for this broker wins over one for all brokers, and both over the start', () => {
  const start = given({ 'message.max.bytes': '1' })
  const all = start.withDynamic(new Map(), texts({ 'message.max.bytes': '2' }))
  const perBroker = all.withDynamic(texts({ 'message.max.bytes': '3' }), all.layers.clusterWide)
  expect([start, all, perBroker].map(settings => settings.get('message.max.bytes'))).toEqual([1, 2, 3])
  expect(perBroker.topic().get('max.message.bytes')).toBe(3)
})

test('a stored value counts as not set if it cannot be parsed or cannot change at run time', () => {
  const stored = texts({ 'message.max.bytes': 'x', 'num.partitions': '9', 'no.such': '1' })
  const settings = given({ 'message.max.bytes': '4' }).withDynamic(stored, stored)
  expect(settings.get('message.max.bytes')).toBe(4)
  expect(settings.get('num.partitions')).toBe(1)
  expect(settings.topic(texts({ 'segment.bytes': '14', 'no.such': '1' })).get('segment.bytes')).toBe(1_073_741_824)
})
