import { describe, expect, it } from 'vitest'
import { ByteWriter } from '../../../src/protocol/wire/byte-writer.ts'
import { ByteReader, MalformedFrame, ZERO_UUID } from '../../../src/protocol/wire/bytes.ts'

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex')

/** The bytes that `write` writes. */
function written(write: (writer: ByteWriter) => void): Buffer {
  const writer = new ByteWriter()
  write(writer)
  return writer.toBuffer()
}

describe('numbers', () => {
  it.each([
    ['int8', -128, '80'],
    ['int8', 127, '7f'],
    ['int16', -2, 'fffe'],
    ['uint16', 65_535, 'ffff'],
    ['int32', -(2 ** 31), '80000000'],
    ['int32', 2 ** 31 - 1, '7fffffff'],
    ['uint32', 2 ** 32 - 1, 'ffffffff'],
    ['float64', -1.5, 'bff8000000000000'],
    ['uvarint', 0, '00'],
    ['uvarint', 127, '7f'],
    ['uvarint', 128, '8001'],
    ['uvarint', 2 ** 32 - 1, 'ffffffff0f'],
    ['varint', 0, '00'],
    ['varint', -1, '01'],
    ['varint', 1, '02'],
    ['varint', -65, '8101'],
    ['varint', 2 ** 31 - 1, 'feffffff0f'],
    ['varint', -(2 ** 31), 'ffffffff0f']
  ] as const)('%s %d is written and read as %s', (type, value, encoded) => {
    expect(written(writer => writer[type](value))).toEqual(hex(encoded))
    expect(new ByteReader(hex(encoded))[type]()).toBe(value)
  })

  it.each([
    ['int64', 2n ** 63n - 1n, '7fffffffffffffff'],
    ['int64', -(2n ** 63n), '8000000000000000'],
    ['varlong', 0n, '00'],
    ['varlong', -1n, '01'],
    ['varlong', 2n ** 31n, '8080808010'],
    ['varlong', 2n ** 63n - 1n, 'feffffffffffffffff01'],
    ['varlong', -(2n ** 63n), 'ffffffffffffffffff01']
  ] as const)('%s %d is written and read as %s', (type, value, encoded) => {
    expect(written(writer => writer[type](value))).toEqual(hex(encoded))
    expect(new ByteReader(hex(encoded))[type]()).toBe(value)
  })

  it('a boolean reads as true from every byte but 0, as in Kafka', () => {
    expect(new ByteReader(hex('02')).boolean()).toBe(true)
    expect(new ByteReader(hex('00')).boolean()).toBe(false)
    expect(written(writer => writer.boolean(true))).toEqual(hex('01'))
  })

  it('a varint of more than 5 bytes and a varlong of more than 10 are refused', () => {
    expect(() => new ByteReader(hex('808080808001')).uvarint()).toThrow(/longer than 5/)
    expect(() => new ByteReader(hex('8080808080808080808001')).varlong()).toThrow(/longer than 10/)
  })
})

describe('uuids', () => {
  it('are 22 characters of base64url for 16 bytes', () => {
    const encoded = hex('000102030405060708090a0b0c0d0e0f')
    expect(new ByteReader(encoded).uuid()).toBe('AAECAwQFBgcICQoLDA0ODw')
    expect(written(writer => writer.uuid('AAECAwQFBgcICQoLDA0ODw'))).toEqual(encoded)
    expect(new ByteReader(Buffer.alloc(16)).uuid()).toBe(ZERO_UUID)
  })

  it('are refused when they are too short', () => {
    expect(() => written(writer => writer.uuid('AAECAw'))).toThrow(/not a uuid/)
  })
})

describe('a reader', () => {
  it('never reads beyond the end of its window', () => {
    const reader = new ByteReader(hex('01 0203 04'), 1, 3)
    expect(reader.remaining).toBe(2)
    expect(() => reader.int32()).toThrow(MalformedFrame)
    expect(reader.int16()).toBe(0x0203)
    expect(() => reader.int8()).toThrow(/1 bytes are required at position 3, but 0 remain/)
  })

  it('refuses negative and excessive lengths without moving', () => {
    const reader = new ByteReader(hex('0102'))
    for (const length of [-1, 3, 2 ** 31]) {
      expect(() => reader.bytes(length)).toThrow(MalformedFrame)
      expect(() => reader.utf8(length)).toThrow(MalformedFrame)
      expect(() => reader.window(length)).toThrow(MalformedFrame)
    }
    expect(reader.position).toBe(0)
  })

  it('returns byte strings as views, without a copy', () => {
    const frame = hex('010203')
    const view = new ByteReader(frame, 1).bytes(2)
    frame.writeUInt8(9, 1)
    expect(view).toEqual(hex('0903'))
  })

  it('continues after a window, read or unread', () => {
    const reader = new ByteReader(hex('0102 03'))
    const window = reader.window(2)
    expect(reader.int8()).toBe(3)
    expect(window.int16()).toBe(0x0102)
    expect(window.remaining).toBe(0)
  })
})

describe('a writer', () => {
  it('grows beyond its first chunk and keeps the order', () => {
    const writer = new ByteWriter(4)
    for (let value = 0; value < 1000; value++) writer.int16(value)
    expect(writer.length).toBe(2000)
    const output = writer.toBuffer()
    for (let value = 0; value < 1000; value++) expect(output.readInt16BE(value * 2)).toBe(value)
  })

  it('passes on long byte strings without a copy and copies short ones', () => {
    const long = Buffer.alloc(5000, 1)
    const short = Buffer.alloc(5, 2)
    const writer = new ByteWriter()
    writer.int8(7)
    writer.bytes(long)
    writer.bytes(short)
    const chunks = writer.chunks()
    expect(chunks[1]).toBe(long)
    short.fill(3)
    expect(Buffer.concat(chunks)).toEqual(Buffer.concat([hex('07'), long, Buffer.alloc(5, 2)]))
  })

  it('appends the bytes of another writer', () => {
    const other = new ByteWriter()
    other.int16(0x0203)
    const writer = new ByteWriter()
    writer.int8(1)
    writer.append(other)
    writer.int8(4)
    expect(writer.length).toBe(4)
    expect(writer.toBuffer()).toEqual(hex('01020304'))
  })

  it('without any write returns no bytes', () => {
    expect(new ByteWriter().toBuffer()).toEqual(Buffer.alloc(0))
  })

  it('refuses numbers that do not fit', () => {
    expect(() => written(writer => writer.int16(40_000))).toThrow(RangeError)
    expect(() => written(writer => writer.int64(2n ** 63n))).toThrow(RangeError)
  })
})
