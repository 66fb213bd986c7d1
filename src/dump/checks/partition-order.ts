/**
 * The batches of a partition one after the other, held against each other and against what lies beside them: the file
 * of leader epochs, the lists of aborted transactions, and the snapshots that say what was known of producers.
 */
import { CorruptSnapshot, decodeSnapshot } from '../../idempotence/producer-snapshot.ts'
import { type EpochStart, LEADER_EPOCH_FILE, parseLeaderEpochs } from '../../log/partition-log/leader-epochs.ts'
import { baseOffsetOf, parseSegmentFile } from '../../log/segment/segment-names.ts'
import type { RecordBatch } from '../../protocol/records/batch.ts'
import type { Files } from '../formats/log-file.ts'
import { LARGEST_SNAPSHOT } from '../formats/producer-snapshot.ts'
import { type Item, problem } from '../items.ts'
import { SequenceChains } from './sequence-chains.ts'
import { TransactionOrder } from './transaction-order.ts'

/** The folders of the topic in which groups keep their offsets. */
const OF_GROUPS = /(^|\/)__consumer_offsets-\d+$/

/** A snapshot that the log has not reached yet. */
interface Snapshot {
  readonly path: string
  readonly offset: bigint
}

export class PartitionOrder {
  readonly folder: string
  readonly #files: Files
  readonly #chains: SequenceChains
  readonly #transactions: TransactionOrder
  readonly #epochs: EpochOrder
  /** In the order of their offsets. */
  readonly #snapshots: Snapshot[] = []
  readonly #lastSegment: bigint | undefined
  #nextOffset = 0n
  #isNewest = false

  constructor(files: Files, folder: string) {
    this.folder = folder
    this.#files = files
    this.#chains = new SequenceChains(OF_GROUPS.test(folder) ? 'not numbered' : 'numbered')
    this.#transactions = new TransactionOrder(files)
    this.#epochs = new EpochOrder(files, folder)
    const names = folder === '' ? [] : files.list(folder).map(({ name }) => name)
    this.#lastSegment = names.flatMap(name => baseOffsetOf(name) ?? []).at(-1)
    for (const name of names) {
      const { suffix, stage, baseOffset: offset = 0n } = parseSegmentFile(name) ?? {}
      if (suffix === 'snapshot' && stage === '') this.#snapshots.push({ path: `${folder}/${name}`, offset })
    }
  }

  /** Whether the segment that was entered is the one that is written to. */
  get isNewest(): boolean {
    return this.#isNewest
  }

  /** Tells which segment comes next. What is wrong with the one before. */
  *enter(path: string): Generator<Item> {
    yield* this.#transactions.enter(path.endsWith('.log') ? path : undefined)
    this.#isNewest = baseOffsetOf(path.slice(path.lastIndexOf('/') + 1)) === this.#lastSegment
  }

  /** What is wrong with the next batch's place among the others. */
  *add(path: string, position: number, batch: RecordBatch): Generator<Item> {
    const { baseOffset } = batch
    if (baseOffset < this.#nextOffset) {
      yield problem(path, position, `offset ${baseOffset} comes after offset ${this.#nextOffset - 1n}`)
    }
    if (baseOffset !== this.#nextOffset) this.#gapBefore(baseOffset)
    yield* this.#snapshotsUpTo(baseOffset)
    this.#nextOffset = batch.nextOffset
    if (batch.isLegacy) return
    if (batch.recordsCount <= batch.lastOffsetDelta) this.#gapBefore(batch.nextOffset)
    for (const wrong of [this.#chains.add(batch), this.#epochs.add(batch)]) {
      if (wrong !== undefined) yield problem(path, position, wrong)
    }
    yield* this.#transactions.add(path, position, batch)
  }

  /** What is wrong at the end, if the segments up to the last were told of. */
  *finish(): Generator<Item> {
    yield* this.#transactions.enter(undefined)
    if (this.#epochs.unreadable !== undefined) yield this.#epochs.unreadable
    if (this.#isNewest) this.#reachLastSegment()
    yield* this.#snapshotsUpTo(this.#nextOffset)
    if (!this.#isNewest) return
    for (const { path } of this.#snapshots) {
      yield problem(path, undefined, `it is of an offset after the log's end, ${this.#nextOffset}`)
    }
  }

  /** A log ends where its last segment begins, at the least: retention and compaction may have taken all before. */
  #reachLastSegment(): void {
    if (this.#lastSegment === undefined || this.#lastSegment <= this.#nextOffset) return
    this.#nextOffset = this.#lastSegment
    this.#gapBefore(this.#lastSegment)
  }

  #gapBefore(offset: bigint): void {
    this.#chains.gapBefore(offset)
    this.#transactions.gapBefore(offset)
  }

  *#snapshotsUpTo(offset: bigint): Generator<Item> {
    for (let next = this.#snapshots[0]; next && next.offset <= offset; next = this.#snapshots[0]) {
      this.#snapshots.shift()
      for (const entry of entriesOf(this.#files, next.path)) {
        for (const wrong of [this.#chains.wrongIn(entry), this.#transactions.wrongIn(entry)]) {
          if (wrong !== undefined) yield problem(next.path, undefined, wrong)
        }
      }
    }
  }
}

/** The entries of a snapshot; none where it is damaged, which is told when it is its turn. */
function entriesOf(files: Files, path: string) {
  if (!files.exists(path) || files.size(path) > LARGEST_SNAPSHOT) return []
  try {
    return decodeSnapshot(files.read(path, 0, files.size(path)))
  } catch (error) {
    if (error instanceof CorruptSnapshot) return []
    throw error
  }
}

const LARGEST_EPOCH_FILE = 16 << 20

/** The leaders' epochs by the file, against those in the batches. */
class EpochOrder {
  readonly unreadable: Item | undefined
  readonly #starts: readonly EpochStart[] = []
  /** How many starts lie at or before the last batch. */
  #passed = 0
  /** The last epoch of the file that was reported: each is reported once. */
  #reported = -1

  constructor(files: Files, folder: string) {
    const path = `${folder}/${LEADER_EPOCH_FILE}`
    if (!files.exists(path)) return
    const starts = parseLeaderEpochs(files.read(path, 0, Math.min(files.size(path), LARGEST_EPOCH_FILE)))
    if (starts) this.#starts = starts
    else this.unreadable = problem(path, undefined, 'the epochs of leaders cannot be read, or do not ascend')
  }

  /** What is wrong with the epoch of the next batch. */
  add({ baseOffset, partitionLeaderEpoch }: RecordBatch): string | undefined {
    while ((this.#starts[this.#passed]?.startOffset ?? baseOffset + 1n) <= baseOffset) this.#passed++
    const epoch = this.#starts[this.#passed - 1]?.epoch
    if (epoch === undefined || partitionLeaderEpoch < 0 || partitionLeaderEpoch === epoch) return undefined
    if (this.#reported === this.#passed) return undefined
    this.#reported = this.#passed
    return `offset ${baseOffset} is of leader epoch ${partitionLeaderEpoch}, and by ${LEADER_EPOCH_FILE} of ${epoch}`
  }
}
