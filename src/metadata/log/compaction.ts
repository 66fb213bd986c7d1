/**
 * Keeps the metadata log short: a snapshot when enough bytes have come or enough time has gone since the last one, and
 * from time to time an end to old ones and to the log before them. Kafka's SnapshotGenerator and log cleaner in one.
 */

import type { Settings } from '../../config/settings.ts'
import { rows, type ViewOf } from '../../config/view.ts'
import type { PartitionLog } from '../../log/partition-log/partition-log.ts'
import { Removal } from '../../log/partition-log/removal.ts'
import type { Logger } from '../../runtime/logger.ts'
import { runYielding } from '../../runtime/pace.ts'
import { type Alarm, type Clocks, repeat } from '../../runtime/time.ts'
import type { Storage } from '../../storage/storage.ts'
import { type SnapshotContent, snapshotBatches } from './snapshot-batches.ts'
import {
  lastContainedTimestamp,
  listSnapshots,
  markDeleted,
  type Snapshot,
  snapshotAt,
  writeSnapshot
} from './snapshots.ts'

/** When snapshots are made and for how long they are kept. */
const SNAPSHOT_ROWS = rows({
  maxBytesBetweenSnapshots: 'metadata.log.max.record.bytes.between.snapshots',
  maxSnapshotIntervalMs: 'metadata.log.max.snapshot.interval.ms',
  retentionBytes: 'metadata.max.retention.bytes',
  retentionMs: 'metadata.max.retention.ms'
})

type SnapshotSettings = ViewOf<typeof SNAPSHOT_ROWS>

/** What compaction needs from outside. */
export interface CompactionPorts {
  readonly storage: Storage
  readonly log: PartitionLog
  readonly clocks: Clocks
  readonly logger: Logger
  readonly settings: Settings
  /** What a snapshot made now would hold. */
  content(): SnapshotContent
}

/** Kafka's own, and no settings there either. */
const RETENTION_CHECK_INTERVAL_MS = 60_000
const FILE_DELETE_DELAY_MS = 60_000

export class Compaction {
  readonly #ports: CompactionPorts
  readonly #settings: SnapshotSettings
  readonly #end = new AbortController()
  readonly #cleaning: Alarm
  readonly #removal: Removal
  #interval: Alarm | undefined
  #bytes: number
  #writing: Promise<void> | undefined

  /** Begins at once; `bytes` have come since the last snapshot. */
  constructor(ports: CompactionPorts, bytes: number) {
    this.#ports = ports
    this.#settings = ports.settings.view(SNAPSHOT_ROWS)
    this.#bytes = bytes
    this.#removal = new Removal(ports.storage, ports.clocks.deadline, ports.logger)
    this.#cleaning = repeat(
      ports.clocks.deadline,
      () => RETENTION_CHECK_INTERVAL_MS,
      () => this.#clean()
    )
    this.#armInterval()
    this.appended(0)
  }

  /** So many bytes have been appended to the log. */
  appended(bytes: number): void {
    this.#bytes += bytes
    if (this.#bytes >= this.#settings.maxBytesBetweenSnapshots) this.#begin()
  }

  /** Calls off what is not finished. Resolves when nothing will touch the disk any more. */
  async close(): Promise<void> {
    this.#end.abort()
    this.#interval?.cancel()
    this.#cleaning.cancel()
    await this.#writing
    await this.#removal.stop()
  }

  #armInterval(): void {
    const { clocks } = this.#ports
    const { maxSnapshotIntervalMs } = this.#settings
    if (maxSnapshotIntervalMs === 0) return
    this.#interval?.cancel()
    this.#interval = clocks.deadline.at(clocks.deadline.now() + maxSnapshotIntervalMs, () => this.#begin())
  }

  /** Makes a snapshot, unless one is being made or the last one says it all. */
  #begin(): void {
    if (this.#writing || this.#end.signal.aborted) return
    const { storage, log } = this.#ports
    this.#bytes = 0
    this.#armInterval()
    const newest = listSnapshots(storage, log.folder).at(-1)
    if (newest?.offset === log.logEndOffset) return
    this.#writing = this.#write().finally(() => {
      this.#writing = undefined
      // Perhaps enough for the next one has come meanwhile.
      this.appended(0)
    })
  }

  /** Never rejects: what cannot be written now is written when the next snapshot is due. */
  async #write(): Promise<void> {
    const { storage, log, clocks, logger, content } = this.#ports
    const { signal } = this.#end
    const state = content()
    const snapshot = snapshotAt(log.folder, state.offset, state.epoch)
    try {
      const batches = snapshotBatches(state, BigInt(clocks.wall.now()))
      await runYielding(writeSnapshot(storage, snapshot, batches), { clocks, signal })
      logger.info({ path: snapshot.path }, 'a snapshot of the metadata has been written')
    } catch (error) {
      if (!signal.aborted) logger.error({ path: snapshot.path, err: error }, 'a snapshot of the metadata failed')
    }
  }

  #clean(): void {
    // The name of a snapshot that is being written may not be on the disk yet: it is no reason to delete others.
    if (this.#writing) return
    const { storage, log, clocks, logger } = this.#ports
    try {
      const retired = retireSnapshots(storage, log, this.#settings, clocks.wall.now())
      this.#removal.after(FILE_DELETE_DELAY_MS, retired)
      for (const path of retired) logger.info({ path }, 'a snapshot of the metadata is too old and will be removed')
    } catch (error) {
      logger.error({ err: error }, 'old snapshots of the metadata cannot be removed')
    }
  }
}

// Retention of snapshots and of the log before them, by Kafka's rules: the oldest snapshot is deleted while all are too large together
// or it is too old. The newest is never deleted.

/** Takes snapshots out of use by the limits, of which one below 0 is none. Returns the paths of the files that wait to be removed. */
function retireSnapshots(
  storage: Storage,
  log: PartitionLog,
  { retentionBytes, retentionMs }: SnapshotSettings,
  nowMs: number
): string[] {
  const retired: string[] = []
  const sizeOf = ({ path }: Snapshot) => storage.size(path)
  if (retentionBytes >= 0) {
    let snapshotBytes = listSnapshots(storage, log.folder).reduce((sum, snapshot) => sum + sizeOf(snapshot), 0)
    const isTooMuch = (oldest: Snapshot) => {
      if (log.sizeInBytes + snapshotBytes <= retentionBytes) return false
      snapshotBytes -= sizeOf(oldest)
      return true
    }
    retired.push(...retireWhile(storage, log, isTooMuch))
  }
  if (retentionMs >= 0) {
    const isOld = (oldest: Snapshot) => nowMs - Number(lastContainedTimestamp(storage, oldest)) > retentionMs
    retired.push(...retireWhile(storage, log, isOld))
  }
  return retired
}

function retireWhile(storage: Storage, log: PartitionLog, isDue: (oldest: Snapshot) => boolean): string[] {
  const retired: string[] = []
  const snapshots = listSnapshots(storage, log.folder)
  for (const [index, oldest] of snapshots.entries()) {
    const next = snapshots[index + 1]
    // The log begins where the oldest snapshot ends; one that it has moved past already is the last to be kept.
    if (!next || next.offset <= log.logStartOffset || !isDue(oldest)) break
    log.moveLogStart(next.offset)
    // Nothing but what lies before the start goes: the log's own retention is off.
    while (log.deleteOldSegments() > 0) {}
    retired.push(markDeleted(storage, oldest))
  }
  return retired
}
