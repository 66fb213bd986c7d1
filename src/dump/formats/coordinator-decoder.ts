/**
 * Records of the logs in which coordinators keep their state: a key that begins with its type, a value that begins with
 * its version. What cannot be decoded takes the place of the key, as in Kafka's tool.
 */

import type { RecordType } from '../../protocol/keyed-record.ts'
import { ByteReader, MalformedFrame } from '../../protocol/wire/bytes.ts'
import type { Shape } from '../../protocol/wire/schema.ts'
import { isAboutBytes, type RecordDecoder } from '../decoders.ts'
import { Json, type Pair } from '../items.ts'
import { type Special, shapeJson } from './json-text.ts'

type Type = RecordType<Shape, Shape>

type Fields = Readonly<Record<string, unknown>>

/** What is shown otherwise than the layout says, in a record of that type with these fields. */
export type SpecialIn = (typeId: number, fields: Fields) => Special | undefined

/** Decodes type and fields of the key, version and fields of the value. Throws MalformedFrame for a record without a key. */
export function coordinatorDecoder(types: readonly Type[], specialIn: SpecialIn = () => undefined): RecordDecoder {
  const byId = new Map(types.map(type => [type.typeId, type]))
  return ({ offset, key, value }) => {
    if (key === null) throw new MalformedFrame(`the record at offset ${offset} has no key, which the decoder needs`)
    try {
      const reader = new ByteReader(key)
      const typeId = reader.int16()
      const type = byId.get(typeId)
      if (!type) return [['key', `Unknown record type ${typeId} at offset ${offset}, skipping.`]]
      return decoded(type, specialIn, reader, value)
    } catch (error) {
      if (!isAboutBytes(error)) throw error
      return [['key', `Error at offset ${offset}, skipping. ${error.message}`]]
    }
  }
}

function decoded(type: Type, specialIn: SpecialIn, reader: ByteReader, valueBytes: Buffer | null): Pair[] {
  const { key, value } = type.decode(reader, valueBytes)
  const keyJson = shapeJson(type.key.shape, key, 0)
  const isTombstone = value === null || valueBytes === null
  return [
    ['key', new Json(`{"type":"${type.typeId}","data":${keyJson}}`)],
    [
      'payload',
      isTombstone ? '<DELETE>' : valueJson(type, value, valueBytes.readInt16BE(), specialIn(type.typeId, value))
    ]
  ]
}

function valueJson({ value }: Type, fields: Fields, version: number, special: Special | undefined): Json {
  return new Json(`{"version":"${version}","data":${shapeJson(value.shape, fields, version, special)}}`)
}
