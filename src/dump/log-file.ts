/**
 * A segment's file as one entry after another, read in pieces. Unlike the broker's own walk it goes on where a broken
 * entry says how long it is, and tells where it cannot.
 */
import type { Storage } from '../log/storage.ts'
import { BATCH_OVERHEAD, HEADER, LOG_OVERHEAD, RecordBatch } from '../protocol/records/batch.ts'

/** What a dump needs of the disk. */
export type Files = Pick<Storage, 'exists' | 'list' | 'size' | 'read'>

const READ_BYTES = 1 << 20
/** The part of an entry up to its magic; no entry is that short. */
const HEADER_UP_TO_MAGIC = 17
const SMALLEST_LENGTH = 14
const NEWEST_MAGIC = 2
/** Far above any batch that a broker takes: a damaged length must not fill the memory. */
const LARGEST_BATCH = 256 << 20

/** An entry of a log, all of its bytes at hand. The view lasts until the next one is asked for. */
export interface LogEntry {
  readonly position: number
  readonly size: number
  readonly batch: RecordBatch
}

/** An entry that cannot be looked into. */
export interface BrokenEntry {
  readonly position: number
  /** Where the next entry begins; undefined when nobody can say. */
  readonly size: number | undefined
  readonly why: string
}

/** The entries between two positions, up to the first that the end cuts off or after which nothing can be found. */
export function* entriesOf(
  files: Files,
  path: string,
  from: number,
  end: number
): Generator<LogEntry | BrokenEntry, undefined> {
  let windowPosition = from
  let window: Buffer = Buffer.alloc(0)
  const bytes = (position: number, length: number): Buffer => {
    if (position + length > windowPosition + window.length) {
      windowPosition = position
      window = files.read(path, position, Math.min(Math.max(READ_BYTES, length), end - position))
    }
    return window.subarray(position - windowPosition, position - windowPosition + length)
  }
  for (let position = from; end - position > HEADER_UP_TO_MAGIC; ) {
    const header = bytes(position, HEADER_UP_TO_MAGIC)
    if (header.length < HEADER_UP_TO_MAGIC) return
    const size = LOG_OVERHEAD + header.readInt32BE(HEADER.length)
    if (size < LOG_OVERHEAD + SMALLEST_LENGTH) {
      yield { position, size: undefined, why: whyTooSmall(size - LOG_OVERHEAD, end - position) }
      return
    }
    if (position + size > end) return
    const why = whyBroken(header.readInt8(HEADER.magic), size)
    yield why === undefined
      ? { position, size, batch: new RecordBatch(bytes(position, size)) }
      : { position, size, why }
    position += size
  }
}

function whyTooSmall(length: number, rest: number): string {
  const what = `a record batch of ${length} bytes is below the least of ${SMALLEST_LENGTH}`
  return `${what}; the ${rest} bytes from here on cannot be read`
}

function whyBroken(magic: number, size: number): string | undefined {
  if (magic < 0 || magic > NEWEST_MAGIC) return `a record batch of unknown magic ${magic}, ${size} bytes, is left out`
  if (magic === NEWEST_MAGIC && size < BATCH_OVERHEAD) return `a batch of ${size} bytes is shorter than its own header`
  if (size > LARGEST_BATCH) return `a batch of ${size} bytes is too large to be looked into`
  return undefined
}

/** Whether an entry can be looked into. */
export function isWhole(entry: LogEntry | BrokenEntry): entry is LogEntry {
  return 'batch' in entry
}
