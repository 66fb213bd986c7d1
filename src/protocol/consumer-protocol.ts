/**
 * The consumer protocol: metadata and assignments of consumers in a classic group, as bytes in JoinGroup and SyncGroup. The
 * coordinator decodes them for classic members of a consumer group. The bytes begin with the version. Every version begins with
 * the fields of the previous version, so a newer version is decoded as the newest declared one.
 */
import { ByteWriter } from './wire/byte-writer.ts'
import { ByteReader, MalformedFrame } from './wire/bytes.ts'
import { type Message, message } from './wire/compile.ts'
import { array, bytes, type Decoded, int32, nullableString, type Shape, string } from './wire/schema.ts'

/** The protocol type of consumers in groups and in JoinGroup. */
export const CONSUMER_PROTOCOL = 'consumer'

/** The newest declared version. */
export const CONSUMER_PROTOCOL_NEWEST = 3

const userData = bytes.nullableSince(0).or(null)
const topicPartitions = array({ topic: string, partitions: array(int32) })

const subscription = {
  topics: array(string),
  userData,
  ownedPartitions: topicPartitions.since(1).or([]),
  generationId: int32.since(2).or(-1),
  rackId: nullableString.since(3)
}

const assignment = { assignedPartitions: topicPartitions, userData }

/** Metadata of a member in JoinGroup, after the version. */
export const ConsumerProtocolSubscription = message(subscription)
/** Assignment of a member in SyncGroup, after the version. */
export const ConsumerProtocolAssignment = message(assignment)

/** Subscription of a consumer. Fields that its version lacks have their defaults. */
export type Subscription = Decoded<typeof subscription>

/** Assignment that the group leader sends for a consumer. */
export type EmbeddedAssignment = Decoded<typeof assignment>

/** The version, at most CONSUMER_PROTOCOL_NEWEST; null if it is missing or negative. */
export function versionOf(bytes: Buffer): number | null {
  const version = bytes.length < 2 ? -1 : bytes.readInt16BE(0)
  return version < 0 ? null : Math.min(version, CONSUMER_PROTOCOL_NEWEST)
}

/** The subscription as a view of the bytes; null if they are malformed. */
export function readSubscription(bytes: Buffer): Subscription | null {
  return read(ConsumerProtocolSubscription, bytes, versionOf(bytes))
}

/** The subscribed topics, in any version; null if the bytes are malformed. */
export function subscribedTopicsOf(bytes: Buffer): readonly string[] | null {
  return read(ConsumerProtocolSubscription, bytes, 0)?.topics ?? null
}

/** The assignment as a view of the bytes; null if they are malformed. */
export function readAssignment(bytes: Buffer): EmbeddedAssignment | null {
  return read(ConsumerProtocolAssignment, bytes, versionOf(bytes))
}

/** Encodes an assignment without user data. */
export function writeAssignment(
  assignedPartitions: readonly { readonly topic: string; readonly partitions: readonly number[] }[],
  version: number
): Buffer {
  const writer = new ByteWriter()
  writer.int16(version)
  ConsumerProtocolAssignment.write(writer, { assignedPartitions, userData: null }, version)
  return writer.toBuffer()
}

function read<S extends Shape>(message: Message<S>, bytes: Buffer, version: number | null): Decoded<S> | null {
  if (version === null) return null
  try {
    const reader = new ByteReader(bytes)
    reader.int16()
    return message.read(reader, version)
  } catch (error) {
    if (error instanceof MalformedFrame) return null
    throw error
  }
}
