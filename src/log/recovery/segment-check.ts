/** Check of a segment's file by the checksums of its batches, after a process or a machine has crashed. */
import { BATCH_OVERHEAD, CorruptRecordError, entrySizeAt, type RecordBatch } from '../../protocol/records/batch.ts'
import type { Steps } from '../../runtime/pace.ts'
import type { Storage } from '../../storage/storage.ts'
import { walkBatches } from '../segment/batch-walk.ts'
import type { Segment } from '../segment/segment.ts'
import { LARGEST_RELATIVE_OFFSET } from '../segment/segment-indexes.ts'

const ZEROS = Buffer.alloc(1 << 16)

/** Result of a check: the size of the file, and the reason if its end is damaged. */
export interface CheckedSegment {
  readonly fileBytes: number
  readonly reason: string | undefined
}

/**
 * Yields the valid batches before the first damaged one, adds each to the segment and rebuilds the indexes.
 * `segment.finish()` truncates the file after the valid batches; without it the file stays unchanged.
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
      segment.addExisting(batch, indexIntervalBytes)
      yield batch
    }
  } catch (error) {
    if (!(error instanceof CorruptRecordError)) throw error
    return { fileBytes, reason: error.message }
  }
  return { fileBytes, reason: undefined }
}

/**
 * Whether a valid batch follows the damage at `position`. Then the damage is not a torn write, which would be the last one,
 * but a loss of data that was written completely.
 */
export function isFollowedByValidBatch(storage: Storage, path: string, position: number, fileBytes: number): boolean {
  try {
    const size = entrySizeAt(storage.read(path, position, BATCH_OVERHEAD), 0)
    if (size === undefined) return false
    return walkBatches(storage, path, position + size, fileBytes).next().value !== undefined
  } catch (error) {
    if (error instanceof CorruptRecordError) return false
    throw error
  }
}

/** Whether a range of a file contains only zeros: unused preallocated space. */
export function isUnused(storage: Storage, path: string, from: number, to: number): boolean {
  for (let at = from; at < to; at += ZEROS.length) {
    const piece = storage.read(path, at, Math.min(ZEROS.length, to - at))
    if (!piece.equals(ZEROS.subarray(0, piece.length))) return false
  }
  return true
}

/** Checks the offsets of a batch. The checksum does not cover the base offset, and index entries limit the distance. */
function checkOffsets({ baseOffset, lastOffset }: RecordBatch, position: number, segment: Segment): void {
  const { endOffset } = segment
  if (baseOffset < endOffset || lastOffset < baseOffset || lastOffset > segment.baseOffset + LARGEST_RELATIVE_OFFSET) {
    throw new CorruptRecordError(
      `a batch at position ${position} has offsets ${baseOffset} to ${lastOffset}, but offset ${endOffset} or a later one must follow`,
      position
    )
  }
}
