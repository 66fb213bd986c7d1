/**
 * The consumer protocol: the metadata and the assignments of consumers in a classic group, inside of JoinGroup and
 * SyncGroup. A coordinator reads them to have such members in a consumer group. The version comes first. Every version begins
 * with the fields of the version before, so a version newer than ours is read as our newest.
 */
import { ByteWriter } from './wire/byte-writer.ts'
import { ByteReader, MalformedFrame } from './wire/bytes.ts'
import { type Message, message } from './wire/compile.ts'
import { array, bytes, type Decoded, int32, nullableString, type Shape, string } from './wire/schema.ts'

/** The name of the protocol, as groups and JoinGroup have it for their type. */
export const CONSUMER_PROTOCOL = 'consumer'

/** The newest version that is declared here. */
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

/** The metadata of a member in JoinGroup, behind its version. */
export const ConsumerProtocolSubscription = message(subscription)
/** The assignment of a member in SyncGroup, behind its version. */
export const ConsumerProtocolAssignment = message(assignment)

/** What a consumer tells of itself; fields that its version lacks have their defaults. */
export type Subscription = Decoded<typeof subscription>

/** What a leader gives to a consumer. */
export type EmbeddedAssignment = Decoded<typeof assignment>

/** The version, null where there is none, or a negative one. */
export function versionOf(bytes: Buffer): number | null {
  const version = bytes.length < 2 ? -1 : bytes.readInt16BE(0)
  return version < 0 ? null : Math.min(version, CONSUMER_PROTOCOL_NEWEST)
}

/** A view on the bytes, or null when they are no subscription. */
export function readSubscription(bytes: Buffer): Subscription | null {
  return read(ConsumerProtocolSubscription, bytes, versionOf(bytes))
}

/** The subscribed topics alone, in whatever version; null when the bytes are not the consumer protocol's. */
export function subscribedTopicsOf(bytes: Buffer): readonly string[] | null {
  return read(ConsumerProtocolSubscription, bytes, 0)?.topics ?? null
}

/** A view on the bytes, or null when they are no assignment. */
export function readAssignment(bytes: Buffer): EmbeddedAssignment | null {
  return read(ConsumerProtocolAssignment, bytes, versionOf(bytes))
}

/** An assignment without user data. */
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
