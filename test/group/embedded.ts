// Subscriptions and assignments of Kafka's consumer protocol, as bytes.
import { readAssignment, writeAssignment } from '../../src/protocol/consumer-protocol.ts'
import { ByteWriter } from '../../src/protocol/wire/byte-writer.ts'

/** Partitions by topic. */
export type Owned = Record<string, readonly number[]>

/** The subscription of a consumer, in version 3. */
export function subscriptionOf(topics: readonly string[], owned: Owned = {}, rackId: string | null = null): Buffer {
  const writer = new ByteWriter()
  const text = (value: string) => {
    writer.int16(value.length)
    for (const byte of Buffer.from(value)) writer.int8(byte)
  }
  writer.int16(3)
  writer.int32(topics.length)
  for (const topic of topics) text(topic)
  writer.int32(-1)
  writer.int32(Object.keys(owned).length)
  for (const [topic, partitions] of Object.entries(owned)) {
    text(topic)
    writer.int32(partitions.length)
    for (const partition of partitions) writer.int32(partition)
  }
  writer.int32(-1)
  if (rackId === null) writer.int16(-1)
  else text(rackId)
  return writer.toBuffer()
}

/** The assignment of a member. */
export function assignmentOf(owned: Owned): Buffer {
  const topics = Object.entries(owned).map(([topic, partitions]) => ({ topic, partitions }))
  return writeAssignment(topics, 3)
}

/** The partitions of an assignment from SyncGroup; undefined if the bytes are no assignment. */
export function partitionsOf(assignment: Buffer): Owned | undefined {
  const read = readAssignment(assignment)
  return read
    ? Object.fromEntries(read.assignedPartitions.map(({ topic, partitions }) => [topic, partitions]))
    : undefined
}
