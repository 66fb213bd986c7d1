/**
 * The entries of a `.log` file, read in pieces. Unlike the broker's own reader, it continues after a broken entry: with the next
 * bytes that are a whole batch with a correct checksum.
 */

import {
  ATTRIBUTES,
  BATCH_OVERHEAD,
  HEADER,
  HEADER_UP_TO_MAGIC,
  LOG_OVERHEAD,
  RecordBatch,
  SMALLEST_LENGTH
} from '../../protocol/records/batch.ts'
import type { Storage } from '../../storage/storage.ts'

/** The part of the storage port that a dump needs. */
export type Files = Pick<Storage, 'exists' | 'list' | 'size' | 'read'>

const READ_BYTES = 1 << 20
const ZEROS = Buffer.alloc(1 << 16)
const NEWEST_MAGIC = 2
/** Bytes of the largest batch that is read, far above the limit of a broker. A damaged length must not exhaust the memory. */
const LARGEST_BATCH = 256 << 20

/** A whole entry of a log: a batch or a legacy message. */
export interface LogEntry {
  readonly position: number
  readonly size: number
  readonly batch: RecordBatch
}

/** An entry that cannot be read. */
export interface BrokenEntry {
  readonly position: number
  /** Position of the next entry; the end position if no further batch is found. */
  readonly next: number
  readonly why: string
}

/** True for an entry that can be read. */
export function isWhole(entry: LogEntry | BrokenEntry): entry is LogEntry {
  return 'batch' in entry
}

/** True if all bytes between two positions are zero. */
export function isZero(files: Files, path: string, from: number, end: number): boolean {
  for (let position = from; position < end; position += ZEROS.length) {
    const piece = files.read(path, position, Math.min(ZEROS.length, end - position))
    if (!ZEROS.subarray(0, piece.length).equals(piece)) return false
  }
  return true
}

/** The entries between two positions, up to the first entry that is broken or extends beyond the end. */
export function* wholeEntriesOf(files: Files, path: string, from: number, end: number): Generator<LogEntry, undefined> {
  const file = new Entries(files, path, end)
  for (let position = from; ; ) {
    const entry = file.at(position)
    if (!entry || 'why' in entry) return
    yield entry
    position += entry.size
  }
}

/** All entries between two positions, including those after broken ones. Leaves out a last entry that extends beyond the end. */
export function* entriesOf(
  files: Files,
  path: string,
  from: number,
  end: number
): Generator<LogEntry | BrokenEntry, undefined> {
  const file = new Entries(files, path, end)
  const search = new Search(file, from, end)
  let previous: LogEntry | undefined
  for (let position = from; ; ) {
    const entry = file.at(position)
    if (!entry) return
    if ('batch' in entry) {
      yield entry
      previous = entry
      position += entry.size
      continue
    }
    const next = search.after(position, previous)
    if (next === undefined && entry.isCutOff) return
    yield { position, next: next ?? end, why: `${entry.why}; ${describeRest(position, next, end)}` }
    if (next === undefined) return
    previous = undefined
    position = next
  }
}

function describeRest(position: number, next: number | undefined, end: number): string {
  if (next === undefined) return `no complete batch follows in the remaining ${end - position} bytes`
  if (next < position) return `a complete batch begins before it, at position ${next}`
  return `skipped ${next - position} bytes to the next complete batch`
}

/** The reason why the bytes at a position are not an entry. */
interface Fault {
  readonly why: string
  /** True if the entry extends beyond the end. */
  readonly isCutOff: boolean
}

/** A `.log` file with one piece of it in memory. */
class Entries {
  readonly #files: Files
  readonly #path: string
  readonly #end: number
  #window: Buffer = Buffer.alloc(0)
  #windowPosition = 0

  constructor(files: Files, path: string, end: number) {
    this.#files = files
    this.#path = path
    this.#end = end
  }

