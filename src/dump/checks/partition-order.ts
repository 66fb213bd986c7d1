/**
 * The checks of a partition's batches in log order: against each other, and against the leader epoch checkpoint, the
 * transaction indexes and the producer snapshots of the partition.
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

/** Folders of __consumer_offsets. Its transactional batches carry no real sequences. */
const OF_GROUPS = /(^|\/)__consumer_offsets-\d+$/

/** A producer snapshot at an offset that the checks have not reached yet. */
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
  /** In the order of offsets. */
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

  /** True if the current segment is the active segment. */
  get isNewest(): boolean {
    return this.#isNewest
  }

  /** Begins the next segment. Yields the problems of the previous segment's transaction index. */
  *enter(path: string): Generator<Item> {
    yield* this.#transactions.enter(path.endsWith('.log') ? path : undefined)
    this.#isNewest = baseOffsetOf(path.slice(path.lastIndexOf('/') + 1)) === this.#lastSegment
  }

  /** Adds the next batch. Yields the problems of its order and of the snapshots before it. */
  *add(path: string, position: number, batch: RecordBatch): Generator<Item> {
    const { baseOffset } = batch
    if (baseOffset < this.#nextOffset) {
      yield problem(
        path,
        position,
        `base offset ${baseOffset} is below ${this.#nextOffset}, the offset after the previous batch`
      )
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

  /** Yields the problems at the end of the log. Snapshots after the log end are checked only after the active segment. */
  *finish(): Generator<Item> {
    yield* this.#transactions.enter(undefined)
    if (this.#epochs.unreadable !== undefined) yield this.#epochs.unreadable
    if (this.#isNewest) this.#reachLastSegment()
    yield* this.#snapshotsUpTo(this.#nextOffset)
    if (!this.#isNewest) return
    for (const { path } of this.#snapshots) {
      yield problem(path, undefined, `its offset is above the log end offset ${this.#nextOffset}`)
    }
  }

  /** Moves to the base offset of the last segment: retention and compaction may have removed all batches before it. */
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

/** The entries of a snapshot; none if it is damaged, because the check of the snapshot file itself reports the damage. */
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

/** The check of the leader epochs of the batches against the leader epoch checkpoint. */
class EpochOrder {
  readonly unreadable: Item | undefined
  readonly #starts: readonly EpochStart[] = []
  /** Number of epoch starts at or before the base offset of the last batch. */
  #passed = 0
  /** The value of `#passed` at the last problem. A problem is reported once for each epoch of the file. */
  #reported = -1

  constructor(files: Files, folder: string) {
    const path = `${folder}/${LEADER_EPOCH_FILE}`
    if (!files.exists(path)) return
    const starts = parseLeaderEpochs(files.read(path, 0, Math.min(files.size(path), LARGEST_EPOCH_FILE)))
    if (starts) this.#starts = starts
    else this.unreadable = problem(path, undefined, 'the leader epochs are invalid or not in ascending order')
  }

  /** Returns the problem of the next batch's leader epoch, if there is one. */
  add({ baseOffset, partitionLeaderEpoch }: RecordBatch): string | undefined {
    while ((this.#starts[this.#passed]?.startOffset ?? baseOffset + 1n) <= baseOffset) this.#passed++
    const epoch = this.#starts[this.#passed - 1]?.epoch
    if (epoch === undefined || partitionLeaderEpoch < 0 || partitionLeaderEpoch === epoch) return undefined
    if (this.#reported === this.#passed) return undefined
    this.#reported = this.#passed
    return `offset ${baseOffset} has leader epoch ${partitionLeaderEpoch}, but ${LEADER_EPOCH_FILE} has epoch ${epoch}`
  }
}
