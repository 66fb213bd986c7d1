/**
 * Which leader epoch began at which offset of a partition (KIP-101), with the file that keeps it. The answer to "where
 * did this epoch end" tells a client whether the log it read from is still the one it knows.
 */
import { assert } from '../../runtime/assert.ts'
import { replaceFile, type Storage } from '../../storage/storage.ts'
import { formatCheckpoint, parseCheckpoint } from '../checkpoints.ts'

/** The epoch of records that have none. Any other one below 0 is merely older than all that are known. */
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
  /** Whether there was a file that could not be read. */
  readonly wasDamaged: boolean
  /** Ascending in both. */
  #entries: EpochStart[]
  #isWritten = true

  /** Reads the file of `folder`. One that cannot be read says nothing: epochs are in the batches too. */
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

  /** From here on records are of `epoch`. Entries that contradict it are dropped, as Kafka does. */
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
   * The end of the largest epoch that is not after `epoch`, given the log's end; undefined for an epoch that is not
   * known yet. An epoch older than all that are known ended where the first of them began.
   */
  endOf(epoch: number, logEndOffset: bigint): { epoch: number; endOffset: bigint } | undefined {
    if (epoch === NO_EPOCH) return undefined
    if (this.latest?.epoch === epoch) return { epoch, endOffset: logEndOffset }
    const next = this.#entries.find(entry => entry.epoch > epoch)
    if (!next) return undefined
    const found = this.#entries.findLast(entry => entry.epoch <= epoch)
    return { epoch: found?.epoch ?? epoch, endOffset: next.startOffset }
  }

  /** The log now ends at `endOffset`: later epochs have no records. */
  truncateFromEnd(endOffset: bigint): void {
    this.#replace(this.#entries.filter(entry => entry.startOffset < endOffset))
  }

  /**
   * The log now starts at `startOffset`: of the epochs before, the last one stays and starts there. The file follows with
   * the next change or `write`: it may say more than it must, and a full disk must not keep old records from going.
   */
  truncateFromStart(startOffset: bigint): void {
    const first = this.#entries.findLast(entry => entry.startOffset <= startOffset)
    if (!first || (first === this.earliest && first.startOffset === startOffset)) return
    const later = this.#entries.filter(entry => entry.startOffset > startOffset)
    this.#entries = [{ epoch: first.epoch, startOffset }, ...later]
    this.#isWritten = false
  }

  /** Whether the file says all that is known. */
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

/** What such a file says; undefined when it cannot be read, or its entries do not ascend. */
export function parseLeaderEpochs(bytes: Buffer): EpochStart[] | undefined {
  const rows = parseCheckpoint(bytes, 2)
  const entries = rows?.map(([epoch, startOffset]) => ({ epoch: Number(epoch), startOffset: BigInt(startOffset ?? 0) }))
  const isAscending = entries?.every((entry, at) => {
    const before = entries[at - 1]
    return !before || (entry.epoch > before.epoch && entry.startOffset > before.startOffset)
  })
  return isAscending ? entries : undefined
}
