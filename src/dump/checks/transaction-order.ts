/**
 * Whether the transactions of a partition fit together: each is ended by a marker of its producer before that goes on
 * otherwise, and the aborted ones are in the index of the segment that has their marker, where readers look for them.
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
  /** No offset is missing from here on. */
  #denseFrom = 0n

  constructor(files: Files) {
    this.#files = files
  }

  /** Tells that offsets are missing before `offset`. */
  gapBefore(offset: bigint): void {
    this.#denseFrom = offset
  }

  /** Tells which segment comes next. What is wrong with the index of the one before. */
  *enter(path: string | undefined): Generator<Item> {
    if (this.#index) yield* this.#unmarked(this.#index)
    this.#index = path === undefined ? undefined : new AbortedTxns(this.#files, path.replace(/\.log$/, '.txnindex'))
  }

  /** What is wrong with the next batch. */
  *add(path: string, position: number, batch: RecordBatch): Generator<Item> {
    const open = this.#trace.openOf(batch.producerId)
    const mixed = open && wrongBeside(open, batch)
    if (mixed !== undefined) yield problem(path, position, mixed)
    try {
      const ended = this.#trace.add(batch)
      if (ended?.result === 'ABORT') yield* this.#checkAbort(path, position, ended)
    } catch (error) {
      if (!isAboutBytes(error)) throw error
      yield problem(path, position, `the control record at offset ${batch.baseOffset}: ${error.message}`)
    }
  }

  /** What is wrong with what a snapshot says of a producer's transaction, once all batches before it were added. */
  wrongIn({ producerId, currentTxnFirstOffset: first }: ProducerEntry): string | undefined {
    const open = this.#trace.openOf(producerId)?.firstOffset
    if (open === first || (open === undefined && first < this.#denseFrom)) return undefined
    if (open !== undefined && first >= 0n && first < this.#denseFrom && first < open) return undefined
    const inLog = open === undefined ? 'none is open' : `it begins at ${open}`
    const inSnapshot = first < 0n ? 'has no open transaction' : `has a transaction open from offset ${first} on`
    return `producer ${producerId} ${inSnapshot}, and in the log ${inLog}`
  }

  *#checkAbort(path: string, position: number, aborted: TracedTxn): Generator<Item> {
    const { producerId, firstOffset, lastOffset } = aborted
    const index = this.#index
    if (!index) return
    yield* this.#unmarked(index, lastOffset)
    const entry = index.next
    const isThere = entry?.lastOffset === lastOffset
    if (isThere) index.step()
    const subject = `the transaction of producer ${producerId} that was aborted at offset ${lastOffset}`
    // Where nothing is left of its data readers need not know.
    if (!isThere) {
      if (firstOffset !== undefined) yield problem(path, position, `${subject} is not in ${index.path}`)
    } else if (entry.producerId !== producerId || !this.#begins(entry, firstOffset)) {
      const indexed = `producer ${entry.producerId} from offset ${entry.firstOffset} on`
      yield problem(
        path,
        position,
        `${subject} began at ${firstOffset ?? 'no offset'}, and by ${index.path} it is of ${indexed}`
      )
    } else if (entry.lastStableOffset !== this.#lastStableOffset(lastOffset) && this.#denseFrom === 0n) {
      const inLog = this.#lastStableOffset(lastOffset)
      yield problem(path, position, `${subject} made ${inLog} stable, and by ${index.path} ${entry.lastStableOffset}`)
    }
  }

  /** Whether the entry's first offset can be where the transaction began, of which the first batches may be gone. */
  #begins(entry: AbortedTxnEntry, firstOffset: bigint | undefined): boolean {
    if (entry.firstOffset === firstOffset) return true
    if (entry.firstOffset >= this.#denseFrom) return false
    return firstOffset === undefined || entry.firstOffset < firstOffset
  }

  #lastStableOffset(markerOffset: bigint): bigint {
    for (const { firstOffset } of this.#trace.open) if (firstOffset !== undefined) return firstOffset
    return markerOffset + 1n
  }

  /** Entries that no marker before `offset`, by default none at all, belongs to. */
  *#unmarked(index: AbortedTxns, offset?: bigint): Generator<Item> {
    for (let { next } = index; next && (offset === undefined || next.lastOffset < offset); next = index.next) {
      index.step()
      yield problem(index.path, undefined, `there is no marker at offset ${next.lastOffset} that aborts a transaction`)
    }
  }
}

function wrongBeside(open: TracedTxn, batch: RecordBatch): string | undefined {
  const subject = `producer ${batch.producerId} has a transaction open from offset ${open.firstOffset} on`
  if (!batch.isTransactional) return `${subject}, and this batch is of none`
  if (batch.isControl || batch.producerEpoch === open.producerEpoch) return undefined
  return `${subject} in epoch ${open.producerEpoch}, which nothing has ended, and this batch is of epoch ${batch.producerEpoch}`
}

/** The entries of a `.txnindex` file, one at a time; none where there is no file, and none after one that is damaged. */
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
