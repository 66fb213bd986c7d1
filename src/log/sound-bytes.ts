/** Which bytes of a log may be given to somebody: whole batches are looked at before a client sees them. */
import { batchesIn, CorruptRecordError } from '../protocol/records/batch.ts'

/** All of the bytes, or those before the first whole batch that is damaged. A batch that is cut off stays with them. */
export function soundBytes(bytes: Buffer): Buffer {
  let length = 0
  try {
    for (const batch of batchesIn(bytes)) {
      if (!batch.hasValidCrc()) return bytes.subarray(0, length)
      length += batch.bytes.length
    }
  } catch (error) {
    if (!(error instanceof CorruptRecordError)) throw error
    return bytes.subarray(0, length)
  }
  return bytes
}
