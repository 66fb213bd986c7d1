/** Records of the option `records` as bytes. */
import { expect, it } from 'vitest'
import { choosePartition, murmur2, newRecord } from '../../src/testing/new-record.ts'

it.each([
  ['21', -973932308],
  ['foobar', -790332482],
  ['a-little-bit-long-string', -985981536],
  ['a-little-bit-longer-string', -1486304829],
  ['lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8', -58897971],
  ['abc', 479470107]
])('murmur2 of %s is that of the tests of Apache Kafka', (text, hash) => {
  expect(murmur2(Buffer.from(text))).toBe(hash)
})

it('a key chooses the partition by its positive hash, also an empty key', () => {
  const topic = { partitionCount: 7, nextPartition: 0 }
  expect(choosePartition({ key: Buffer.from('21') }, topic)).toBe((-973932308 & 0x7fff_ffff) % 7)
  expect(choosePartition({ key: Buffer.alloc(0) }, topic)).toBe((murmur2(Buffer.alloc(0)) & 0x7fff_ffff) % 7)
})

it('records without a key take turns through the partitions', () => {
  const topic = { partitionCount: 3, nextPartition: 0 }
  expect([1, 2, 3, 4].map(() => choosePartition({ key: null }, topic))).toEqual([0, 1, 2, 0])
})

it('a record has its bytes, its headers in order and the current time by default', () => {
  const bytes = new Uint8Array([0, 1, 2]).subarray(1)
  const headers = { a: 'x', b: [null, bytes, 'y'], absent: undefined, none: [] }
  expect(newRecord({ topic: 't', key: bytes, value: 'ü', headers }, 17)).toEqual({
    timestamp: 17n,
    key: Buffer.from([1, 2]),
    value: Buffer.from('ü'),
    headers: [
      { key: 'a', value: Buffer.from('x') },
      { key: 'b', value: null },
      { key: 'b', value: Buffer.from([1, 2]) },
      { key: 'b', value: Buffer.from('y') }
    ]
  })
  expect(newRecord({ topic: 't', timestamp: new Date(5) }, 17)).toEqual({
    timestamp: 5n,
    key: null,
    value: null,
    headers: []
  })
})
