/**
 * Kafka's checkpoint files: a version, a count, and a line for each entry. The offset checkpoints of a data directory hold
 * the recovery point, the log start offset, the high watermark and the cleaner offset of each partition.
 */
import type { Events } from '../events/event.ts'
import { replaceFile, replaceFileSynced, type Storage } from '../storage/storage.ts'

/** Kafka's names for the offset checkpoints. */
export const RECOVERY_POINT_FILE = 'recovery-point-offset-checkpoint'
export const LOG_START_FILE = 'log-start-offset-checkpoint'
export const HIGH_WATERMARK_FILE = 'replication-offset-checkpoint'
export const CLEANER_OFFSET_FILE = 'cleaner-offset-checkpoint'

const VERSION = '0'

/** Formats a checkpoint file. */
export function formatCheckpoint(lines: readonly string[]): Buffer {
  return Buffer.from(`${[VERSION, lines.length, ...lines].join('\n')}\n`)
}

/**
 * Parses a checkpoint file into the columns of each line; undefined if the file is damaged. An empty file has no entries. A
 * file without a final line break was cut short by a power loss: digits of its last number may be missing.
 */
export function parseCheckpoint(bytes: Buffer, columnCount: number): string[][] | undefined {
  if (bytes.length === 0) return []
  const [version, count, ...lines] = bytes.toString('utf8').split('\n')
  if (lines.pop() !== '' || version?.trim() !== VERSION || Number(count) !== lines.length) return undefined
  const rows = lines.map(line => line.trim().split(/\s+/))
  const isRow = (row: string[]) => row.length === columnCount && row.slice(-2).every(cell => /^\d+$/.test(cell))
  return rows.every(isRow) ? rows : undefined
}

/** An offset checkpoint in memory and on disk: offsets by the name of the partition's folder. */
export class OffsetCheckpoint {
  readonly #storage: Storage
  readonly #path: string
  readonly #offsets: Map<string, bigint>
  /** Whether the file existed and was intact. A partition without an entry is then newer than the file. */
  readonly wasComplete: boolean
  #isUnsaved = false

  /**
   * Reads the file. A damaged file counts as empty: recovery checks more segments, and logs start at their first segment.
   */
  constructor(storage: Storage, path: string, events: Events) {
    this.#storage = storage
    this.#path = path
    const rows = storage.exists(path) ? parseCheckpoint(storage.read(path, 0, storage.size(path)), 3) : []
    if (!rows) events.emit({ type: 'CheckpointDamaged', path })
    this.wasComplete = rows !== undefined && storage.exists(path) && storage.size(path) > 0
    this.#offsets = new Map(rows?.map(([topic, number, offset]) => [`${topic}-${number}`, BigInt(offset ?? 0)]))
  }

  get(folder: string): bigint | undefined {
    return this.#offsets.get(folder)
  }

  /** All entries. */
  get entries(): Iterable<readonly [folder: string, offset: bigint]> {
    return this.#offsets
  }

  /** Sets or removes an entry. The file changes with the next `write`. */
  set(folder: string, offset: bigint | undefined): void {
    if (this.#offsets.get(folder) === offset) return
    this.#isUnsaved = true
    if (offset === undefined) this.#offsets.delete(folder)
    else this.#offsets.set(folder, offset)
  }

  /** Removes all entries except those of `folders`. */
  keepOnly(folders: { has(folder: string): boolean }): void {
    for (const folder of this.#offsets.keys()) if (!folders.has(folder)) this.set(folder, undefined)
  }

  /** Writes the file if an entry has changed since the last write. */
  write(): void {
    if (!this.#isUnsaved) return
    replaceFile(this.#storage, this.#path, this.#format())
    this.#isUnsaved = false
  }

  /** Writes the file in any case and syncs it. */
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
