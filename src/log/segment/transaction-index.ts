/**
 * The transaction index of a segment (`.txnindex`): 34-byte entries for the aborted transactions whose markers lie in the
 * segment, in the order of the markers. READ_COMMITTED fetches return them to the consumer. The file exists only with
 * entries. Only their number is in memory, because a log may have millions.
 */

import { CorruptRecordError } from '../../protocol/records/batch.ts'
import { ByteWriter } from '../../protocol/wire/byte-writer.ts'
import { ByteReader } from '../../protocol/wire/bytes.ts'
import { message } from '../../protocol/wire/compile.ts'
import { type Decoded, int16, int64 } from '../../protocol/wire/schema.ts'
import { appendWhole, type Storage } from '../../storage/storage.ts'

const entry = {
  version: int16.or(0),
  producerId: int64,
  /** First offset of the transaction in the partition. */
  firstOffset: int64,
  /** Offset of the marker. */
  lastOffset: int64,
  /** Last stable offset after the marker. A read that ends at or below it needs no later entry. */
  lastStableOffset: int64
}
const ENTRY = message(entry)
const VERSION = 0

/** Size of an entry. */
export const ABORTED_TXN_BYTES = 34
const PAGE_BYTES = ABORTED_TXN_BYTES * 128

/** An aborted transaction, as an entry describes it. */
export type AbortedTxn = Omit<Decoded<typeof entry>, 'version'>

/** An entry with the version of its layout. */
export type AbortedTxnEntry = Decoded<typeof entry>

export class TransactionIndex {
  readonly #storage: Storage
  readonly #path: string
  /** Number of entries; undefined until first use. */
  #count: number | undefined

  constructor(storage: Storage, path: string) {
    this.#storage = storage
    this.#path = path
  }

  /** Number of aborted transactions. Throws CorruptRecordError for a file that ends in the middle of an entry. */
  get count(): number {
    this.#count ??= this.#storage.exists(this.#path) ? countOf(this.#storage.size(this.#path), this.#path) : 0
    return this.#count
  }

  /** Aborted transactions with a marker at or after `offset`, in the order of the markers. Throws CorruptRecordError. */
  *from(offset: bigint): Generator<AbortedTxn, undefined> {
    const end = this.count * ABORTED_TXN_BYTES
    for (let position = this.#positionOf(offset); position < end; position += PAGE_BYTES) {
      const page = this.#storage.read(this.#path, position, Math.min(PAGE_BYTES, end - position))
      yield* decodeEntries(page, this.#path)
    }
  }

  /**
   * Adds a transaction. A marker at or before the last entry is ignored, because a replay of the log adds all transactions
   * again.
   */
  add(aborted: AbortedTxn): void {
    const { count } = this
    if (count > 0 && this.#at(count - 1).lastOffset >= aborted.lastOffset) return
    const writer = new ByteWriter(ABORTED_TXN_BYTES)
    ENTRY.write(writer, { version: VERSION, ...aborted }, 0)
    appendWhole(this.#storage, this.#path, count * ABORTED_TXN_BYTES, writer.toBuffer())
    this.#count = count + 1
  }

  /** Removes all entries and the file. */
  clear(): void {
    this.#storage.removeNow(this.#path)
    this.#count = 0
  }

  /** Position of the first entry with a marker at or after `offset`. */
  #positionOf(offset: bigint): number {
    let low = 0
    let high = this.count
    while (low < high) {
      const middle = (low + high) >> 1
      if (this.#at(middle).lastOffset < offset) low = middle + 1
      else high = middle
    }
    return low * ABORTED_TXN_BYTES
  }

  #at(index: number): AbortedTxn {
    const bytes = this.#storage.read(this.#path, index * ABORTED_TXN_BYTES, ABORTED_TXN_BYTES)
    const [found] = decodeEntries(bytes, this.#path)
    if (found) return found
    throw new CorruptRecordError(`${this.#path} was truncated`, index * ABORTED_TXN_BYTES)
  }
}

/** Describes the damage of a transaction index; undefined if it is usable or does not exist. */
export function transactionIndexProblem(storage: Storage, path: string, baseOffset: bigint): string | undefined {
  if (!storage.exists(path)) return undefined
  let previous = baseOffset - 1n
  try {
    for (const { firstOffset, lastOffset } of new TransactionIndex(storage, path).from(-1n)) {
      if (lastOffset <= previous || firstOffset > lastOffset) return `${path} has an invalid entry`
      previous = lastOffset
    }
  } catch (error) {
    if (error instanceof CorruptRecordError) return error.message
    throw error
  }
  return undefined
}

/** Reads an entry of any version. The reader must have ABORTED_TXN_BYTES left. */
export function readEntry(reader: ByteReader): AbortedTxnEntry {
  return ENTRY.read(reader, 0)
}

function* decodeEntries(bytes: Buffer, path: string): Generator<AbortedTxn, undefined> {
  const reader = new ByteReader(bytes)
  while (reader.remaining >= ABORTED_TXN_BYTES) {
    const { position } = reader
    const { version, ...aborted } = readEntry(reader)
    if (version > VERSION)
      throw new CorruptRecordError(`${path} has an entry of the unknown version ${version}`, position)
    yield aborted
  }
}

function countOf(size: number, path: string): number {
  if (size % ABORTED_TXN_BYTES === 0) return size / ABORTED_TXN_BYTES
  throw new CorruptRecordError(`${path} ends in the middle of an entry`, size)
}
