/**
 * The records of __consumer_offsets. What cannot be decoded takes the place of the key, as in Kafka's tool; where a
 * classic group is one of consumers, what its members' bytes say is shown too.
 */
import { groupMetadataKey, groupMetadataValue, offsetCommitKey, offsetCommitValue } from '../group/records.ts'
import { ByteReader, MalformedFrame } from '../protocol/bytes.ts'
import { type Message, message } from '../protocol/compile.ts'
import { array, bytes, int32, nullableString, type Shape, string } from '../protocol/schema.ts'
import { type DumpedRecord, isAboutBytes } from './decoders.ts'
import { Json, type Pair } from './items.ts'
import { type Special, shapeJson } from './json-text.ts'
import { OTHER_GROUP_RECORDS } from './other-group-records.ts'

interface RecordType {
  readonly key: Message<Shape>
  readonly value: Message<Shape>
  readonly lastVersion: number
}

function type(key: Shape, value: Shape, lastVersion: number, flexibleSince: number): RecordType {
  return { key: message(key), value: message(value, flexibleSince), lastVersion }
}

const GROUP_METADATA = 2
const LEGACY_OFFSET_COMMIT_LAST_VERSION = 4

const TYPES: ReadonlyMap<number, RecordType> = new Map([
  [0, type(offsetCommitKey, offsetCommitValue, LEGACY_OFFSET_COMMIT_LAST_VERSION, 4)],
  [1, type(offsetCommitKey, offsetCommitValue, 4, 4)],
  [GROUP_METADATA, type(groupMetadataKey, groupMetadataValue, 4, 4)],
  ...Array.from(OTHER_GROUP_RECORDS, ([id, { key, value }]) => [id, type(key, value, 0, 0)] as const)
])

const partitions = array({ topic: string, partitions: array(int32) })
const userData = bytes.nullableSince(0).or(null)

const SUBSCRIPTION = message({
  topics: array(string),
  userData,
  ownedPartitions: partitions.since(1).or([]),
  generationId: int32.since(2).or(-1),
  rackId: nullableString.since(3)
})
const ASSIGNMENT = message({ assignedPartitions: partitions, userData })
const CONSUMER_PROTOCOL_LAST_VERSION = 3

/** Type and fields of the key, version and fields of the value. Throws MalformedFrame for a record without a key. */
export function groupDecoder({ offset, key, value }: DumpedRecord): Pair[] {
  if (key === null) throw new MalformedFrame(`the record at offset ${offset} has no key, which the decoder needs`)
  try {
    return decoded(key, value) ?? [['key', `Unknown record type ${key.readInt16BE()} at offset ${offset}, skipping.`]]
  } catch (error) {
    if (!isAboutBytes(error)) throw error
    return [['key', `Error at offset ${offset}, skipping. ${error.message}`]]
  }
}

function decoded(key: Buffer, value: Buffer | null): Pair[] | undefined {
  const reader = new ByteReader(key)
  const typeId = reader.int16()
  const known = TYPES.get(typeId)
  if (!known) return undefined
  const keyJson = shapeJson(known.key.shape, known.key.read(reader, 0), 0)
  return [
    ['key', new Json(`{"type":"${typeId}","data":${keyJson}}`)],
    ['payload', value === null ? '<DELETE>' : valueJson(typeId, known, new ByteReader(value))]
  ]
}

function valueJson(typeId: number, { value, lastVersion }: RecordType, reader: ByteReader): Json {
  const version = reader.int16()
  if (version < 0 || version > lastVersion) {
    throw new MalformedFrame(`a record of type ${typeId} has a value of the unknown version ${version}`)
  }
  const fields = value.read(reader, version)
  const special = typeId === GROUP_METADATA && fields.protocolType === 'consumer' ? consumerProtocol : undefined
  return new Json(`{"version":"${version}","data":${shapeJson(value.shape, fields, version, special)}}`)
}

const consumerProtocol: Special = (name, value) => {
  if (!Buffer.isBuffer(value)) return undefined
  if (name === 'subscription') return protocolJson(SUBSCRIPTION, value)
  return name === 'assignment' ? protocolJson(ASSIGNMENT, value) : undefined
}

/** Undefined for bytes that are something else: they are shown as bytes then. */
function protocolJson<S extends Shape>({ shape, read }: Message<S>, value: Buffer): string | undefined {
  try {
    const reader = new ByteReader(value)
    const version = reader.int16()
    if (version < 0 || version > CONSUMER_PROTOCOL_LAST_VERSION) return undefined
    return shapeJson(shape, read(reader, version), version)
  } catch (error) {
    if (error instanceof MalformedFrame) return undefined
    throw error
  }
}
