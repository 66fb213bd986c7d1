/**
 * The records of the coordinators' topics: a key is its type's number and its fields, a value its version and its
 * fields, no value a tombstone.
 */
import { ByteWriter } from './wire/byte-writer.ts'
import { ByteReader, MalformedFrame } from './wire/bytes.ts'
import { type Message, message } from './wire/compile.ts'
import type { Decoded, Encodable, Shape } from './wire/schema.ts'

/** A record as a log carries it. */
export interface KeyValue {
  readonly key: Buffer
  readonly value: Buffer | null
}

/** One type of record: its number, the versions of its value that can be read, and its codecs. */
export class RecordType<Key extends Shape, Value extends Shape> {
  readonly typeId: number
  readonly #lastVersion: number
  readonly key: Message<Key>
  readonly value: Message<Value>

  constructor(typeId: number, key: Key, value: Value, lastVersion: number, flexibleSince: number) {
    this.typeId = typeId
    this.#lastVersion = lastVersion
    this.key = message(key)
    this.value = message(value, flexibleSince)
  }

  encode(key: Encodable<Key>, value: Encodable<Value> | null, version: number): KeyValue {
    const keyBytes = numbered(this.typeId, writer => this.key.write(writer, key, 0))
    const write = value && ((writer: ByteWriter) => this.value.write(writer, value, version))
    return { key: keyBytes, value: write && numbered(version, write) }
  }

  /** `key` stands behind the type's number. */
  decode(key: ByteReader, value: Buffer | null): { key: Decoded<Key>; value: Decoded<Value> | null } {
    return { key: this.key.read(key, 0), value: value && this.#decodeValue(new ByteReader(value)) }
  }

  #decodeValue(reader: ByteReader): Decoded<Value> {
    const version = reader.int16()
    if (version < 0 || version > this.#lastVersion) {
      throw new MalformedFrame(`a record of type ${this.typeId} has a value of the unknown version ${version}`)
    }
    return this.value.read(reader, version)
  }
}

/** A type of record whose value has one version, 0, which is flexible: all that came with KIP-848 and after it. */
export function flexibleType<Key extends Shape, Value extends Shape>(
  typeId: number,
  key: Key,
  value: Value
): RecordType<Key, Value> {
  return new RecordType(typeId, key, value, 0, 0)
}

/** The records of a table of types: `type` is the name in the table, a null value a tombstone. */
export type RecordsOf<Types> = {
  [T in keyof Types]: Types[T] extends RecordType<infer Key, infer Value>
    ? { readonly type: T; readonly key: Decoded<Key>; readonly value: Decoded<Value> | null }
    : never
}[keyof Types]

function numbered(int16: number, write: (writer: ByteWriter) => void): Buffer {
  const writer = new ByteWriter()
  writer.int16(int16)
  write(writer)
  return writer.toBuffer()
}
