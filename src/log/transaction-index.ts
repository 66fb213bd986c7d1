/**
 * The aborted transactions whose markers lie in one segment (`.txnindex`): 34-byte entries in the order of the markers,
 * by which readers of committed data leave out what was aborted. The file is there once there is an entry.
 */
import { ByteWriter } from '../protocol/byte-writer.ts'
import { ByteReader } from '../protocol/bytes.ts'
import { message } from '../protocol/compile.ts'
import { CorruptRecordError } from '../protocol/records/batch.ts'
import { type Decoded, int16, int64 } from '../protocol/schema.ts'
import { appendWhole, type Storage } from './storage.ts'

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
const ENTRY_BYTES = 34
const VERSION = 0

/** An aborted transaction, as an entry tells it. */
export type AbortedTxn = Omit<Decoded<typeof entry>, 'version'>

export class TransactionIndex {
  readonly #storage: Storage
  readonly #path: string
  /** Aborts are few: all of a segment's are kept, once somebody has asked. */
  #entries: AbortedTxn[] | undefined

  constructor(storage: Storage, path: string) {
    this.#storage = storage
    this.#path = path
  }

  /** In the order of their markers. Throws CorruptRecordError for a file that holds something else. */
  get entries(): readonly AbortedTxn[] {
    this.#entries ??= this.#storage.exists(this.#path) ? this.#read() : []
    return this.#entries
  }

  /** Adds a transaction, unless it is there already: who replays a log tells of all once more. */
  add(aborted: AbortedTxn): void {
    const entries = this.entries
    const last = entries.at(-1)
    if (last && last.lastOffset >= aborted.lastOffset) return
    const writer = new ByteWriter(ENTRY_BYTES)
    ENTRY.write(writer, { version: VERSION, ...aborted }, 0)
    appendWhole(this.#storage, this.#path, entries.length * ENTRY_BYTES, writer.toBuffer())
    this.#entries = [...entries, aborted]
  }

  #read(): AbortedTxn[] {
    const bytes = this.#storage.read(this.#path, 0, this.#storage.size(this.#path))
    return decodeTransactionIndex(bytes, this.#path)
  }
}

/** The entries of a `.txnindex` file. Throws CorruptRecordError. */
export function decodeTransactionIndex(bytes: Buffer, path: string): AbortedTxn[] {
  if (bytes.length % ENTRY_BYTES !== 0) {
    throw new CorruptRecordError(`${path}: ${bytes.length} bytes are no whole number of entries`, bytes.length)
  }
  const reader = new ByteReader(bytes)
  return Array.from({ length: bytes.length / ENTRY_BYTES }, (_, index) => {
    const { version, ...aborted } = ENTRY.read(reader, 0)
    if (version > VERSION)
      throw new CorruptRecordError(`${path}: entry ${index} has version ${version}`, index * ENTRY_BYTES)
    return aborted
  })
}
