/**
 * A file of entries of one size, in ascending order: what both indexes of a segment are. New entries wait in a small
 * buffer, for the newest segment's indexes are rebuilt after a crash anyhow. Of what is in the file nothing is kept in
 * memory, for a log may have thousands of segments: a search reads the few pages it comes by.
 */
import { assert } from '../../runtime/assert.ts'
import { appendWhole, type Storage } from '../../storage/storage.ts'

const FIRST_PENDING = 16
/** More entries than these never wait in memory. */
const MOST_PENDING = 512
const PAGE_ENTRIES = 512

/** A part of the file that a search has read. */
interface Page {
  number: number
  bytes: Buffer
}

/** For those who want one entry only. */
const NO_PAGE: Page = { number: -1, bytes: Buffer.alloc(0) }

export class EntryFile {
  readonly #storage: Storage
  readonly #path: string
  readonly #entryBytes: number
  /** Entries in the file; undefined until somebody asks. */
  #storedCount: number | undefined
  /** Nothing in the file counts, though it is not empty. */
  #isForgotten = false
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

  /** The last entry's bytes, valid until the next change; undefined when there is none. */
  get last(): Buffer | undefined {
    return this.count === 0 ? undefined : this.#entry(this.count - 1, NO_PAGE)
  }

  /**
   * The last entry of those that satisfy `holds`, which come before all that do not, valid until the next change;
   * undefined when none does.
   */
  lastWhere(holds: (entry: Buffer) => boolean): Buffer | undefined {
    return this.#lastBelow(this.count, holds)?.bytes
  }

  /** The first entry of those that do not satisfy `holds`, which come after all that do; undefined when all do. */
  firstNotWhere(holds: (entry: Buffer) => boolean): Buffer | undefined {
    const index = (this.#lastBelow(this.count, holds)?.index ?? -1) + 1
    return index < this.count ? this.#entry(index, NO_PAGE) : undefined
  }

  /** Makes sure that the next `add` cannot fail: writes out what waits when no more may wait. */
  reserve(): void {
    if (this.#pendingCount >= MOST_PENDING) this.flush()
  }

  /** Adds an entry: the caller fills the bytes it is given. */
  add(fill: (entry: Buffer) => void): void {
    const capacity = (this.#pending?.length ?? 0) / this.#entryBytes
    if (this.#pendingCount === capacity) this.#grow(Math.max(FIRST_PENDING, capacity * 2))
    const at = this.#pendingCount * this.#entryBytes
    const bytes = this.#pending?.subarray(at, at + this.#entryBytes)
    assert(bytes, 'there is room for the entry')
    fill(bytes)
    this.#pendingCount++
  }

  /** Writes out what waits. The file exists afterwards, and nothing has changed if this throws. */
  flush(): void {
    const stored = this.#stored()
    const pending = this.#pending?.subarray(0, this.#pendingCount * this.#entryBytes) ?? Buffer.alloc(0)
    const isThere = this.#isForgotten
      ? this.#remember(pending)
      : pending.length === 0 && this.#storage.exists(this.#path)
    if (!isThere) appendWhole(this.#storage, this.#path, stored * this.#entryBytes, pending)
    this.#storedCount = stored + this.#pendingCount
    this.#pendingCount = 0
    this.#pending = undefined
  }

  /** Forgets everything, whatever the file holds. */
  clear(): void {
    this.#isForgotten = this.#storage.exists(this.#path)
    this.#storedCount = 0
    this.#pendingCount = 0
  }

  /**
   * Whether the file holds these entries after all, as it mostly does when a crash made them be found anew; else it is
   * emptied for them. Cutting a file costs a thousand times as much as reading it.
   */
  #remember(entries: Buffer): boolean {
    const size = this.#storage.size(this.#path)
    const isSame = size === entries.length && this.#storage.read(this.#path, 0, size).equals(entries)
    if (!isSame) this.#storage.truncate(this.#path, 0)
    this.#isForgotten = false
    return isSame
  }

  #stored(): number {
    this.#storedCount ??= this.#storage.exists(this.#path) ? this.#countStored() : 0
    return this.#storedCount
  }

  /** Kafka lays out its newest indexes in advance: after a crash the entries are followed by zeros, which are cut off. */
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

  /** The last of the first `count` entries that satisfy `holds`. */
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

  /** An entry's bytes, from memory, from the page at hand or from the file, of which a search puts a page at hand. */
  #entry(index: number, page: Page): Buffer {
    const stored = this.#stored()
    const length = this.#entryBytes
    if (index >= stored) {
      assert(this.#pending && index < this.count, `${this.#path} has an entry ${index}`)
      return this.#pending.subarray((index - stored) * length, (index - stored + 1) * length)
    }
    if (page === NO_PAGE) return this.#storage.read(this.#path, index * length, length)
    const number = Math.floor(index / PAGE_ENTRIES)
    if (page.number !== number) {
      page.bytes = this.#storage.read(this.#path, number * PAGE_ENTRIES * length, PAGE_ENTRIES * length)
      page.number = number
    }
    const at = (index % PAGE_ENTRIES) * length
    return page.bytes.subarray(at, at + length)
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
