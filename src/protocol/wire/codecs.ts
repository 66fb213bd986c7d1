/**
 * Codecs of single values: numbers, strings, bytes, arrays, and their lengths. Lengths are checked against the remaining bytes
 * before anything is allocated.
 */
import { assert } from '../../runtime/assert.ts'
import { ERROR_CODES, type ErrorName, errorName } from '../errors.ts'
import type { ByteWriter } from './byte-writer.ts'
import { type ByteReader, MalformedFrame } from './bytes.ts'
import type { FixedType } from './schema.ts'

/** Reads and writes a value in one version. */
export interface Codec<T> {
  read(reader: ByteReader): T
  write(writer: ByteWriter, value: T): void
}

/** A value whose type the shape determines. */
// biome-ignore lint/suspicious/noExplicitAny: the compiler handles values of every type; shapes give them their types back
export type Value = any
/** Members of a struct by name. */
export type Struct = Record<string, Value>

/** Codec of a number, a boolean, a UUID or an error code. */
export function fixedCodec(type: FixedType): Codec<Value> {
  if (type === 'errorCode') return errorCodec
  return { read: reader => reader[type](), write: (writer, value) => (writer[type] as (value: Value) => void)(value) }
}

const errorCodec: Codec<ErrorName> = {
  read(reader) {
    const code = reader.int16()
    const name = errorName(code)
    if (!name) throw new MalformedFrame(`the error code ${code} is unknown`)
    return name
  },
  write: (writer, name) => writer.int16(ERROR_CODES[name])
}

/** A length prefix; -1 is null. */
export type Lengths = Codec<number>

/** Lengths of strings in versions that are not flexible. */
export const NARROW: Lengths = { read: reader => reader.int16(), write: (writer, length) => writer.int16(length) }
/** Lengths of bytes and arrays in versions that are not flexible. */
export const WIDE: Lengths = { read: reader => reader.int32(), write: (writer, length) => writer.int32(length) }
/** All lengths in flexible versions. */
export const COMPACT: Lengths = {
  read: reader => reader.uvarint() - 1,
  write: (writer, length) => writer.uvarint(length + 1)
}

/** Reads a length; -1 is null. Checks it against the remaining bytes, so that a wrong length of a peer allocates nothing. */
function readLength(reader: ByteReader, lengths: Lengths, nullable: boolean): number {
  const length = lengths.read(reader)
  if (length > reader.remaining)
    throw new MalformedFrame(`a length of ${length} exceeds the remaining ${reader.remaining} bytes`)
  if (length < -1) throw new MalformedFrame(`the length ${length} is invalid`)
  if (length === -1 && !nullable) throw new MalformedFrame('a field is null, but must have a value')
  return length
}

/** Writes the null length. A null that the version does not allow is a bug of the broker. */
function writeNull(writer: ByteWriter, lengths: Lengths, nullable: boolean): void {
  assert(nullable, 'the field is nullable in this version')
  lengths.write(writer, -1)
}

const LONGEST_STRING = 32_767

/** Codec of text. */
export function stringCodec(lengths: Lengths, nullable: boolean): Codec<string | null> {
  return {
    read(reader) {
      const length = readLength(reader, lengths, nullable)
      if (length > LONGEST_STRING)
        throw new MalformedFrame(`a string has at most ${LONGEST_STRING} bytes, not ${length}`)
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

/** Codec of bytes and records. */
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

/** Codec of an array: the count, then the elements. */
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

/** Codec of a nullable struct. A byte before the struct is 1 if it is present, and -1 (0 in a tagged field) if it is null. */
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
