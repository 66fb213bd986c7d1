/**
 * Whether bytes look like the beginning of a batch: asked of every byte that follows on damage, so it is quick, and
 * lets so little else pass that checksums can tell the rest.
 */
import { ATTRIBUTES, HEADER } from '../../protocol/records/batch.ts'

const NEWEST_CODEC = 4
/** Legacy messages were smaller than that, and so little is fixed in them that larger ones are everywhere. */
const LEGACY_ATTRIBUTES_AT = 17
const LEGACY_KEY_LENGTH_AT = [18, 26] as const
const LEGACY_ATTRIBUTES = 0x0f
/** 2^31 takes four bytes; lengths, counts and deltas of whole batches are below 2^28. */
const LARGEST_FIRST_BYTE = 0x0f

/** Whether a batch may begin at `at`. The buffer has the bytes of a header of magic 2 from there on. */
export function mayBeginAt(bytes: Buffer, at: number): boolean {
  const magic = bytes[at + HEADER.magic]
  if (magic === undefined || magic > 2 || isAbove(bytes, at + HEADER.length, LARGEST_FIRST_BYTE)) return false
  if (isAbove(bytes, at + HEADER.baseOffset, 0x7f)) return false
  return magic === 2 ? isHeader(bytes, at) : isLegacy(bytes, at, magic)
}

function isHeader(bytes: Buffer, at: number): boolean {
  if (bytes[at + HEADER.attributes] !== 0) return false
  const attributes = bytes.readUInt8(at + HEADER.attributes + 1)
  if (attributes > 0x7f || (attributes & ATTRIBUTES.codec) > NEWEST_CODEC) return false
  if (isAbove(bytes, at + HEADER.lastOffsetDelta, LARGEST_FIRST_BYTE)) return false
  return !isAbove(bytes, at + HEADER.recordsCount, LARGEST_FIRST_BYTE)
}

function isLegacy(bytes: Buffer, at: number, magic: number): boolean {
  if (bytes[at + HEADER.length] !== 0 || isAbove(bytes, at + LEGACY_ATTRIBUTES_AT, LEGACY_ATTRIBUTES)) return false
  const keyLength = bytes.readInt32BE(at + LEGACY_KEY_LENGTH_AT[magic === 0 ? 0 : 1])
  return keyLength >= -1 && keyLength < bytes.readInt32BE(at + HEADER.length)
}

function isAbove(bytes: Buffer, at: number, largest: number): boolean {
  return (bytes[at] ?? 0) > largest
}
