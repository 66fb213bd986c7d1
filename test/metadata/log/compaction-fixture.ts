/** A metadata log that is compacted, and the snapshots that are there. */
import type { CompactionLimits } from '../../../src/metadata/log/compaction.ts'
import { listSnapshots } from '../../../src/metadata/log/snapshots.ts'
import { silentLogger } from '../../../src/runtime/logger.ts'
import { FOLDER, type MetadataLogDriver } from './metadata-log-driver.ts'

export const HOUR = 3_600_000
export const SEGMENT = { segmentBytes: 2000 }

/** Kafka's defaults, unless the test says otherwise. */
function limits(changes: Partial<CompactionLimits> = {}): CompactionLimits {
  return {
    maxBytesBetweenSnapshots: 20_971_520,
    maxSnapshotIntervalMs: HOUR,
    retentionBytes: 104_857_600,
    retentionMs: 7 * 24 * HOUR,
    ...changes
  }
}

export function begin(driver: MetadataLogDriver, changes?: Partial<CompactionLimits>) {
  const opened = driver.open()
  opened.metadata.compact(limits(changes), silentLogger)
  return opened
}

export const checkpoints = (driver: MetadataLogDriver) => driver.files().filter(name => name.endsWith('.checkpoint'))
export const newest = (driver: MetadataLogDriver) => listSnapshots(driver.storage, FOLDER).at(-1)

export function nameOf(offset: bigint, epoch: number): string {
  return `${String(offset).padStart(20, '0')}-${String(epoch).padStart(10, '0')}.checkpoint`
}
