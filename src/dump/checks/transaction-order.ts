/**
 * The checks of a partition's transactions. A producer with an open transaction must not write other batches before the
 * marker. Each aborted transaction must be in the transaction index of the segment with its marker, where fetches look it up.
 */

import type { ProducerEntry } from '../../idempotence/producer-snapshot.ts'
import { ABORTED_TXN_BYTES, type AbortedTxnEntry, readEntry } from '../../log/segment/transaction-index.ts'
import type { RecordBatch } from '../../protocol/records/batch.ts'
import { ByteReader } from '../../protocol/wire/bytes.ts'
import { isAboutBytes } from '../decoders.ts'
import type { Files } from '../formats/log-file.ts'
import { type Item, problem } from '../items.ts'
import { type TracedTxn, TransactionTrace } from './transaction-trace.ts'

const PAGE_BYTES = ABORTED_TXN_BYTES * 4096

export class TransactionOrder {
  readonly #files: Files
  readonly #trace = new TransactionTrace()
  #index: AbortedTxns | undefined
  /** No offset from this one to the current one is missing. */
  #denseFrom = 0n

  constructor(files: Files) {
    this.#files = files
  }

  /** Records that offsets before `offset` are missing. */
  gapBefore(offset: bigint): void {
    this.#denseFrom = offset
  }

  /** Begins the next segment; undefined after the last one. Yields the problems of the previous segment's transaction index. */
  *enter(path: string | undefined): Generator<Item> {
    if (this.#index) yield* this.#unmarked(this.#index)
    this.#index = path === undefined ? undefined : new AbortedTxns(this.#files, path.replace(/\.log$/, '.txnindex'))
  }

  /** Adds the next batch. Yields the problems of its transaction. */
  *add(path: string, position: number, batch: RecordBatch): Generator<Item> {
    const open = this.#trace.openOf(batch.producerId)
    const mixed = open && wrongBeside(open, batch)
    if (mixed !== undefined) yield problem(path, position, mixed)
    try {
      const ended = this.#trace.add(batch)
      if (ended?.result === 'ABORT') yield* this.#checkAbort(path, position, ended)
    } catch (error) {
      if (!isAboutBytes(error)) throw error
      yield problem(path, position, `the control record at offset ${batch.baseOffset} is invalid: ${error.message}`)
    }
  }

  /**
   * Returns the problem of the open transaction in a snapshot entry, if there is one. All batches before the snapshot must have
   * been added.
   */
  wrongIn({ producerId, currentTxnFirstOffset: first }: ProducerEntry): string | undefined {
    const open = this.#trace.openOf(producerId)?.firstOffset
    if (open === first || (open === undefined && first < this.#denseFrom)) return undefined
    if (open !== undefined && first >= 0n && first < this.#denseFrom && first < open) return undefined
    const inLog = open === undefined ? 'none' : `one from offset ${open}`
    const inSnapshot = first < 0n ? 'has no open transaction' : `has an open transaction from offset ${first}`
    return `producer ${producerId} ${inSnapshot}, but ${inLog} in the log`
  }

  *#checkAbort(path: string, position: number, aborted: TracedTxn): Generator<Item> {
    const { producerId, firstOffset, lastOffset } = aborted
    const index = this.#index
    if (!index) return
    yield* this.#unmarked(index, lastOffset)
    const entry = index.next
    const isThere = entry?.lastOffset === lastOffset
    if (isThere) index.step()
    const subject = `the transaction of producer ${producerId}, aborted at offset ${lastOffset},`
    // Fetches need no entry for a transaction without data in the log.
    if (!isThere) {
      if (firstOffset !== undefined) yield problem(path, position, `${subject} is missing in ${index.path}`)
    } else if (entry.producerId !== producerId || !this.#begins(entry, firstOffset)) {
      const indexed = `producer ${entry.producerId} from offset ${entry.firstOffset}`
      yield problem(
        path,
        position,
        `${subject} has ${firstOffset === undefined ? 'no data' : `the first offset ${firstOffset}`}, but ${index.path} has ${indexed}`
      )
    } else if (entry.lastStableOffset !== this.#lastStableOffset(lastOffset) && this.#denseFrom === 0n) {
      const inLog = this.#lastStableOffset(lastOffset)
      yield problem(
        path,
        position,
        `${subject} has the last stable offset ${inLog}, but ${index.path} has ${entry.lastStableOffset}`
      )
    }
  }

  /** True if the transaction can have begun at the entry's first offset. Compaction may have removed its first batches. */
  #begins(entry: AbortedTxnEntry, firstOffset: bigint | undefined): boolean {
    if (entry.firstOffset === firstOffset) return true
    if (entry.firstOffset >= this.#denseFrom) return false
    return firstOffset === undefined || entry.firstOffset < firstOffset
  }

  #lastStableOffset(markerOffset: bigint): bigint {
    for (const { firstOffset } of this.#trace.open) if (firstOffset !== undefined) return firstOffset
    return markerOffset + 1n
  }

  /** Yields a problem for each remaining index entry without a marker: those before `offset`, by default all. */
  *#unmarked(index: AbortedTxns, offset?: bigint): Generator<Item> {
    for (let { next } = index; next && (offset === undefined || next.lastOffset < offset); next = index.next) {
      index.step()
      yield problem(index.path, undefined, `the log has no abort marker at offset ${next.lastOffset}`)
    }
  }
}

function wrongBeside(open: TracedTxn, batch: RecordBatch): string | undefined {
  const subject = `producer ${batch.producerId} has an open transaction from offset ${open.firstOffset}`
  if (!batch.isTransactional) return `${subject}, but this batch is not transactional`
  if (batch.isControl || batch.producerEpoch === open.producerEpoch) return undefined
  return `${subject} with epoch ${open.producerEpoch}, but this batch has epoch ${batch.producerEpoch}`
}

/** A cursor on the entries of a `.txnindex` file; none if the file is missing. It ends at an entry of unknown version. */
class AbortedTxns {
  readonly path: string
  readonly #entries: Iterator<AbortedTxnEntry>
  #next: AbortedTxnEntry | undefined

  constructor(files: Files, path: string) {
    this.path = path
    this.#entries = entriesOf(files, path)
    this.step()
  }

  get next(): AbortedTxnEntry | undefined {
    return this.#next
  }

  step(): void {
    const result = this.#entries.next()
    this.#next = result.done || result.value.version !== 0 ? undefined : result.value
  }
}

function* entriesOf(files: Files, path: string): Generator<AbortedTxnEntry> {
  const size = files.exists(path) ? files.size(path) : 0
  for (let position = 0; position < size; position += PAGE_BYTES) {
    const reader = new ByteReader(files.read(path, position, PAGE_BYTES))
    while (reader.remaining >= ABORTED_TXN_BYTES) yield readEntry(reader)
  }
}
