/**
 * The format of Kafka's producer snapshot file: version, CRC-32C, count, and 46 bytes for each producer. The file has the
 * producer state of a partition at one offset, with only the last batch of each producer.
 */

import { crc32c } from '../protocol/records/checksum.ts'
import { ByteWriter } from '../protocol/wire/byte-writer.ts'
import { ByteReader } from '../protocol/wire/bytes.ts'
import { message } from '../protocol/wire/compile.ts'
import { type Decoded, int16, int32, int64 } from '../protocol/wire/schema.ts'

const entry = {
  producerId: int64,
  producerEpoch: int16,
  lastSequence: int32,
  lastOffset: int64,
  offsetDelta: int32,
  timestamp: int64,
  coordinatorEpoch: int32,
  currentTxnFirstOffset: int64
}
const ENTRY = message(entry)
const ENTRY_BYTES = 46

/** The entry of a producer in a snapshot. -1 is a missing value. */
export type ProducerEntry = Decoded<typeof entry>

/** A file that is not a producer snapshot, or a damaged one. */
export class CorruptSnapshot extends Error {
  override name = 'CorruptSnapshot'
}

const VERSION = 1
const CRC_AT = 2
const COUNT_AT = 6
const ENTRIES_AT = 10

/** Encodes the content of a snapshot file. */
export function encodeSnapshot(entries: readonly ProducerEntry[]): Buffer {
  const writer = new ByteWriter(ENTRIES_AT + entries.length * ENTRY_BYTES)
  writer.int16(VERSION)
  writer.uint32(0)
  writer.int32(entries.length)
  for (const entry of entries) ENTRY.write(writer, entry, 0)
  const bytes = writer.toBuffer()
  bytes.writeUInt32BE(crc32c(bytes.subarray(COUNT_AT)), CRC_AT)
  return bytes
}

/** Decodes the content of a snapshot file. Throws CorruptSnapshot. */
export function decodeSnapshot(bytes: Buffer): ProducerEntry[] {
  if (bytes.length < ENTRIES_AT)
    throw new CorruptSnapshot(`${bytes.length} bytes are less than the header of ${ENTRIES_AT} bytes`)
  const version = bytes.readInt16BE()
  if (version !== VERSION) throw new CorruptSnapshot(`version ${version} is unknown; valid is ${VERSION}`)
  if (bytes.readUInt32BE(CRC_AT) !== crc32c(bytes.subarray(COUNT_AT)))
    throw new CorruptSnapshot('the checksum is wrong')
  const count = bytes.readInt32BE(COUNT_AT)
  const room = bytes.length - ENTRIES_AT
  if (count * ENTRY_BYTES !== room) throw new CorruptSnapshot(`${room} bytes do not contain exactly ${count} producers`)
  const reader = new ByteReader(bytes, ENTRIES_AT)
  return Array.from({ length: count }, () => ENTRY.read(reader, 0))
}
