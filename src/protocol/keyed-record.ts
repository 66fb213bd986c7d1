/**
 * Records of the coordinators' topics. A key is the number of its record type, then its fields. A value is its version, then its
 * fields. A record without a value is a tombstone.
 */
import { ByteWriter } from './wire/byte-writer.ts'
import { ByteReader, MalformedFrame } from './wire/bytes.ts'
import { type Message, message } from './wire/compile.ts'
import type { Decoded, Encodable, Shape } from './wire/schema.ts'

/** Encoded key and value of a record. */
export interface KeyValue {
  readonly key: Buffer
  readonly value: Buffer | null
}

/** A record type: its number, the readable versions of its value, and its codecs. */
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

  /** Decodes a record. The reader `key` is positioned after the number of the type. */
  decode(key: ByteReader, value: Buffer | null): { key: Decoded<Key>; value: Decoded<Value> | null } {
    return { key: this.key.read(key, 0), value: value && this.#decodeValue(new ByteReader(value)) }
  }

  #decodeValue(reader: ByteReader): Decoded<Value> {
    const version = reader.int16()
    if (version < 0 || version > this.#lastVersion) {
      throw new MalformedFrame(`the version ${version} of the value of a record of type ${this.typeId} is unknown`)
    }
    return this.value.read(reader, version)
  }
}

/** A record type whose value has only version 0, which is flexible: the types of KIP-848 and later KIPs. */
export function flexibleType<Key extends Shape, Value extends Shape>(
  typeId: number,
  key: Key,
  value: Value
): RecordType<Key, Value> {
  return new RecordType(typeId, key, value, 0, 0)
}

/** A record of a type that this broker does not serve. `recordType` is null if the type is unknown. */
export class SkippedRecord {
  readonly type = 'Skipped'
  readonly recordTypeId: number
  readonly recordType: string | null

  constructor(recordTypeId: number, recordType: string | null) {
    this.recordTypeId = recordTypeId
    this.recordType = recordType
  }
}

/** Records of a table of types: `type` is the name in the table; a null value is a tombstone. */
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
