/**
 * A file of entries of one size, in ascending order: what both indexes of a segment are. New entries wait in a small
 * buffer, for the newest segment's indexes are rebuilt after a crash anyhow; older ones are read a page at a time.
 */
import { assert } from '../runtime/assert.ts'
import { appendWhole, type Storage } from './storage.ts'

const FIRST_PENDING = 16
/** More entries than these never wait in memory. */
const MOST_PENDING = 512
const PAGE_ENTRIES = 512

export class EntryFile {
  readonly #storage: Storage
  readonly #path: string
  readonly #entryBytes: number
  /** Entries in the file; undefined until somebody asks. */
  #storedCount: number | undefined
  #pending: Buffer | undefined
  #pendingCount = 0
  /** The page read last. Lookups come in neighbourhoods. */
  #page: { number: number; bytes: Buffer } | undefined

  constructor(storage: Storage, path: string, entryBytes: number) {
    this.#storage = storage
    this.#path = path
    this.#entryBytes = entryBytes
  }

  get count(): number {
    return this.#stored() + this.#pendingCount
  }

  /** An entry's bytes, valid until the next change. */
  entry(index: number): Buffer {
    const stored = this.#stored()
    const bytes = index < stored ? this.#pageOf(index) : this.#pending
    const at = index < stored ? index % PAGE_ENTRIES : index - stored
    assert(bytes && index < this.count, `${this.#path} has an entry ${index}`)
    return bytes.subarray(at * this.#entryBytes, (at + 1) * this.#entryBytes)
  }

  /** Index of the last entry of those that satisfy `holds`, which come before all that do not; -1 when none does. */
  lastWhere(holds: (entry: Buffer) => boolean): number {
    let low = -1
    let high = this.count - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (holds(this.entry(middle))) low = middle
      else high = middle - 1
    }
    return low
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
    const length = this.#pendingCount * this.#entryBytes
    if (length === 0 && this.#storage.exists(this.#path)) return
    appendWhole(
      this.#storage,
      this.#path,
      stored * this.#entryBytes,
      this.#pending?.subarray(0, length) ?? Buffer.alloc(0)
    )
    this.#storedCount = stored + this.#pendingCount
    this.#pendingCount = 0
    this.#pending = undefined
    this.#page = undefined
  }

  /** Forgets everything, whatever the file holds. */
  clear(): void {
    if (this.#storage.exists(this.#path)) this.#storage.truncate(this.#path, 0)
    this.#storedCount = 0
    this.#pendingCount = 0
    this.#page = undefined
  }

  #stored(): number {
    this.#storedCount ??= this.#storage.exists(this.#path) ? this.#countStored() : 0
    return this.#storedCount
  }

  /** Kafka lays out its newest indexes in advance: after a crash the entries are followed by zeros, which are cut off. */
  #countStored(): number {
    const size = this.#storage.size(this.#path)
    this.#storedCount = Math.floor(size / this.#entryBytes)
    let count = this.#storedCount
    if (count > 1 && isZero(this.entry(count - 1))) {
      count = this.lastWhere(entry => !isZero(entry)) + 1
    }
    if (size > count * this.#entryBytes) this.#storage.truncate(this.#path, count * this.#entryBytes)
    this.#page = undefined
    return count
  }

  #pageOf(index: number): Buffer {
    const number = Math.floor(index / PAGE_ENTRIES)
    if (this.#page?.number !== number) {
      const pageBytes = PAGE_ENTRIES * this.#entryBytes
      this.#page = { number, bytes: this.#storage.read(this.#path, number * pageBytes, pageBytes) }
    }
    return this.#page.bytes
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
