/**
 * Records of the logs in which coordinators keep their state: a key that begins with its type, a value that begins with
 * its version. What cannot be decoded takes the place of the key, as in Kafka's tool.
 */
import { ByteReader, MalformedFrame } from '../protocol/bytes.ts'
import { type Message, message } from '../protocol/compile.ts'
import type { Shape } from '../protocol/schema.ts'
import { isAboutBytes, type RecordDecoder } from './decoders.ts'
import { Json, type Pair } from './items.ts'
import { type Special, shapeJson } from './json-text.ts'

/** How the records of one type are laid out. */
export interface RecordType {
  readonly key: Message<Shape>
  readonly value: Message<Shape>
  readonly lastVersion: number
  /** What is shown otherwise than the layout says, in a record of these fields. */
  readonly specialIn: (fields: Readonly<Record<string, unknown>>) => Special | undefined
}

/** A type of which all is shown as it is laid out. */
export function recordType(key: Shape, value: Shape, lastVersion: number, flexibleSince: number): RecordType {
  return { key: message(key), value: message(value, flexibleSince), lastVersion, specialIn: () => undefined }
}

/** Decodes type and fields of the key, version and fields of the value. Throws MalformedFrame for a record without a key. */
export function coordinatorDecoder(types: ReadonlyMap<number, RecordType>): RecordDecoder {
  return ({ offset, key, value }) => {
    if (key === null) throw new MalformedFrame(`the record at offset ${offset} has no key, which the decoder needs`)
    try {
      const reader = new ByteReader(key)
      const typeId = reader.int16()
      const type = types.get(typeId)
      if (!type) return [['key', `Unknown record type ${typeId} at offset ${offset}, skipping.`]]
      return decoded(typeId, type, reader, value)
    } catch (error) {
      if (!isAboutBytes(error)) throw error
      return [['key', `Error at offset ${offset}, skipping. ${error.message}`]]
    }
  }
}

function decoded(typeId: number, type: RecordType, key: ByteReader, value: Buffer | null): Pair[] {
  const keyJson = shapeJson(type.key.shape, type.key.read(key, 0), 0)
  return [
    ['key', new Json(`{"type":"${typeId}","data":${keyJson}}`)],
    ['payload', value === null ? '<DELETE>' : valueJson(typeId, type, new ByteReader(value))]
  ]
}

function valueJson(typeId: number, { value, lastVersion, specialIn }: RecordType, reader: ByteReader): Json {
  const version = reader.int16()
  if (version < 0 || version > lastVersion) {
    throw new MalformedFrame(`a record of type ${typeId} has a value of the unknown version ${version}`)
  }
  const fields = value.read(reader, version)
  return new Json(`{"version":"${version}","data":${shapeJson(value.shape, fields, version, specialIn(fields))}}`)
}
