/**
 * The aborted transactions whose markers lie in one segment (`.txnindex`): 34-byte entries in the order of the markers,
 * by which readers of committed data leave out what was aborted. The file is there once there is an entry, and of it
 * nothing is kept in memory but the number of entries: a log may have seen millions.
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
  /** Of the transaction's first record in the partition. */
  firstOffset: int64,
  /** Of the marker. */
  lastOffset: int64,
  /** What was stable once the marker was there: who reads no further than that need look at no later entry. */
  lastStableOffset: int64
}
const ENTRY = message(entry)
const VERSION = 0

/** How long an entry is. */
export const ABORTED_TXN_BYTES = 34
const PAGE_BYTES = ABORTED_TXN_BYTES * 128

/** An aborted transaction, as an entry tells it. */
export type AbortedTxn = Omit<Decoded<typeof entry>, 'version'>

/** An entry with the version of its layout. */
export type AbortedTxnEntry = Decoded<typeof entry>

export class TransactionIndex {
  readonly #storage: Storage
  readonly #path: string
  /** Undefined until somebody has asked. */
  #count: number | undefined

  constructor(storage: Storage, path: string) {
    this.#storage = storage
    this.#path = path
  }

  /** How many transactions there are. Throws CorruptRecordError for a file that ends in the middle of an entry. */
  get count(): number {
    this.#count ??= this.#storage.exists(this.#path) ? countOf(this.#storage.size(this.#path), this.#path) : 0
    return this.#count
  }

  /** Those whose marker lies at or after `offset`, in the order of their markers. Throws CorruptRecordError. */
  *from(offset: bigint): Generator<AbortedTxn, undefined> {
    const end = this.count * ABORTED_TXN_BYTES
    for (let position = this.#positionOf(offset); position < end; position += PAGE_BYTES) {
      const page = this.#storage.read(this.#path, position, Math.min(PAGE_BYTES, end - position))
      yield* decodeEntries(page, this.#path)
    }
  }

  /** Adds a transaction, unless it is there already: who replays a log tells of all once more. */
  add(aborted: AbortedTxn): void {
    const { count } = this
    if (count > 0 && this.#at(count - 1).lastOffset >= aborted.lastOffset) return
    const writer = new ByteWriter(ABORTED_TXN_BYTES)
    ENTRY.write(writer, { version: VERSION, ...aborted }, 0)
    appendWhole(this.#storage, this.#path, count * ABORTED_TXN_BYTES, writer.toBuffer())
    this.#count = count + 1
  }

  /** Forgets all, the file included. */
  clear(): void {
    this.#storage.removeNow(this.#path)
    this.#count = 0
  }

  /** Where the first entry is whose marker lies at or after `offset`. */
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
    throw new CorruptRecordError(`${this.#path} has become shorter`, index * ABORTED_TXN_BYTES)
  }
}

/** Why a segment's list of aborted transactions cannot be used, undefined when it can or there is none. */
export function transactionIndexProblem(storage: Storage, path: string, baseOffset: bigint): string | undefined {
  if (!storage.exists(path)) return undefined
  let previous = baseOffset - 1n
  try {
    for (const { firstOffset, lastOffset } of new TransactionIndex(storage, path).from(-1n)) {
      if (lastOffset <= previous || firstOffset > lastOffset) return `${path} has an entry that cannot be`
      previous = lastOffset
    }
  } catch (error) {
    if (error instanceof CorruptRecordError) return error.message
    throw error
  }
  return undefined
}

/** One entry, of any version. There are ABORTED_TXN_BYTES to be read. */
export function readEntry(reader: ByteReader): AbortedTxnEntry {
  return ENTRY.read(reader, 0)
}

function* decodeEntries(bytes: Buffer, path: string): Generator<AbortedTxn, undefined> {
  const reader = new ByteReader(bytes)
  while (reader.remaining >= ABORTED_TXN_BYTES) {
    const { position } = reader
    const { version, ...aborted } = readEntry(reader)
    if (version > VERSION) throw new CorruptRecordError(`${path} has an entry of version ${version}`, position)
    yield aborted
  }
}

function countOf(size: number, path: string): number {
  if (size % ABORTED_TXN_BYTES === 0) return size / ABORTED_TXN_BYTES
  throw new CorruptRecordError(`${path} ends in the middle of an entry`, size)
}
