/** The dump of the `.index` and `.timeindex` files of a segment, and their checks against the log. */
import { NO_TIMESTAMP } from '../../protocol/records/batch.ts'
import { RecordWalker } from '../../protocol/records/record.ts'
import { isAboutBytes } from '../decoders.ts'
import type { Findings } from '../findings.ts'
import { type Item, problem } from '../items.ts'
import { type DumpOptions, isInRange } from '../options.ts'
import { legacyPairs } from './legacy.ts'
import { RECORDS_LIMIT } from './log.ts'
import { type Files, type LogEntry, wholeEntriesOf } from './log-file.ts'

/** The layout of index entries: size, and position of the relative offset. */
const OFFSET_INDEX = { entryBytes: 8, offsetAt: 0 } as const
const TIME_INDEX = { entryBytes: 12, offsetAt: 8 } as const
const PAGE_ENTRIES = 4096
/** Bytes of the log that are read for one entry of a time index. Limits the work for a damaged index. */
const LOOK_BYTES = 1 << 30

/** Dumps an offset index. */
export function* dumpOffsetIndex(
  files: Files,
  path: string,
  options: DumpOptions,
  findings: Findings
): Generator<Item> {
  const index = new IndexFile(files, path, OFFSET_INDEX)
  const log = siblingOf(path, '.log')
  const wrong = index.unusable() ?? missing(files, path, log)
  if (wrong) return yield wrong
  if (index.count === 0) return yield { kind: 'note', pairs: [], text: `${path} is empty.` }
  if (options.indexSanityCheck) return yield sanity(path, index, index.offset(index.count - 1) < index.baseOffset)
  const logSize = files.size(log)
  for (const [entry, offset] of index.entries()) {
    const position = entry.readInt32BE(4)
    const end = Math.min(logSize, position + options.maxMessageSize)
    const first = position < 0 ? undefined : firstOf(wholeEntriesOf(files, log, position, end))
    if (!first) {
      yield problem(
        path,
        undefined,
        `the entry of offset ${offset} has position ${position}, where no batch begins in the log`
      )
    } else if (first.batch.lastOffset !== offset) {
      findings.add('offsetMismatch', path, offset, first.batch.lastOffset)
    }
    if (options.verifyIndexOnly || !isInRange(options.filter, offset)) continue
    yield {
      kind: 'entry',
      pairs: [
        ['offset', offset],
        ['position', position]
      ]
    }
  }
}

/** Dumps a time index. */
export function* dumpTimeIndex(files: Files, path: string, options: DumpOptions, findings: Findings): Generator<Item> {
  const index = new IndexFile(files, path, TIME_INDEX)
  const offsets = new IndexFile(files, siblingOf(path, '.index'), OFFSET_INDEX)
  const log = siblingOf(path, '.log')
  const wrong = index.unusable() ?? missing(files, path, log) ?? missing(files, path, offsets.path)
  if (wrong) return yield wrong
  if (options.indexSanityCheck) return yield sanity(path, index, isTimeIndexCorrupt(index))
  let previous = NO_TIMESTAMP
  for (const [entry, offset] of index.entries()) {
    const timestamp = entry.readBigInt64BE()
    const found = entryWith(files, log, offsets.positionBefore(offset), offset)
    if (found?.batch.lastOffset !== offset) {
      findings.add('offsetNotFound', path, offset, found?.batch.lastOffset ?? -1n)
    } else {
      const largest = largestTimestamp(found, options)
      if (typeof largest === 'string') yield problem(log, found.position, largest)
      else if (largest !== timestamp) findings.add('timestampMismatch', path, timestamp, largest)
      if (previous >= timestamp) findings.add('timestampOrder', path, timestamp, previous)
    }
    previous = timestamp
    if (options.verifyIndexOnly || !isInRange(options.filter, offset)) continue
    yield {
      kind: 'entry',
      pairs: [
        ['timestamp', timestamp],
        ['offset', offset]
      ]
    }
  }
}

function isTimeIndexCorrupt(index: IndexFile): boolean {
  if (index.count === 0) return false
  const last = index.count - 1
  const isEarlier = index.entry(last).readBigInt64BE() < index.entry(0).readBigInt64BE()
  return isEarlier || index.offset(last) < index.baseOffset
}

