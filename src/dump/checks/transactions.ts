/** The dump of `--transactions`: one line for each transaction of a partition. Completed ones come first, in marker order. */
import { basename, dirname } from 'node:path'
import { baseOffsetOf } from '../../log/segment/segment-names.ts'
import { dumperOf, filesUnder, guarded, ignored, MISSING } from '../dump.ts'
import { entriesOf, type Files, isWhole } from '../formats/log-file.ts'
import { type Item, OptionalLong, problem } from '../items.ts'
import { type DumpOptions, isInRange } from '../options.ts'
import { type TracedTxn, TransactionTrace } from './transaction-trace.ts'

/** The transactions in the logs under the given paths, folder by folder. */
export function* dumpTransactions(files: Files, paths: readonly string[], options: DumpOptions): Generator<Item> {
  let partition: PartitionTransactions | undefined
  for (const path of filesUnder(files, paths)) {
    if (!files.exists(path)) yield problem(path, undefined, MISSING)
    else if (!dumperOf(path)) yield* guarded(path, () => ignored(files, path))
    if (!files.exists(path) || baseOffsetOf(basename(path)) === undefined) continue
    if (dirname(path) !== partition?.folder) {
      if (partition) yield* partition.finish()
      partition = new PartitionTransactions(files, dirname(path), options)
    }
    const within = partition
    yield* guarded(path, () => within.read(path))
  }
  if (partition) yield* partition.finish()
}

class PartitionTransactions {
  readonly folder: string
  readonly #files: Files
  readonly #options: DumpOptions
  readonly #trace = new TransactionTrace()
  #hasHeader = false

  constructor(files: Files, folder: string, options: DumpOptions) {
    this.folder = folder
    this.#files = files
    this.#options = options
  }

  /** Yields the transactions that complete in a segment. */
  *read(path: string): Generator<Item> {
    for (const entry of entriesOf(this.#files, path, 0, this.#files.size(path))) {
      const ended = isWhole(entry) ? this.#trace.add(entry.batch) : undefined
      if (!isWhole(entry)) yield problem(path, entry.position, entry.why)
      if (ended) yield* this.#report(ended)
    }
  }

  /** Yields the open transactions. */
  *finish(): Generator<Item> {
    for (const open of this.#trace.open) yield* this.#report(open)
  }

  *#report(transaction: TracedTxn): Generator<Item> {
    const { firstOffset, lastOffset, producerId } = transaction
    const { filter } = this.#options
    if (!isInRange(filter, firstOffset ?? lastOffset, lastOffset)) return
    if (filter.producerId !== undefined && filter.producerId !== producerId) return
    if (!this.#hasHeader) {
      yield { kind: 'file', pairs: [['folder', this.folder]], text: `Transactions in ${this.folder}` }
    }
    this.#hasHeader = true
    yield itemOf(transaction)
  }
}

function itemOf({ result, beganMs, lastMs, ...txn }: TracedTxn): Item {
  return {
    kind: 'entry',
    pairs: [
      ['producerId', txn.producerId],
      ['producerEpoch', txn.producerEpoch],
      ['firstOffset', new OptionalLong(txn.firstOffset)],
      ['lastOffset', txn.lastOffset],
      ['records', txn.recordsCount],
      ['result', result ?? 'OPEN'],
      ['beganAt', beganMs],
      ['durationMs', new OptionalLong(result === undefined ? undefined : lastMs - beganMs)]
    ]
  }
}
