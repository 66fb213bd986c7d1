/** Which bytes of a log may be given to somebody: whole batches are looked at before a client sees them. */
import { batchesIn, CorruptRecordError } from '../../protocol/records/batch.ts'

/**
 * All of the bytes, or those before the first whole batch that is damaged: its checksum, or its offsets, which the checksum
 * does not cover and which must follow one another and lie before `endOffset`. A batch that is cut off stays with them.
 */
export function soundBytes(bytes: Buffer, endOffset: bigint): Buffer {
  let length = 0
  let expected = 0n
  try {
    for (const batch of batchesIn(bytes)) {
      const { baseOffset, nextOffset } = batch
      const follows = baseOffset >= expected && nextOffset > baseOffset && nextOffset <= endOffset
      if (!follows || !batch.hasValidCrc()) return bytes.subarray(0, length)
      expected = nextOffset
      length += batch.bytes.length
    }
  } catch (error) {
    if (!(error instanceof CorruptRecordError)) throw error
    return bytes.subarray(0, length)
  }
  return bytes
}
