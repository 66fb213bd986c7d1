/** Iterates over the record batches of a file: headers only, or whole batches with a checksum check. */
import { BATCH_OVERHEAD, CorruptRecordError, entrySizeAt, RecordBatch } from '../../protocol/records/batch.ts'
import type { Storage } from '../../storage/storage.ts'

/** Bytes that a walk over whole batches reads at a time. A larger batch is read as a whole. */
const WALK_BYTES = 1 << 20

/** A batch and its position in the file. In a walk over headers, `batch` covers the header only. */
export interface LocatedBatch {
  readonly position: number
  readonly size: number
  readonly batch: RecordBatch
  /** The bytes that the last read returned, and their position in the file. */
  readonly window: Buffer
  readonly windowPosition: number
}

/**
 * Iterates over batch headers between two positions and reads `readAhead` bytes at a time. Throws CorruptRecordError if a
 * batch is malformed, ends after `end` or has a base offset below the end of the batch before it.
 */
export function walkHeaders(storage: Storage, path: string, from: number, end: number, readAhead: number) {
  return walk(storage, path, { from, end, readAhead, needs: size => Math.min(size, BATCH_OVERHEAD) })
}

/**
 * Iterates over whole batches between two positions. Throws CorruptRecordError as `walkHeaders` does, and for a batch with a
 * wrong checksum.
 */
export function* walkBatches(
  storage: Storage,
  path: string,
  from: number,
  end: number
): Generator<LocatedBatch, undefined> {
  for (const located of walk(storage, path, { from, end, readAhead: WALK_BYTES, needs: size => size })) {
    if (!located.batch.hasValidCrc()) throw damage(path, located.position, 'the checksum is wrong')
    yield located
  }
}

interface Walk {
  readonly from: number
  readonly end: number
  readonly readAhead: number
  /** Bytes of a batch of `size` bytes that must be in memory. */
  readonly needs: (size: number) => number
}

function* walk(
  storage: Storage,
  path: string,
  { from, end, readAhead, needs }: Walk
): Generator<LocatedBatch, undefined> {
  let windowPosition = from
  let window: Buffer = Buffer.alloc(0)
  let expectedOffset = 0n
  for (let position = from; position < end; ) {
    const read = (length: number) => {
      if (windowPosition + window.length - position >= length) return
      windowPosition = position
      window = storage.read(path, position, Math.min(Math.max(readAhead, length), end - position))
    }
    read(BATCH_OVERHEAD)
    const size = sizeAt(window, position - windowPosition, path, position)
    if (size === undefined || position + size > end)
      throw damage(path, position, 'the file ends in the middle of a batch')
    const needed = needs(size)
    read(needed)
    const at = position - windowPosition
    const batch = new RecordBatch(window.subarray(at, at + needed))
    // The checksum of a batch does not cover its base offset.
    if (batch.baseOffset < expectedOffset)
      throw damage(path, position, `base offset ${batch.baseOffset} is below the expected offset ${expectedOffset}`)
    expectedOffset = batch.nextOffset
    yield { position, size, batch, window, windowPosition }
    position += size
  }
}

function sizeAt(window: Buffer, at: number, path: string, position: number): number | undefined {
  try {
    return entrySizeAt(window, at)
  } catch (error) {
    throw error instanceof CorruptRecordError ? damage(path, position, error.message) : error
  }
}

/** A CorruptRecordError whose message names the file and the position for the operator. */
function damage(path: string, position: number, reason: string): CorruptRecordError {
  return new CorruptRecordError(`${path}, position ${position}: ${reason}`, position)
}
