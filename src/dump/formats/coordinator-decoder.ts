/**
 * Decoders of the records of __consumer_offsets, __transaction_state and __cluster_metadata. As in DumpLogSegments, a record that
 * cannot be decoded shows the error instead of its key.
 */

import { GROUP_TYPES } from '../../group/records.ts'
import { SHARE_GROUP_TYPES } from '../../group/share/records.ts'
import { STREAMS_GROUP_TYPES } from '../../group/streams/records.ts'
import { decodeMetadataRecord, shapeOfType } from '../../metadata/records.ts'
import {
  CONSUMER_PROTOCOL,
  CONSUMER_PROTOCOL_NEWEST,
  ConsumerProtocolAssignment,
  ConsumerProtocolSubscription
} from '../../protocol/consumer-protocol.ts'
import { RecordType } from '../../protocol/keyed-record.ts'
import { ByteReader, MalformedFrame } from '../../protocol/wire/bytes.ts'
import type { Message } from '../../protocol/wire/compile.ts'
import type { Shape } from '../../protocol/wire/schema.ts'
import { TXN_TYPE } from '../../txn/records.ts'
import { type DumpedRecord, isAboutBytes, type RecordDecoder } from '../decoders.ts'
import { Json, type Pair } from '../items.ts'
import { jsonString, type Special, shapeJson } from './json-text.ts'

type Type = RecordType<Shape, Shape>

type Fields = Readonly<Record<string, unknown>>

/** The special rendering of fields in a record of that type with these fields; undefined for none. */
export type SpecialIn = (typeId: number, fields: Fields) => Special | undefined

/** A decoder of the given record types, for key and value. The decoder throws MalformedFrame for a record without a key. */
function coordinatorDecoder(types: readonly Type[], specialIn: SpecialIn = () => undefined): RecordDecoder {
  const byId = new Map(types.map(type => [type.typeId, type]))
  return ({ offset, key, value }) => {
    if (key === null)
      throw new MalformedFrame(`the record at offset ${offset} has no key, but the decoder requires one`)
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

/** Renders subscription and assignment of a classic group's members with the consumer protocol (ConsumerProtocol). */
const consumerProtocol: Special = (name, value) => {
  if (!Buffer.isBuffer(value)) return undefined
  if (name === 'subscription') return protocolJson(ConsumerProtocolSubscription, value)
  return name === 'assignment' ? protocolJson(ConsumerProtocolAssignment, value) : undefined
}

const { OffsetCommit, GroupMetadata } = GROUP_TYPES
/** OffsetCommit key of version 0, as brokers before 0.9 wrote it, with the same fields. */
const legacyOffsetCommit = new RecordType(0, OffsetCommit.key.shape, OffsetCommit.value.shape, 4, 4)

const TYPES = { ...GROUP_TYPES, ...SHARE_GROUP_TYPES, ...STREAMS_GROUP_TYPES }

/** The decoder of __consumer_offsets. */
export const groupDecoder = coordinatorDecoder(
  [legacyOffsetCommit, ...Object.values(TYPES)],
  (typeId, { protocolType }) =>
    typeId === GroupMetadata.typeId && protocolType === CONSUMER_PROTOCOL ? consumerProtocol : undefined
)

/** Renders bytes of the consumer protocol; undefined for other bytes, which are shown as base64. */
function protocolJson<S extends Shape>({ shape, read }: Message<S>, value: Buffer): string | undefined {
  try {
    const reader = new ByteReader(value)
    const version = reader.int16()
    if (version < 0 || version > CONSUMER_PROTOCOL_NEWEST) return undefined
    return shapeJson(shape, read(reader, version), version)
  } catch (error) {
    if (error instanceof MalformedFrame) return undefined
    throw error
  }
}

/** The decoder of __transaction_state. */
export const txnDecoder = coordinatorDecoder([TXN_TYPE])

/** Decodes type, version and fields of a record of __cluster_metadata or a checkpoint. An undecodable record shows its error. */
export function metadataDecoder({ offset, value }: DumpedRecord): Pair[] {
  try {
    if (value === null) throw new MalformedFrame('the metadata record has no value')
    const record = decodeMetadataRecord(value)
    const type = record.type.replace(/(?<=[a-z])(?=[A-Z])/g, '_').toUpperCase()
    const data = shapeJson(shapeOfType(record.type), { ...record }, record.version)
    return [['payload', new Json(`{"type":${jsonString(type)},"version":${record.version},"data":${data}}`)]]
  } catch (error) {
    if (!isAboutBytes(error)) throw error
    return [['payload', `Error at ${offset}, skipping. ${error.message}`]]
  }
}
