/**
 * Which snapshots, and which part of the log before them, are no longer needed: Kafka's rules. The oldest goes while
 * they are too large together or it is too old, but never the newest, on which the log rests.
 */
import type { PartitionLog } from '../../log/partition-log/partition-log.ts'
import type { Storage } from '../../storage/storage.ts'
import { lastContainedTimestamp, listSnapshots, markDeleted, type Snapshot } from './snapshots.ts'

/** How much may be kept; a limit below 0 is none. */
export interface SnapshotRetention {
  /** metadata.max.retention.bytes: for log and snapshots together */
  readonly retentionBytes: number
  /** metadata.max.retention.ms */
  readonly retentionMs: number
}

/** Takes out of use what is not needed any more. Returns the paths of the files that wait to be removed. */
export function retireSnapshots(
  storage: Storage,
  log: PartitionLog,
  { retentionBytes, retentionMs }: SnapshotRetention,
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
