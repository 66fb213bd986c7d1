import { expect, it } from 'vitest'
import type { ConsumerGroupRecord } from '../../../src/group/consumer/records.ts'
import { decodeRecord, encodeRecord } from '../../../src/group/records.ts'
import { MalformedFrame } from '../../../src/protocol/wire/bytes.ts'
import { hex } from '../../protocol/records/vectors.ts'
import { RECORDS } from './record-vectors.ts'

it.each(RECORDS)("the record of %s has Kafka's bytes", (_, record, key, value) => {
  expect(encodeRecord(record)).toEqual({ key: hex(key), value: hex(value) })
  expect(decodeRecord({ key: hex(key), value: hex(value) })).toEqual(record)
})

it.each(RECORDS)('the tombstone of %s has a key and no value', (_, record, key) => {
  const tombstone: ConsumerGroupRecord = { ...record, value: null }
  expect(encodeRecord(tombstone)).toEqual({ key: hex(key), value: null })
  expect(decodeRecord({ key: hex(key), value: null })).toEqual(tombstone)
})

it.each(RECORDS)('the record of %s is refused in an unknown version or with too few bytes', (_, __, key, value) => {
  expect(() => decodeRecord({ key: hex(key), value: hex(value.replace(/^0000/, '0001')) })).toThrow(MalformedFrame)
  expect(() => decodeRecord({ key: hex(key), value: hex(value).subarray(0, -1) })).toThrow(MalformedFrame)
})
