/**
 * A segment's file as one entry after another, read in pieces. Unlike the broker's own walk it goes on after an entry
 * that is broken: with the next bytes that are a whole batch and fit their checksum.
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

/** What a dump needs of the disk. */
export type Files = Pick<Storage, 'exists' | 'list' | 'size' | 'read'>

const READ_BYTES = 1 << 20
const ZEROS = Buffer.alloc(1 << 16)
const NEWEST_MAGIC = 2
/** Far above any batch that a broker takes: a damaged length must not fill the memory. */
const LARGEST_BATCH = 256 << 20

/** An entry of a log, all of its bytes at hand. */
export interface LogEntry {
  readonly position: number
  readonly size: number
  readonly batch: RecordBatch
}

/** An entry that cannot be looked into. */
export interface BrokenEntry {
  readonly position: number
  /** Where the walk goes on; the end when nothing more is found. */
  readonly next: number
  readonly why: string
}

/** Whether an entry can be looked into. */
export function isWhole(entry: LogEntry | BrokenEntry): entry is LogEntry {
  return 'batch' in entry
}

/** Whether there is nothing but zeros between two positions. */
export function isZero(files: Files, path: string, from: number, end: number): boolean {
  for (let position = from; position < end; position += ZEROS.length) {
    const piece = files.read(path, position, Math.min(ZEROS.length, end - position))
    if (!ZEROS.subarray(0, piece.length).equals(piece)) return false
  }
  return true
}

/** The entries between two positions, up to the first that is broken or that the end cuts off. */
export function* wholeEntriesOf(files: Files, path: string, from: number, end: number): Generator<LogEntry, undefined> {
  const file = new Entries(files, path, end)
  for (let position = from; ; ) {
    const entry = file.at(position)
    if (!entry || 'why' in entry) return
    yield entry
    position += entry.size
  }
}

/** All entries between two positions, those after broken ones included. One that the end cuts off is not told. */
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
  if (next === undefined) return `the ${end - position} bytes from here on cannot be read`
  if (next < position) return `a whole batch begins before it, at position ${next}`
  return `${next - position} bytes are left out, up to the next whole batch`
}

/** Why the bytes at a position are no entry. */
interface Fault {
  readonly why: string
  /** Whether it is only that the end comes too early. */
  readonly isCutOff: boolean
}

/** A file of which a piece is in memory. */
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

  /** At most `length` bytes; fewer at the end. */
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

  /** The entry at a position; undefined where not even a header is left. */
  at(position: number): LogEntry | Fault | undefined {
    if (this.#end - position <= HEADER_UP_TO_MAGIC) return undefined
    const header = this.bytes(position, HEADER_UP_TO_MAGIC)
    if (header.length < HEADER_UP_TO_MAGIC) return undefined
    const size = LOG_OVERHEAD + header.readInt32BE(HEADER.length)
    if (position + size > this.#end) return { why: `a batch of ${size} bytes goes beyond the end`, isCutOff: true }
    const why = whyBroken(header.readInt8(HEADER.magic), size)
    if (why !== undefined) return { why, isCutOff: false }
    const bytes = this.bytes(position, size)
    return bytes.length < size ? undefined : { position, size, batch: new RecordBatch(bytes) }
  }
}

function whyBroken(magic: number, size: number): string | undefined {
  const length = size - LOG_OVERHEAD
  if (length < SMALLEST_LENGTH) return `a record batch of ${length} bytes is below the least of ${SMALLEST_LENGTH}`
  if (magic < 0 || magic > NEWEST_MAGIC) return `a record batch of unknown magic ${magic}`
  if (magic === NEWEST_MAGIC && size < BATCH_OVERHEAD) return `a batch of ${size} bytes is shorter than its own header`
  if (size > LARGEST_BATCH) return `a batch of ${size} bytes is too large to be looked into`
  return undefined
}

/** Looks for batches after broken entries, in a time that grows with the file and no faster. */
class Search {
  readonly #file: Entries
  readonly #end: number
  /** Bytes that may still be gone through twice, and those whose checksum may still be taken in vain. */
  #twice: number
  #inVain: number

  constructor(file: Entries, from: number, end: number) {
    this.#file = file
    this.#end = end
    this.#twice = end - from
    this.#inVain = 2 * (end - from)
  }

  /**
   * Position of the first sound entry after a broken one. Where the entry before it is unsound as well, its length may
   * have led astray, so that the search begins in there.
   */
  after(broken: number, previous: LogEntry | undefined): number | undefined {
    if (previous === undefined || previous.size > this.#twice || previous.batch.hasValidCrc()) {
      return this.#soundFrom(broken + 1)
    }
    this.#twice -= previous.size
    return this.#soundFrom(previous.position + 1)
  }

  #soundFrom(from: number): number | undefined {
    for (let position = from; this.#end - position >= BATCH_OVERHEAD; ) {
      const piece = this.#file.bytes(position, Math.min(READ_BYTES, this.#end - position))
      const last = piece.length - BATCH_OVERHEAD
      if (last < 0) return undefined
      for (let at = 0; at <= last; at++) {
        if (mayBeginAt(piece, at) && this.#isSound(position + at)) return position + at
      }
      position += last + 1
    }
    return undefined
  }

  #isSound(position: number): boolean {
    if (this.#inVain < 0) return false
    const entry = this.#file.at(position)
    if (!entry || 'why' in entry) return false
    this.#inVain -= entry.size
    return entry.batch.hasValidCrc()
  }
}

/**
 * Whether bytes look like the beginning of a batch: asked of every byte that follows on damage, so it is quick, and
 * lets so little else pass that checksums can tell the rest.
 */
const NEWEST_CODEC = 4
/** Legacy messages were smaller than that, and so little is fixed in them that larger ones are everywhere. */
const LEGACY_ATTRIBUTES_AT = 17
const LEGACY_KEY_LENGTH_AT = [18, 26] as const
const LEGACY_ATTRIBUTES = 0x0f
/** 2^31 takes four bytes; lengths, counts and deltas of whole batches are below 2^28. */
const LARGEST_FIRST_BYTE = 0x0f

/** Whether a batch may begin at `at`. The buffer has the bytes of a header of magic 2 from there on. */
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
