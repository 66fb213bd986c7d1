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

  it('writes fixed lengths in versions that are not flexible', () => {
    const encoded = codec.encode({ name: 'ab', old: 1, parts: [{ id: 5, ok: true }] }, 0)
    expect(encoded).toEqual(hex('0002 6162 0001 00000001 00000005'))
  })

  it('writes compact lengths and ends structs with tagged fields in flexible versions', () => {
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

  it('leaves out tagged fields that equal their defaults, structs included', () => {
    const encoded = codec.encode({ name: '', parts: [], epoch: -1n, node: { id: 0, port: 0 } }, 2)
    expect(encoded).toEqual(hex('01 00 01 00'))
  })

  it('skips tags that it does not know', () => {
    expect(codec.decode(hex('01 00 01 01 63 02 abcd'), 2).name).toBe('')
  })

  it('refuses bytes left over', () => {
    expect(() => codec.decode(hex('01 00 01 00 ff'), 2)).toThrow(MalformedFrame)
  })

  it('refuses a tagged field that is longer than its value', () => {
    expect(() => codec.decode(hex('01 00 01 01 00 09 0000000000000002 00'), 2)).toThrow(/longer than its value/)
  })

  it('refuses an array count beyond what the frame can hold, before allocating', () => {
    expect(() => codec.decode(hex('0000 0001 7fffffff'), 0)).toThrow(MalformedFrame)
  })

  it('refuses more array elements than a message may have, however small they are', () => {
    const nested = message({ outer: array({ inner: array(int8) }) })
    const tooMany = Buffer.alloc(4 + 100_001 * 4)
    tooMany.writeInt32BE(100_001)
    expect(() => nested.decode(tooMany, 0)).toThrow(/array elements/)
  })

  it('refuses null where the version has no null', () => {
    expect(() => codec.decode(hex('00'), 2)).toThrow(/null/)
  })

  it('round-trips and fails on every truncation', () => {
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

  it('marks a struct as present or null by one byte', () => {
    const encoded = codec.encode(
      { cursor: null, errorCode: 'PRODUCER_FENCED', id: 'AAECAwQFBgcICQoLDA0ODw', raw: Buffer.of(1) },
      0
    )
    expect(encoded).toEqual(hex('ff 005a 000102030405060708090a0b0c0d0e0f 02 01 00'))
    expect(codec.decode(encoded, 0).errorCode).toBe('PRODUCER_FENCED')
  })

  it('marks it otherwise in a tagged field, where null is no default', () => {
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

  it('refuses an error code that Kafka does not have', () => {
    expect(() => codec.decode(hex('ff 7fff 000102030405060708090a0b0c0d0e0f 02 01 00'), 0)).toThrow(/no error code/)
  })
})
