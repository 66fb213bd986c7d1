/** Walks along the record batches of a file, either over their headers alone or over all of their bytes. */
import { BATCH_OVERHEAD, CorruptRecordError, entrySizeAt, RecordBatch } from '../../protocol/records/batch.ts'
import type { Storage } from '../../storage/storage.ts'

/** How much a walk over whole batches reads at a time; a larger batch is read as a whole. */
const WALK_BYTES = 1 << 20

/** A batch where it lies in the file. Of a walk over headers, `batch` is a view on the header only. */
export interface LocatedBatch {
  readonly position: number
  readonly size: number
  readonly batch: RecordBatch
  /** The piece of the file that was read to get there, and where it begins. */
  readonly window: Buffer
  readonly windowPosition: number
}

/**
 * Steps from header to header between two positions, reading pieces of `readAhead` bytes. Throws CorruptRecordError
 * where the file does not continue with a batch that ends before `end` and whose offsets come after those before.
 */
export function walkHeaders(storage: Storage, path: string, from: number, end: number, readAhead: number) {
  return walk(storage, path, { from, end, readAhead, needs: size => Math.min(size, BATCH_OVERHEAD) })
}

/** As `walkHeaders`, with all bytes of every batch, whose checksum fits them. */
export function* walkBatches(
  storage: Storage,
  path: string,
  from: number,
  end: number
): Generator<LocatedBatch, undefined> {
  for (const located of walk(storage, path, { from, end, readAhead: WALK_BYTES, needs: size => size })) {
    if (!located.batch.hasValidCrc()) throw damage(path, located.position, 'the checksum does not fit')
    yield located
  }
}

interface Walk {
  readonly from: number
  readonly end: number
  readonly readAhead: number
  /** How many bytes of a batch of that size must be in memory. */
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
    // No checksum covers the offset.
    if (batch.baseOffset < expectedOffset) throw damage(path, position, 'its offsets go backwards')
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

/** Names the place: it is what an operator needs to know. */
function damage(path: string, position: number, reason: string): CorruptRecordError {
  return new CorruptRecordError(`${path}, position ${position}: ${reason}`, position)
}
