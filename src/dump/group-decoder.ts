/**
 * The records of __consumer_offsets. Where a classic group is one of consumers, what its members' bytes say is shown,
 * too.
 */
import { groupMetadataKey, groupMetadataValue, offsetCommitKey, offsetCommitValue } from '../group/records.ts'
import { ByteReader, MalformedFrame } from '../protocol/bytes.ts'
import { type Message, message } from '../protocol/compile.ts'
import { array, bytes, int32, nullableString, type Shape, string } from '../protocol/schema.ts'
import { coordinatorDecoder, type RecordType, recordType } from './coordinator-decoder.ts'
import { type Special, shapeJson } from './json-text.ts'
import { OTHER_GROUP_RECORDS } from './other-group-records.ts'

const GROUP_METADATA = 2
const LEGACY_OFFSET_COMMIT_LAST_VERSION = 4

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

const groupMetadata: RecordType = {
  ...recordType(groupMetadataKey, groupMetadataValue, 4, 4),
  specialIn: ({ protocolType }) => (protocolType === 'consumer' ? consumerProtocol : undefined)
}

/** The offsets and the members of groups. */
export const groupDecoder = coordinatorDecoder(
  new Map([
    [0, recordType(offsetCommitKey, offsetCommitValue, LEGACY_OFFSET_COMMIT_LAST_VERSION, 4)],
    [1, recordType(offsetCommitKey, offsetCommitValue, 4, 4)],
    [GROUP_METADATA, groupMetadata],
    ...Array.from(OTHER_GROUP_RECORDS, ([id, { key, value }]) => [id, recordType(key, value, 0, 0)] as const)
  ])
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