/** The result of the sanity check that a broker makes at its start. */
function sanity(path: string, index: IndexFile, isBackwards: boolean): Item {
  if (isBackwards)
    return problem(path, undefined, 'the last entry is below the first; a start of the broker rebuilds the index')
  if (index.rest > 0) {
    return problem(
      path,
      undefined,
      `${index.rest} bytes follow the last complete entry; a start of the broker rebuilds the index`
    )
  }
  return { kind: 'note', pairs: [], text: `${path} passed sanity check.` }
}

/** The entry of the log that contains `offset`, or the first one after it. */
function entryWith(files: Files, log: string, position: number, offset: bigint): LogEntry | undefined {
  const end = Math.min(files.size(log), position + LOOK_BYTES)
  for (const entry of wholeEntriesOf(files, log, Math.max(0, position), end)) {
    if (entry.batch.lastOffset >= offset) return entry
  }
  return undefined
}

/** The largest timestamp of a batch's records, or the message why the records cannot be read. */
function largestTimestamp({ batch }: LogEntry, { verifying = false }: DumpOptions): bigint | string {
  if (batch.isLegacy) return legacyPairs(batch).timestamp
  // Compaction may leave a header without records. The time index then refers to the timestamp in the header.
  if (verifying && batch.recordsCount === 0) return batch.maxTimestamp
  try {
    const walker = new RecordWalker(batch, RECORDS_LIMIT)
    let largest: number | bigint = NO_TIMESTAMP
    while (walker.next()) if (walker.timestamp > largest) largest = walker.timestamp
    return BigInt(largest)
  } catch (error) {
    if (!isAboutBytes(error)) throw error
    return `the records of the batch at offset ${batch.baseOffset} are invalid: ${error.message}`
  }
}

function firstOf<T>(iterable: Iterable<T>): T | undefined {
  for (const first of iterable) return first
  return undefined
}

function siblingOf(path: string, suffix: string): string {
  return path.slice(0, path.lastIndexOf('.')) + suffix
}

function missing(files: Files, path: string, needed: string): Item | undefined {
  return files.exists(needed)
    ? undefined
    : problem(path, undefined, `the index cannot be read without ${needed}, which does not exist`)
}

/** The entries of an index, with one page in memory. */
class IndexFile {
  readonly path: string
  readonly baseOffset: bigint
  readonly count: number
  /** Bytes after the last whole entry. */
  readonly rest: number
  readonly #files: Files
  readonly #layout: typeof OFFSET_INDEX | typeof TIME_INDEX
  #page: Buffer = Buffer.alloc(0)
  #pageNumber = -1

  constructor(files: Files, path: string, layout: typeof OFFSET_INDEX | typeof TIME_INDEX) {
    this.path = path
    this.#files = files
    this.#layout = layout
    const digits = /(?:^|[/\\])(\d{1,20})\.[^/\\]*$/.exec(path)?.[1]
    this.baseOffset = digits === undefined ? -1n : BigInt(digits)
    const size = files.exists(path) ? files.size(path) : 0
    this.count = Math.floor(size / layout.entryBytes)
    this.rest = size % layout.entryBytes
  }

  /** The problem of an index whose name has no base offset; undefined otherwise. */
  unusable(): Item | undefined {
    return this.baseOffset < 0n
      ? problem(this.path, undefined, 'the file name is not a base offset, as in 00000000000000000000.index')
      : undefined
  }

  entry(at: number): Buffer {
    const { entryBytes } = this.#layout
    const number = Math.floor(at / PAGE_ENTRIES)
    if (number !== this.#pageNumber) {
      const pageBytes = PAGE_ENTRIES * entryBytes
      this.#page = this.#files.read(this.path, number * pageBytes, pageBytes)
      this.#pageNumber = number
    }
    const from = (at % PAGE_ENTRIES) * entryBytes
    return this.#page.subarray(from, from + entryBytes)
  }

  offset(at: number): bigint {
    return this.baseOffset + BigInt(this.entry(at).readInt32BE(this.#layout.offsetAt))
  }

  /** The entries with their offsets. An entry at the base offset after the first entry is preallocated space. */
  *entries(): Generator<readonly [entry: Buffer, offset: bigint]> {
    for (let at = 0; at < this.count; at++) {
      const offset = this.offset(at)
      if (at > 0 && offset === this.baseOffset) return
      yield [this.entry(at), offset]
    }
  }

  /** For an offset index: the position in the log from which to search for `offset`. */
  positionBefore(offset: bigint): number {
    let low = -1
    let high = this.count - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (this.offset(middle) <= offset) low = middle
      else high = middle - 1
    }
    return low < 0 ? 0 : this.entry(low).readInt32BE(4)
  }
}
