/**
 * Compaction of the metadata log: writes a snapshot after a number of bytes or a period of time. Periodically deletes old
 * snapshots and the log before them. Kafka: SnapshotGenerator and KafkaMetadataLogCleaner.
 */

import type { Settings } from '../../config/settings.ts'
import { rows, type ViewOf } from '../../config/view.ts'
import type { Events } from '../../events/event.ts'
import type { PartitionLog } from '../../log/partition-log/partition-log.ts'
import { Removal } from '../../log/partition-log/removal.ts'
import { KafkaError } from '../../protocol/errors.ts'
import type { BackgroundLoop, BackgroundLoops } from '../../runtime/background.ts'
import { oneStep, type Steps } from '../../runtime/pace.ts'
import type { Clocks } from '../../runtime/time.ts'
import type { Storage } from '../../storage/storage.ts'
import { MetadataError } from '../metadata-error.ts'
import type { MetadataLog } from './metadata-log.ts'
import { snapshotBatches } from './snapshot-batches.ts'
import {
  lastContainedTimestamp,
  listSnapshots,
  markDeleted,
  type Snapshot,
  snapshotAt,
  writeSnapshot
} from './snapshots.ts'

/** Settings for the creation and retention of snapshots. */
const SNAPSHOT_ROWS = rows({
  maxBytesBetweenSnapshots: 'metadata.log.max.record.bytes.between.snapshots',
  maxSnapshotIntervalMs: 'metadata.log.max.snapshot.interval.ms',
  retentionBytes: 'metadata.max.retention.bytes',
  retentionMs: 'metadata.max.retention.ms'
})

type SnapshotSettings = ViewOf<typeof SNAPSHOT_ROWS>

/** Dependencies of compaction. */
export interface CompactionPorts {
  readonly storage: Storage
  readonly metadata: Pick<MetadataLog, 'log' | 'appendedBytes' | 'snapshotContent' | 'subscribe'>
  readonly clocks: Clocks
  readonly events: Events
  readonly settings: Settings
  readonly background: BackgroundLoops
}

/** Kafka's constants, which are not configurable in Kafka either. */
const RETENTION_CHECK_INTERVAL_MS = 60_000
const FILE_DELETE_DELAY_MS = 60_000

export class Compaction {
  readonly #ports: CompactionPorts
  readonly #settings: SnapshotSettings
  readonly #removal: Removal
  readonly #snapshots: BackgroundLoop
  /** `appendedBytes` of the metadata log at the last snapshot. */
  #snapshotBytes = 0

  /** Starts compaction. */
  constructor(ports: CompactionPorts) {
    const { storage, metadata, clocks, events, background } = ports
    this.#ports = ports
    this.#settings = ports.settings.view(SNAPSHOT_ROWS)
    this.#removal = new Removal(storage, clocks.deadline, events)
    this.#snapshots = background.start({
      name: 'metadata snapshots',
      delayMs: () => this.#settings.maxSnapshotIntervalMs || undefined,
      work: () => this.#snapshot()
    })
    background.start({
      name: 'retention of metadata snapshots',
      delayMs: () => RETENTION_CHECK_INTERVAL_MS,
      work: () => oneStep(() => this.#clean())
    })
    metadata.subscribe(() => this.#snapshotIfDue())
    this.#snapshotIfDue()
  }

  /** Resolves when no file is being removed. Requires that the background loops are stopped. */
  close(): Promise<void> {
    return this.#removal.stop()
  }

  #snapshotIfDue(): void {
    const bytes = this.#ports.metadata.appendedBytes - this.#snapshotBytes
    if (bytes >= this.#settings.maxBytesBetweenSnapshots) this.#snapshots.run()
  }

  /** Writes a snapshot if records have been appended since the last one. After an error the next run tries again. */
  *#snapshot(): Steps {
    const { storage, metadata, clocks, events } = this.#ports
    const { log } = metadata
    this.#snapshotBytes = metadata.appendedBytes
    const state = metadata.snapshotContent()
    const snapshot = snapshotAt(log.folder, state.offset, state.epoch)
    try {
      if (listSnapshots(storage, log.folder).at(-1)?.offset === log.logEndOffset) return
      yield* writeSnapshot(storage, snapshot, snapshotBatches(state, BigInt(clocks.wall.now())))
      events.emit({ type: 'SnapshotWritten', path: snapshot.path, endOffset: snapshot.offset })
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      events.emit({ type: 'SnapshotFailed', path: snapshot.path, error })
    }
  }

  #clean(): void {
    // A snapshot in progress may not have its name on disk yet. Other snapshots must not be deleted because of it.
    if (this.#snapshots.isRunning) return
    const { storage, metadata, clocks, events } = this.#ports
    try {
      const retired = retireSnapshots(storage, metadata.log, this.#settings, clocks.wall.now())
      this.#removal.after(FILE_DELETE_DELAY_MS, retired)
      for (const path of retired) events.emit({ type: 'SnapshotDeleted', path })
    } catch (error) {
      if (!(error instanceof KafkaError || error instanceof MetadataError)) throw error
      events.emit({ type: 'SnapshotRetentionFailed', error })
    }
  }
}

// Retention of snapshots and of the log before them, by Kafka's rules: deletes the oldest snapshot while the total size exceeds
// the limit or the snapshot is too old. Never deletes the newest snapshot.

/** Takes snapshots out of use by size and age; a negative limit is off. Returns the paths of the files to remove. */
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
    // After each removal the log starts at the end of the oldest remaining snapshot. Stops if the log start is already at or past
    // the next snapshot.
    if (!next || next.offset <= log.logStartOffset || !isDue(oldest)) break
    log.moveLogStart(next.offset)
    // Deletes only segments before the log start offset, because the retention limits of the log itself are off.
    while (log.deleteOldSegments() > 0) {}
    retired.push(markDeleted(storage, oldest))
  }
  return retired
}
