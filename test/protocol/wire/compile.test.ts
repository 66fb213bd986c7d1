import { describe, expect, it } from 'vitest'
import { MalformedFrame } from '../../../src/protocol/wire/bytes.ts'
import { message } from '../../../src/protocol/wire/compile.ts'
import {
  array,
  boolean,
  bytes,
  errorCode,
  int8,
  int16,
  int32,
  int64,
  nullableString,
  string,
  struct,
  uuid
} from '../../../src/protocol/wire/schema.ts'

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex')

describe('a message', () => {
  const shape = {
    name: string,
    rack: nullableString.since(1).or(null),
    old: int16.until(0).or(7),
    parts: array({ id: int32, ok: boolean.since(2) }),
    epoch: int64.tagged(0, 2).or(-1n),
    node: struct({ id: int32, port: int16 }).tagged(3, 2)
  }
  const codec = message(shape, 2)

  it('has fixed lengths in versions that are not flexible', () => {
    const encoded = codec.encode({ name: 'ab', old: 1, parts: [{ id: 5, ok: true }] }, 0)
    expect(encoded).toEqual(hex('0002 6162 0001 00000001 00000005'))
  })

  it('has compact lengths and structs that end with tagged fields in flexible versions', () => {
    const encoded = codec.encode({ name: 'ab', rack: 'r', parts: [{ id: 5, ok: true }], epoch: 2n }, 2)
    expect(encoded).toEqual(hex('03 6162 02 72 02 00000005 01 00 01 00 08 0000000000000002'))
  })

  it('reads a field that the version lacks as its default', () => {
    expect(codec.decode(hex('0001 61 ffff 00000000'), 1 - 1)).toEqual({
      name: 'a',
      rack: null,
      old: -1,
      parts: [],
      epoch: -1n,
      node: { id: 0, port: 0 }
    })
  })

  it('omits tagged fields that equal their defaults, including structs', () => {
    const encoded = codec.encode({ name: '', parts: [], epoch: -1n, node: { id: 0, port: 0 } }, 2)
    expect(encoded).toEqual(hex('01 00 01 00'))
  })

  it('skips unknown tags', () => {
    expect(codec.decode(hex('01 00 01 01 63 02 abcd'), 2).name).toBe('')
  })

  it('is refused with bytes left over', () => {
    expect(() => codec.decode(hex('01 00 01 00 ff'), 2)).toThrow(MalformedFrame)
  })

  it('is refused with a tagged field that is longer than its value', () => {
    expect(() => codec.decode(hex('01 00 01 01 00 09 0000000000000002 00'), 2)).toThrow(/longer than its value/)
  })

  it('is refused before an allocation when an array count exceeds the frame', () => {
    expect(() => codec.decode(hex('0000 0001 7fffffff'), 0)).toThrow(MalformedFrame)
  })

  it('is refused with more array elements than the limit, however small they are', () => {
    const nested = message({ outer: array({ inner: array(int8) }) })
    const tooMany = Buffer.alloc(4 + 100_001 * 4)
    tooMany.writeInt32BE(100_001)
    expect(() => nested.decode(tooMany, 0)).toThrow(/array elements/)
  })

  it('is refused with null in a field that the version does not declare nullable', () => {
    expect(() => codec.decode(hex('00'), 2)).toThrow(/null/)
  })

  it('round-trips and is refused at every cut', () => {
    const value = { name: 'héé', rack: null, old: 7, parts: [{ id: 1, ok: true }], epoch: 9n, node: { id: 1, port: 2 } }
    const encoded = codec.encode(value, 2)
    expect(codec.decode(encoded, 2)).toEqual(value)
    for (let cut = 0; cut < encoded.length; cut++) {
      expect(() => codec.decode(encoded.subarray(0, cut), 2)).toThrow(MalformedFrame)
    }
  })
})

describe('nullable structs, errors and uuids', () => {
  const codec = message({ cursor: struct({ at: int8 }).nullableSince(0), errorCode, id: uuid, raw: bytes }, 0)

  it('a nullable struct is marked as present or null by one byte', () => {
    const encoded = codec.encode(
      { cursor: null, errorCode: 'PRODUCER_FENCED', id: 'AAECAwQFBgcICQoLDA0ODw', raw: Buffer.of(1) },
      0
    )
    expect(encoded).toEqual(hex('ff 005a 000102030405060708090a0b0c0d0e0f 02 01 00'))
    expect(codec.decode(encoded, 0).errorCode).toBe('PRODUCER_FENCED')
  })

  it('a nullable struct in a tagged field has another mark, and null is not its default', () => {
    const codec = message({ cursor: struct({ at: int8 }).nullableSince(0).tagged(3, 0) }, 0)
    const vectors: [{ at: number } | null, string][] = [
      [null, '01 03 01 00'],
      [{ at: 5 }, '01 03 03 01 05 00'],
      [{ at: 0 }, '00']
    ]
    for (const [cursor, encoded] of vectors) {
      expect(codec.encode({ cursor }, 0)).toEqual(hex(encoded))
      expect(codec.decode(hex(encoded), 0)).toEqual({ cursor })
    }
  })

  it('an error code that Kafka does not have is refused', () => {
    expect(() => codec.decode(hex('ff 7fff 000102030405060708090a0b0c0d0e0f 02 01 00'), 0)).toThrow(
      /error code 32767 is unknown/
    )
  })
})
