/**
 * Kafka's checkpoint files: a version, a count, then a line an entry. At the top of a data directory they tell offsets
 * of partitions: how far a log is known to be on the disk, where it starts, how far it is replicated and compacted.
 */
import type { Logger } from '../runtime/logger.ts'
import { replaceFile, replaceFileSynced, type Storage } from '../storage/storage.ts'

/** Kafka's names for the offset checkpoints. */
export const RECOVERY_POINT_FILE = 'recovery-point-offset-checkpoint'
export const LOG_START_FILE = 'log-start-offset-checkpoint'
export const HIGH_WATERMARK_FILE = 'replication-offset-checkpoint'
export const CLEANER_OFFSET_FILE = 'cleaner-offset-checkpoint'

const VERSION = '0'

/** A checkpoint file of these lines. */
export function formatCheckpoint(lines: readonly string[]): Buffer {
  return Buffer.from(`${[VERSION, lines.length, ...lines].join('\n')}\n`)
}

/**
 * The columns of every line; undefined when the file is not what it should be. An empty file has no entries. One without a
 * last line end was cut short by a loss of power: its last number may lack digits.
 */
export function parseCheckpoint(bytes: Buffer, columnCount: number): string[][] | undefined {
  if (bytes.length === 0) return []
  const [version, count, ...lines] = bytes.toString('utf8').split('\n')
  if (lines.pop() !== '' || version?.trim() !== VERSION || Number(count) !== lines.length) return undefined
  const rows = lines.map(line => line.trim().split(/\s+/))
  const isRow = (row: string[]) => row.length === columnCount && row.slice(-2).every(cell => /^\d+$/.test(cell))
  return rows.every(isRow) ? rows : undefined
}

/** One of the offset checkpoints: offsets by the name of the partition's folder, in memory and in the file. */
export class OffsetCheckpoint {
  readonly #storage: Storage
  readonly #path: string
  readonly #offsets: Map<string, bigint>
  /** Whether the file was there and whole: a partition without an entry is then younger than the file. */
  readonly wasWhole: boolean
  #isUnsaved = false

  /** Reads the file. A damaged one counts as empty: more is recovered, and logs start at their first segment. */
  constructor(storage: Storage, path: string, logger: Logger) {
    this.#storage = storage
    this.#path = path
    const rows = storage.exists(path) ? parseCheckpoint(storage.read(path, 0, storage.size(path)), 3) : []
    if (!rows) logger.warn({ file: path }, 'a checkpoint file is damaged and counts as empty')
    this.wasWhole = rows !== undefined && storage.exists(path) && storage.size(path) > 0
    this.#offsets = new Map(rows?.map(([topic, number, offset]) => [`${topic}-${number}`, BigInt(offset ?? 0)]))
  }

  get(folder: string): bigint | undefined {
    return this.#offsets.get(folder)
  }

  /** All entries. */
  get entries(): Iterable<readonly [folder: string, offset: bigint]> {
    return this.#offsets
  }

  /** Sets an entry, or takes it away. The file follows with the next `write`. */
  set(folder: string, offset: bigint | undefined): void {
    if (this.#offsets.get(folder) === offset) return
    this.#isUnsaved = true
    if (offset === undefined) this.#offsets.delete(folder)
    else this.#offsets.set(folder, offset)
  }

  /** Takes all entries away but those of `folders`. */
  keepOnly(folders: { has(folder: string): boolean }): void {
    for (const folder of this.#offsets.keys()) if (!folders.has(folder)) this.set(folder, undefined)
  }

  /** Writes the file, if anything has changed since the last time. */
  write(): void {
    if (!this.#isUnsaved) return
    replaceFile(this.#storage, this.#path, this.#format())
    this.#isUnsaved = false
  }

  /** Writes the file in any case, and brings it to the disk. */
  async save(): Promise<void> {
    await replaceFileSynced(this.#storage, this.#path, this.#format())
    this.#isUnsaved = false
  }

  #format(): Buffer {
    const lines = [...this.#offsets].map(([folder, offset]) => {
      const dash = folder.lastIndexOf('-')
      return `${folder.slice(0, dash)} ${folder.slice(dash + 1)} ${offset}`
    })
    return formatCheckpoint(lines)
  }
}
