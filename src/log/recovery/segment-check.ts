/**
 * Goes through a segment's file and believes nothing but the checksums: what may not be whole since a process or a
 * machine died.
 */
import { BATCH_OVERHEAD, CorruptRecordError, entrySizeAt, type RecordBatch } from '../../protocol/records/batch.ts'
import type { Steps } from '../../runtime/pace.ts'
import type { Storage } from '../../storage/storage.ts'
import { walkBatches } from '../segment/batch-walk.ts'
import type { Segment } from '../segment/segment.ts'
import { LARGEST_RELATIVE_OFFSET } from '../segment/segment-indexes.ts'

const ZEROS = Buffer.alloc(1 << 16)

/** What a check has found: how large the file was, and why, if so, not all of it is sound. */
export interface CheckedSegment {
  readonly fileBytes: number
  readonly reason: string | undefined
}

/**
 * Yields every sound batch, up to the first that is not, and takes it into the segment, the indexes of which are made
 * again. `segment.finish()` cuts the file where the sound batches end; without it the file stays as it was found.
 */
export function* checkSegment(
  storage: Storage,
  segment: Segment,
  indexIntervalBytes: number
): Steps<CheckedSegment, RecordBatch> {
  const fileBytes = segment.size
  segment.startOver()
  try {
    for (const { position, batch } of walkBatches(storage, segment.path, 0, fileBytes)) {
      checkOffsets(batch, position, segment)
      segment.takeIn(batch, indexIntervalBytes)
      yield batch
    }
  } catch (error) {
    if (!(error instanceof CorruptRecordError)) throw error
    return { fileBytes, reason: error.message }
  }
  return { fileBytes, reason: undefined }
}

/**
 * Whether a sound batch follows the damage at `position`: then no write was torn there, which would have been the last, but
 * something that was written well has been lost since.
 */
export function isFollowedBySound(storage: Storage, path: string, position: number, fileBytes: number): boolean {
  try {
    const size = entrySizeAt(storage.read(path, position, BATCH_OVERHEAD), 0)
    if (size === undefined) return false
    return walkBatches(storage, path, position + size, fileBytes).next().value !== undefined
  } catch (error) {
    if (error instanceof CorruptRecordError) return false
    throw error
  }
}

/** Whether a file has nothing but zeros in a range: space that was laid out and never used. */
export function isUnused(storage: Storage, path: string, from: number, to: number): boolean {
  for (let at = from; at < to; at += ZEROS.length) {
    const piece = storage.read(path, at, Math.min(ZEROS.length, to - at))
    if (!piece.equals(ZEROS.subarray(0, piece.length))) return false
  }
  return true
}

/** The checksum does not cover the offset, and the indexes have no room for one that is far away. */
function checkOffsets({ baseOffset, lastOffset }: RecordBatch, position: number, segment: Segment): void {
  const { endOffset } = segment
  if (baseOffset < endOffset || lastOffset < baseOffset || lastOffset > segment.baseOffset + LARGEST_RELATIVE_OFFSET) {
    throw new CorruptRecordError(
      `offsets ${baseOffset} to ${lastOffset} at position ${position} where ${endOffset} or later must follow`,
      position
    )
  }
}
