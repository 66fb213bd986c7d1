/**
 * Kafka's file of what a partition knew of its producers at an offset: version, CRC-32C, count, and 46 bytes for each.
 * Only the last batch of a producer is in it; older ones come from the log after the offset, if at all.
 */
import { crc32c } from '../protocol/records/checksum.ts'

/** A producer as a snapshot has it; -1 stands for what there is not. */
export interface ProducerEntry {
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly lastSequence: number
  readonly lastOffset: bigint
  readonly offsetDelta: number
  readonly timestamp: bigint
  readonly coordinatorEpoch: number
  readonly currentTxnFirstOffset: bigint
}

/** Bytes that are no snapshot of producers, or a damaged one. */
export class CorruptSnapshot extends Error {
  override name = 'CorruptSnapshot'
}

const VERSION = 1
const CRC_AT = 2
const COUNT_AT = 6
const ENTRIES_AT = 10
const ENTRY_BYTES = 46

/** The bytes of a snapshot file. */
export function encodeSnapshot(entries: readonly ProducerEntry[]): Buffer {
  const bytes = Buffer.alloc(ENTRIES_AT + entries.length * ENTRY_BYTES)
  bytes.writeInt16BE(VERSION)
  bytes.writeInt32BE(entries.length, COUNT_AT)
  let at = ENTRIES_AT
  for (const entry of entries) {
    at = bytes.writeBigInt64BE(entry.producerId, at)
    at = bytes.writeInt16BE(entry.producerEpoch, at)
    at = bytes.writeInt32BE(entry.lastSequence, at)
    at = bytes.writeBigInt64BE(entry.lastOffset, at)
    at = bytes.writeInt32BE(entry.offsetDelta, at)
    at = bytes.writeBigInt64BE(entry.timestamp, at)
    at = bytes.writeInt32BE(entry.coordinatorEpoch, at)
    at = bytes.writeBigInt64BE(entry.currentTxnFirstOffset, at)
  }
  bytes.writeUInt32BE(crc32c(bytes.subarray(COUNT_AT)), CRC_AT)
  return bytes
}

/** What a snapshot file holds. Throws CorruptSnapshot. */
export function decodeSnapshot(bytes: Buffer): ProducerEntry[] {
  if (bytes.length < ENTRIES_AT) throw new CorruptSnapshot(`${bytes.length} bytes are too few`)
  const version = bytes.readInt16BE()
  if (version !== VERSION) throw new CorruptSnapshot(`its version is ${version}`)
  if (bytes.readUInt32BE(CRC_AT) !== crc32c(bytes.subarray(COUNT_AT)))
    throw new CorruptSnapshot('its checksum is wrong')
  const count = bytes.readInt32BE(COUNT_AT)
  const room = bytes.length - ENTRIES_AT
  if (count * ENTRY_BYTES !== room) throw new CorruptSnapshot(`${count} producers do not fill ${room} bytes`)
  return Array.from({ length: count }, (_, index) => entryAt(bytes, ENTRIES_AT + index * ENTRY_BYTES))
}

function entryAt(bytes: Buffer, at: number): ProducerEntry {
  return {
    producerId: bytes.readBigInt64BE(at),
    producerEpoch: bytes.readInt16BE(at + 8),
    lastSequence: bytes.readInt32BE(at + 10),
    lastOffset: bytes.readBigInt64BE(at + 14),
    offsetDelta: bytes.readInt32BE(at + 22),
    timestamp: bytes.readBigInt64BE(at + 26),
    coordinatorEpoch: bytes.readInt32BE(at + 34),
    currentTxnFirstOffset: bytes.readBigInt64BE(at + 38)
  }
}