  /** Returns `length` bytes; fewer at the end. */
  bytes(position: number, length: number): Buffer {
    const windowEnd = this.#windowPosition + this.#window.length
    if (position < this.#windowPosition || position + length > windowEnd) {
      this.#windowPosition = position
      const readLength = Math.min(Math.max(READ_BYTES, length), this.#end - position)
      this.#window = this.#files.read(this.#path, position, readLength)
    }
    const from = position - this.#windowPosition
    return this.#window.subarray(from, from + length)
  }

  /** The entry at a position; undefined if the rest of the file is too short for a header. */
  at(position: number): LogEntry | Fault | undefined {
    if (this.#end - position <= HEADER_UP_TO_MAGIC) return undefined
    const header = this.bytes(position, HEADER_UP_TO_MAGIC)
    if (header.length < HEADER_UP_TO_MAGIC) return undefined
    const size = LOG_OVERHEAD + header.readInt32BE(HEADER.length)
    if (position + size > this.#end)
      return { why: `a batch of ${size} bytes extends beyond the end of the file`, isCutOff: true }
    const why = whyBroken(header.readInt8(HEADER.magic), size)
    if (why !== undefined) return { why, isCutOff: false }
    const bytes = this.bytes(position, size)
    return bytes.length < size ? undefined : { position, size, batch: new RecordBatch(bytes) }
  }
}

function whyBroken(magic: number, size: number): string | undefined {
  const length = size - LOG_OVERHEAD
  if (length < SMALLEST_LENGTH) return `a batch length of ${length} bytes is below the minimum of ${SMALLEST_LENGTH}`
  if (magic < 0 || magic > NEWEST_MAGIC) return `the magic ${magic} is unknown; valid are 0, 1 and 2`
  if (magic === NEWEST_MAGIC && size < BATCH_OVERHEAD) return `a batch of ${size} bytes is shorter than its header`
  if (size > LARGEST_BATCH) return `a batch of ${size} bytes is above the limit of ${LARGEST_BATCH} bytes`
  return undefined
}

/** The search for batches after broken entries. Its total time is linear in the size of the file. */
class Search {
  readonly #file: Entries
  readonly #end: number
  /** Bytes that may still be searched a second time, and bytes that may still be checksummed without success. */
  #rereadBytes: number
  #failedChecksumBytes: number

  constructor(file: Entries, from: number, end: number) {
    this.#file = file
    this.#end = end
    this.#rereadBytes = end - from
    this.#failedChecksumBytes = 2 * (end - from)
  }

  /**
   * Position of the first valid entry after a broken one. If the previous entry has a wrong checksum, its length may be wrong
   * too, so the search begins inside it.
   */
  after(broken: number, previous: LogEntry | undefined): number | undefined {
    if (previous === undefined || previous.size > this.#rereadBytes || previous.batch.hasValidCrc()) {
      return this.#validFrom(broken + 1)
    }
    this.#rereadBytes -= previous.size
    return this.#validFrom(previous.position + 1)
  }

  #validFrom(from: number): number | undefined {
    for (let position = from; this.#end - position >= BATCH_OVERHEAD; ) {
      const piece = this.#file.bytes(position, Math.min(READ_BYTES, this.#end - position))
      const last = piece.length - BATCH_OVERHEAD
      if (last < 0) return undefined
      for (let at = 0; at <= last; at++) {
        if (mayBeginAt(piece, at) && this.#isValidAt(position + at)) return position + at
      }
      position += last + 1
    }
    return undefined
  }

  #isValidAt(position: number): boolean {
    if (this.#failedChecksumBytes < 0) return false
    const entry = this.#file.at(position)
    if (!entry || 'why' in entry) return false
    this.#failedChecksumBytes -= entry.size
    return entry.batch.hasValidCrc()
  }
}

// The quick test for the beginning of a batch. It runs at every byte after damage and is strict, because each position that
// passes costs a checksum.
const NEWEST_CODEC = 4
/**
 * Positions in a legacy message. Its header has few fixed values, so the test accepts only messages below 16 MiB: random bytes
 * look like larger ones too often.
 */
const LEGACY_ATTRIBUTES_AT = 17
const LEGACY_KEY_LENGTH_AT = [18, 26] as const
const LEGACY_ATTRIBUTES = 0x0f
/** The largest first byte of a four-byte length, count or delta: in a whole batch they are below 2^28. */
const LARGEST_FIRST_BYTE = 0x0f

/** True if a batch may begin at `at`. The buffer must contain a whole header of magic 2 from there. */
function mayBeginAt(bytes: Buffer, at: number): boolean {
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
