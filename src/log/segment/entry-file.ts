/**
 * A file of fixed-size entries in ascending order, the base of the offset index and the time index. New entries are buffered
 * in memory: after a crash, recovery rebuilds the indexes of the active segment. Entries in the file are not cached, because
 * a log may have thousands of segments. A binary search reads the pages that it needs.
 */
import { CorruptRecordError } from '../../protocol/records/batch.ts'
import { assert } from '../../runtime/assert.ts'
import { appendWhole, type Storage } from '../../storage/storage.ts'

const FIRST_PENDING = 16
/** Largest number of entries that are buffered in memory. */
const MOST_PENDING = 512
const PAGE_ENTRIES = 512

/** A part of the file that a search has read. */
interface Page {
  number: number
  bytes: Buffer
}

/** For reads of a single entry. */
const NO_PAGE: Page = { number: -1, bytes: Buffer.alloc(0) }

export class EntryFile {
  readonly #storage: Storage
  readonly #path: string
  readonly #entryBytes: number
  /** Number of entries in the file; undefined until first use. */
  #storedCount: number | undefined
  /** True after `clear` while the file still holds the old entries. */
  #isUnloaded = false
  #pending: Buffer | undefined
  #pendingCount = 0

  constructor(storage: Storage, path: string, entryBytes: number) {
    this.#storage = storage
    this.#path = path
    this.#entryBytes = entryBytes
  }

  get count(): number {
    return this.#stored() + this.#pendingCount
  }

  /** Bytes of the last entry, valid until the next change; undefined without entries. */
  get last(): Buffer | undefined {
    return this.count === 0 ? undefined : this.#entry(this.count - 1, NO_PAGE)
  }

  /**
   * The last entry that satisfies `holds`, valid until the next change; undefined if none does. The entries that satisfy
   * `holds` precede all others.
   */
  lastWhere(holds: (entry: Buffer) => boolean): Buffer | undefined {
    return this.#lastBelow(this.count, holds)?.bytes
  }

  /**
   * The first entry that does not satisfy `holds`; undefined if all do. The entries that satisfy `holds` precede all others.
   */
  firstNotWhere(holds: (entry: Buffer) => boolean): Buffer | undefined {
    const index = (this.#lastBelow(this.count, holds)?.index ?? -1) + 1
    return index < this.count ? this.#entry(index, NO_PAGE) : undefined
  }

  /** Flushes a full buffer, so that the next `add` cannot fail. */
  reserve(): void {
    if (this.#pendingCount >= MOST_PENDING) this.flush()
  }

  /** Adds an entry; `fill` writes its bytes. */
  add(fill: (entry: Buffer) => void): void {
    const capacity = (this.#pending?.length ?? 0) / this.#entryBytes
    if (this.#pendingCount === capacity) this.#grow(Math.max(FIRST_PENDING, capacity * 2))
    const at = this.#pendingCount * this.#entryBytes
    const bytes = this.#pending?.subarray(at, at + this.#entryBytes)
    assert(bytes, 'the file has room for the entry')
    fill(bytes)
    this.#pendingCount++
  }

  /** Writes the buffered entries and creates the file if it does not exist. A throw leaves the entries unchanged. */
  flush(): void {
    const stored = this.#stored()
    const pending = this.#pending?.subarray(0, this.#pendingCount * this.#entryBytes) ?? Buffer.alloc(0)
    const isThere = this.#isUnloaded
      ? this.#remember(pending)
      : pending.length === 0 && this.#storage.exists(this.#path)
    if (!isThere) appendWhole(this.#storage, this.#path, stored * this.#entryBytes, pending)
    this.#storedCount = stored + this.#pendingCount
    this.#pendingCount = 0
    this.#pending = undefined
  }

  /** Removes all entries. The next `flush` compares the file with the new entries and truncates it if they differ. */
  clear(): void {
    this.#isUnloaded = this.#storage.exists(this.#path)
    this.#storedCount = 0
    this.#pendingCount = 0
  }

  /**
   * Compares the file after `clear` with the rebuilt entries, and truncates the file if they differ. Returns whether they
   * are equal, as they mostly are after a crash. Reading a file is about a thousand times cheaper than truncating it.
   */
  #remember(entries: Buffer): boolean {
    const size = this.#storage.size(this.#path)
    const isSame = size === entries.length && this.#storage.read(this.#path, 0, size).equals(entries)
    if (!isSame) this.#storage.truncate(this.#path, 0)
    this.#isUnloaded = false
    return isSame
  }

  #stored(): number {
    this.#storedCount ??= this.#storage.exists(this.#path) ? this.#countStored() : 0
    return this.#storedCount
  }

  /**
   * Counts the entries and truncates the rest. Kafka preallocates the index files of the active segment: after a crash,
   * zeros follow the entries.
   */
  #countStored(): number {
    const size = this.#storage.size(this.#path)
    const whole = Math.floor(size / this.#entryBytes)
    this.#storedCount = whole
    if (whole > 1 && isZero(this.#entry(whole - 1, NO_PAGE))) {
      this.#storedCount = (this.#lastBelow(whole, entry => !isZero(entry))?.index ?? -1) + 1
    }
    const sound = this.#storedCount * this.#entryBytes
    if (size > sound) this.#storage.truncate(this.#path, sound)
    return this.#storedCount
  }

  /** The last of the first `count` entries that satisfies `holds`. */
  #lastBelow(count: number, holds: (entry: Buffer) => boolean): { index: number; bytes: Buffer } | undefined {
    const page = { ...NO_PAGE }
    let found: { index: number; bytes: Buffer } | undefined
    let [low, high] = [0, count - 1]
    while (low <= high) {
      const index = (low + high) >> 1
      const bytes = this.#entry(index, page)
      if (holds(bytes)) {
        found = { index, bytes }
        low = index + 1
      } else high = index - 1
    }
    return found
  }

  /**
   * Bytes of an entry, from the buffer, from `page` or from the file. A search passes a page, which a read from the file
   * fills.
   */
  #entry(index: number, page: Page): Buffer {
    const stored = this.#stored()
    const length = this.#entryBytes
    if (index >= stored) {
      assert(this.#pending && index < this.count, `${this.#path} has an entry ${index}`)
      return this.#pending.subarray((index - stored) * length, (index - stored + 1) * length)
    }
    if (page === NO_PAGE) return this.#whole(index, this.#storage.read(this.#path, index * length, length))
    const number = Math.floor(index / PAGE_ENTRIES)
    if (page.number !== number) {
      page.bytes = this.#storage.read(this.#path, number * PAGE_ENTRIES * length, PAGE_ENTRIES * length)
      page.number = number
    }
    const at = (index % PAGE_ENTRIES) * length
    return this.#whole(index, page.bytes.subarray(at, at + length))
  }

  #whole(index: number, entry: Buffer): Buffer {
    if (entry.length === this.#entryBytes) return entry
    throw new CorruptRecordError(`${this.#path} was truncated`, index * this.#entryBytes)
  }

  #grow(entries: number): void {
    const grown = Buffer.allocUnsafe(entries * this.#entryBytes)
    this.#pending?.copy(grown)
    this.#pending = grown
  }
}

function isZero(entry: Buffer): boolean {
  return entry.every(byte => byte === 0)
}
