/**
 * The records of __consumer_offsets. Where a classic group is one of consumers, what its members' bytes say is shown,
 * too.
 */
import { GROUP_TYPES } from '../../group/records.ts'
import { RecordType } from '../../protocol/keyed-record.ts'
import { ByteReader, MalformedFrame } from '../../protocol/wire/bytes.ts'
import { type Message, message } from '../../protocol/wire/compile.ts'
import { array, bytes, int32, nullableString, type Shape, string } from '../../protocol/wire/schema.ts'
import { coordinatorDecoder } from './coordinator-decoder.ts'
import { type Special, shapeJson } from './json-text.ts'
import { OTHER_GROUP_TYPES } from './other-group-records.ts'

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

const consumerProtocol: Special = (name, value) => {
  if (!Buffer.isBuffer(value)) return undefined
  if (name === 'subscription') return protocolJson(SUBSCRIPTION, value)
  return name === 'assignment' ? protocolJson(ASSIGNMENT, value) : undefined
}

const { OffsetCommit, GroupMetadata } = GROUP_TYPES
/** As brokers before 0.9 wrote it, with the same fields. */
const legacyOffsetCommit = new RecordType(0, OffsetCommit.key.shape, OffsetCommit.value.shape, 4, 4)

/** The offsets and the members of groups. */
export const groupDecoder = coordinatorDecoder(
  [legacyOffsetCommit, ...Object.values(GROUP_TYPES), ...OTHER_GROUP_TYPES],
  (typeId, { protocolType }) =>
    typeId === GroupMetadata.typeId && protocolType === 'consumer' ? consumerProtocol : undefined
)

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
