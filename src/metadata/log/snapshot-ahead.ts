/**
 * A snapshot that knows of later records than the log has: what lies between is in no file, so the log is emptied and
 * goes on where the snapshot ends. Kafka does so to one who got a snapshot from elsewhere, and so may operators.
 */
import { LeaderEpochs } from '../../log/partition-log/leader-epochs.ts'
import { Segments } from '../../log/segment/segments.ts'
import type { Logger } from '../../runtime/logger.ts'
import type { Storage } from '../../storage/storage.ts'
import { listSnapshots } from './snapshots.ts'

/** The metadata's folder, recovered and not yet opened. */
export interface RecoveredFolder {
  readonly storage: Storage
  readonly folder: string
  readonly nowMs: number
  readonly logger: Logger
}

/** Makes the log begin where the newest snapshot ends, if it does not reach up to there. */
export function followSnapshot({ storage, folder, nowMs, logger }: RecoveredFolder): void {
  const newest = listSnapshots(storage, folder).at(-1)
  if (!newest) return
  const { offset, epoch, path } = newest
  const segments = new Segments({ storage, folder, emptyAt: offset, nowMs })
  const epochs = new LeaderEpochs(storage, folder)
  const latestEpoch = epochs.latest?.epoch ?? 0
  const { endOffset } = segments.active
  if (epoch < latestEpoch || (epoch === latestEpoch && offset <= endOffset)) return
  logger.warn({ path, endOffset }, 'the metadata log ends before its newest snapshot: it begins again after it, empty')
  segments.startAgainAt(offset)
  epochs.truncateFromEnd(0n)
}
