/**
 * The leader epoch cache of a partition (KIP-101): the start offset of each epoch, and `leader-epoch-checkpoint`, its file.
 * OffsetForLeaderEpoch uses it, so that clients detect truncation.
 */
import { assert } from '../../runtime/assert.ts'
import { replaceFile, type Storage } from '../../storage/storage.ts'
import { formatCheckpoint, parseCheckpoint } from '../checkpoints.ts'

/** The epoch of records without one. Any other negative epoch counts as older than all entries. */
const NO_EPOCH = -1

/** Kafka's name for the file in a partition's folder. */
export const LEADER_EPOCH_FILE = 'leader-epoch-checkpoint'

/** An epoch and the offset of its first record. */
export interface EpochStart {
  readonly epoch: number
  readonly startOffset: bigint
}

export class LeaderEpochs {
  readonly #storage: Storage
  readonly #path: string
  /** Whether the file existed and was damaged. */
  readonly wasDamaged: boolean
  /** Ascending by epoch and by start offset. */
  #entries: EpochStart[]
  #isWritten = true

  /** Reads the file of `folder`. A damaged file counts as empty: the batches contain the epochs as well. */
  constructor(storage: Storage, folder: string) {
    this.#storage = storage
    this.#path = `${folder}/${LEADER_EPOCH_FILE}`
    const entries = readEntries(storage, this.#path)
    this.wasDamaged = entries === undefined
    this.#entries = entries ?? []
  }

  get earliest(): EpochStart | undefined {
    return this.#entries[0]
  }

  get latest(): EpochStart | undefined {
    return this.#entries.at(-1)
  }

  /** Begins `epoch` at `startOffset`. As in Kafka, entries with an equal or larger epoch or start offset are removed. */
  assign(epoch: number, startOffset: bigint): void {
    assert(epoch >= 0 && startOffset >= 0n, `epoch ${epoch} can begin at ${startOffset}`)
    const latest = this.latest
    if (latest?.epoch === epoch && latest.startOffset <= startOffset) return
    const kept = this.#entries.filter(entry => entry.epoch < epoch && entry.startOffset < startOffset)
    this.#replace([...kept, { epoch, startOffset }])
  }

  /** The epoch of the record at `offset`, if it is known. */
  epochAt(offset: bigint): number | undefined {
    return this.#entries.findLast(entry => entry.startOffset <= offset)?.epoch
  }

  /**
   * The largest known epoch at or below `epoch`, and its end offset. Undefined for an epoch above the latest. For an epoch
   * below the earliest, the end offset is the start offset of the earliest, and the epoch is returned as requested.
   */
  endOf(epoch: number, logEndOffset: bigint): { epoch: number; endOffset: bigint } | undefined {
    if (epoch === NO_EPOCH) return undefined
    if (this.latest?.epoch === epoch) return { epoch, endOffset: logEndOffset }
    const next = this.#entries.find(entry => entry.epoch > epoch)
    if (!next) return undefined
    const found = this.#entries.findLast(entry => entry.epoch <= epoch)
    return { epoch: found?.epoch ?? epoch, endOffset: next.startOffset }
  }

  /** Removes the epochs that begin at or after `endOffset`, the new end of the log. */
  truncateFromEnd(endOffset: bigint): void {
    this.#replace(this.#entries.filter(entry => entry.startOffset < endOffset))
  }

  /**
   * Moves the start of the log to `startOffset`: the last epoch that begins at or before it now begins there, and earlier
   * ones are removed. The file changes with the next `assign`, truncation from the end or `write`. Until then it holds
   * superfluous entries, so that a full disk does not prevent the deletion of old records.
   */
  truncateFromStart(startOffset: bigint): void {
    const first = this.#entries.findLast(entry => entry.startOffset <= startOffset)
    if (!first || (first === this.earliest && first.startOffset === startOffset)) return
    const later = this.#entries.filter(entry => entry.startOffset > startOffset)
    this.#entries = [{ epoch: first.epoch, startOffset }, ...later]
    this.#isWritten = false
  }

  /** Whether the file equals the entries in memory. */
  get isWritten(): boolean {
    return this.#isWritten
  }

  /** Writes the file. */
  write(): void {
    this.#save(this.#entries)
  }

  #replace(entries: EpochStart[]): void {
    if (this.#isWritten && linesOf(entries).join() === linesOf(this.#entries).join()) return
    this.#save(entries)
  }

  #save(entries: EpochStart[]): void {
    replaceFile(this.#storage, this.#path, formatCheckpoint(linesOf(entries)))
    this.#entries = entries
    this.#isWritten = true
  }
}

function linesOf(entries: readonly EpochStart[]): string[] {
  return entries.map(({ epoch, startOffset }) => `${epoch} ${startOffset}`)
}

function readEntries(storage: Storage, path: string): EpochStart[] | undefined {
  return storage.exists(path) ? parseLeaderEpochs(storage.read(path, 0, storage.size(path))) : []
}

/** Parses a leader epoch checkpoint; undefined if it is damaged or its entries do not ascend. */
export function parseLeaderEpochs(bytes: Buffer): EpochStart[] | undefined {
  const rows = parseCheckpoint(bytes, 2)
  const entries = rows?.map(([epoch, startOffset]) => ({ epoch: Number(epoch), startOffset: BigInt(startOffset ?? 0) }))
  const isAscending = entries?.every((entry, at) => {
    const before = entries[at - 1]
    return !before || (entry.epoch > before.epoch && entry.startOffset > before.startOffset)
  })
  return isAscending ? entries : undefined
}
