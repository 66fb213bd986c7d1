/**
 * How single values lie on the wire, whatever message they are part of: numbers, strings, bytes, arrays, and their lengths,
 * which are bounded by what is left before anything is allocated.
 */
import { assert } from '../../runtime/assert.ts'
import { ERROR_CODES, type ErrorName, errorName } from '../errors.ts'
import type { ByteWriter } from './byte-writer.ts'
import { type ByteReader, MalformedFrame } from './bytes.ts'
import type { FixedType } from './schema.ts'

/** Reads and writes one value at one version. */
export interface Codec<T> {
  read(reader: ByteReader): T
  write(writer: ByteWriter, value: T): void
}

/** A value whose type the shape knows. */
// biome-ignore lint/suspicious/noExplicitAny: the compiler handles values of every type; shapes give them their types back
export type Value = any
/** The members of a struct, by name. */
export type Struct = Record<string, Value>

/** Of a number, a boolean, a UUID or an error code. */
export function fixedCodec(type: FixedType): Codec<Value> {
  if (type === 'errorCode') return errorCodec
  return { read: reader => reader[type](), write: (writer, value) => (writer[type] as (value: Value) => void)(value) }
}

const errorCodec: Codec<ErrorName> = {
  read(reader) {
    const code = reader.int16()
    const name = errorName(code)
    if (!name) throw new MalformedFrame(`${code} is no error code of Kafka`)
    return name
  },
  write: (writer, name) => writer.int16(ERROR_CODES[name])
}

/** A length prefix; null is -1. */
export type Lengths = Codec<number>

/** Of strings in versions that are not flexible. */
export const NARROW: Lengths = { read: reader => reader.int16(), write: (writer, length) => writer.int16(length) }
/** Of bytes and arrays in versions that are not flexible. */
export const WIDE: Lengths = { read: reader => reader.int32(), write: (writer, length) => writer.int32(length) }
/** Of everything in flexible versions. */
export const COMPACT: Lengths = {
  read: reader => reader.uvarint() - 1,
  write: (writer, length) => writer.uvarint(length + 1)
}

/** Reads a length, -1 for null. Bounds it by what is left, so that nothing is allocated on a peer's word alone. */
function readLength(reader: ByteReader, lengths: Lengths, nullable: boolean): number {
  const length = lengths.read(reader)
  if (length > reader.remaining) throw new MalformedFrame(`a length of ${length}, but ${reader.remaining} bytes left`)
  if (length < -1) throw new MalformedFrame(`a length of ${length}`)
  if (length === -1 && !nullable) throw new MalformedFrame('null where a value must stand')
  return length
}

/** Writes the null length; a null that the version cannot carry is our own bug. */
function writeNull(writer: ByteWriter, lengths: Lengths, nullable: boolean): void {
  assert(nullable, 'null can be written in this version')
  lengths.write(writer, -1)
}

const LONGEST_STRING = 32_767

/** Of text. */
export function stringCodec(lengths: Lengths, nullable: boolean): Codec<string | null> {
  return {
    read(reader) {
      const length = readLength(reader, lengths, nullable)
      if (length > LONGEST_STRING) throw new MalformedFrame(`a string of ${length} bytes`)
      return length < 0 ? null : reader.utf8(length)
    },
    write(writer, value) {
      if (value === null) return writeNull(writer, lengths, nullable)
      const encoded = Buffer.from(value, 'utf8')
      lengths.write(writer, encoded.length)
      writer.bytes(encoded)
    }
  }
}

/** Of bytes, records among them. */
export function bytesCodec(lengths: Lengths, nullable: boolean): Codec<Buffer | null> {
  return {
    read(reader) {
      const length = readLength(reader, lengths, nullable)
      return length < 0 ? null : reader.bytes(length)
    },
    write(writer, value) {
      if (value === null) return writeNull(writer, lengths, nullable)
      lengths.write(writer, value.length)
      writer.bytes(value)
    }
  }
}

/** Of elements that follow their count. */
export function arrayCodec(element: Codec<Value>, lengths: Lengths, nullable: boolean): Codec<Value[] | null> {
  return {
    read(reader) {
      const count = readLength(reader, lengths, nullable)
      if (count < 0) return null
      reader.spend(count)
      const values: Value[] = []
      for (let index = 0; index < count; index++) values.push(element.read(reader))
      return values
    },
    write(writer, values) {
      if (values === null) return writeNull(writer, lengths, nullable)
      lengths.write(writer, values.length)
      for (const value of values) element.write(writer, value)
    }
  }
}

/** Of a struct that may be null, as a byte before it tells: 1 where it is not, less where it is. */
export function nullableStructCodec(codec: Codec<Struct>, isTagged: boolean): Codec<Struct | null> {
  const nullMark = isTagged ? 0 : -1
  return {
    read: reader => (reader.int8() <= nullMark ? null : codec.read(reader)),
    write(writer, value) {
      writer.int8(value === null ? nullMark : 1)
      if (value !== null) codec.write(writer, value)
    }
  }
}
