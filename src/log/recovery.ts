/**
 * Makes a partition's folder fit to be opened after a process or machine died: from the recovery point on nothing is
 * believed but checksums. Whatever follows the first damage goes, so that the log is a prefix of what it was.
 */
import type { Logger } from '../runtime/logger.ts'
import { LeaderEpochs } from './leader-epochs.ts'
import { OffsetIndex } from './offset-index.ts'
import { Segment } from './segment.ts'
import { segmentPath } from './segment-names.ts'
import { segmentOffsets } from './segments.ts'
import type { Storage } from './storage.ts'

/** A folder to recover, and what is known of it. */
export interface RecoveryOptions {
  readonly storage: Storage
  readonly folder: string
  /** Segments that end at or before are known to be whole. */
  readonly recoveryPoint: bigint
  readonly indexIntervalBytes: number
  readonly nowMs: number
  readonly logger: Logger
}

/** Recovers one folder. Throws StorageError when the disk does not let us. */
export function recoverPartition(options: RecoveryOptions): void {
  const { storage, folder, recoveryPoint, nowMs } = options
  const segments = segmentOffsets(storage, folder).map(offset => new Segment(storage, folder, offset, nowMs))
  removeOrphans(options)
  const epochs = new LeaderEpochs(storage, folder)
  for (const [index, segment] of segments.entries()) {
    const end = segments[index + 1]?.baseOffset
    const isKnown = end !== undefined && end <= recoveryPoint && segment.hasIndexes
    if (isKnown || recoverSegment(segment, epochs, options)) continue
    for (const later of segments.splice(index + 1).reverse()) later.remove()
    break
  }
  epochs.truncateFromEnd(segments.at(-1)?.endOffset ?? 0n)
}

/** Whether a segment is without an index file that fits it, which every clean stop and every recovery leaves it. */
export function lacksIndexes(storage: Storage, folder: string): boolean {
  const paths = new Set(storage.list(folder).map(({ name }) => `${folder}/${name}`))
  return segmentOffsets(storage, folder).some(offset => {
    const index = segmentPath(folder, offset, 'index')
    if (!paths.has(index) || !paths.has(segmentPath(folder, offset, 'timeindex'))) return true
    // A log that lost its end would be read from there, found empty, and written over.
    const { count, lastPosition } = new OffsetIndex(storage, index, offset)
    return count > 0 && lastPosition >= storage.size(segmentPath(folder, offset, 'log'))
  })
}

/** Returns whether the segment was whole. */
function recoverSegment(segment: Segment, epochs: LeaderEpochs, options: RecoveryOptions): boolean {
  const { cutBytes, reason } = segment.recover(options.indexIntervalBytes, batch => {
    const { partitionLeaderEpoch, baseOffset } = batch
    if (!batch.isLegacy && partitionLeaderEpoch > (epochs.latest?.epoch ?? -1)) {
      epochs.assign(partitionLeaderEpoch, baseOffset)
    }
  })
  if (cutBytes === 0) return true
  const { folder, logger } = options
  logger.warn(
    { folder, segment: segment.baseOffset, cutBytes, reason },
    'the end of a log was damaged and has been cut off'
  )
  return false
}

/** Index files without their log, which a crash in the middle of a removal leaves behind. */
function removeOrphans({ storage, folder }: RecoveryOptions): void {
  const names = new Set(storage.list(folder).map(({ name }) => name))
  for (const name of names) {
    const match = /^(\d{20})\.(?:index|timeindex|txnindex)$/.exec(name)
    if (match && !names.has(`${match[1]}.log`)) storage.removeNow(`${folder}/${name}`)
  }
}
