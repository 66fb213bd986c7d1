/**
 * Makes a partition's folder fit to be opened. Where a process or machine died, nothing is believed from the recovery
 * point on but checksums; elsewhere only what is evidently damaged is looked at. Damage where a write may have been torn
 * goes with whatever follows, so that the log is a prefix of what it was; amid what was synced it is refused instead.
 */
import type { RecordBatch } from '../../protocol/records/batch.ts'
import { CorruptRecordError } from '../../protocol/records/batch.ts'
import type { Logger } from '../../runtime/logger.ts'
import { finishNow, type Steps } from '../../runtime/pace.ts'
import { DataDirectoryError } from '../../storage/data-directory-error.ts'
import { type Storage, StorageError } from '../../storage/storage.ts'
import { LeaderEpochs } from '../partition-log/leader-epochs.ts'
import { Segment } from '../segment/segment.ts'
import { parseSegmentFile, segmentPath } from '../segment/segment-names.ts'
import { segmentOffsets } from '../segment/segments.ts'
import { Gaps } from './gaps.ts'
import { indexProblem } from './index-sanity.ts'
import { clearLeftovers } from './leftovers.ts'
import { type CheckedSegment, checkSegment, isFollowedBySound, isUnused } from './segment-check.ts'
import { refuseOverlap, refuseWrongName } from './segment-place.ts'

/** A folder to recover, and what is known of it. */
export interface RecoveryOptions {
  readonly storage: Storage
  readonly folder: string
  /** Segments that end at or before are known to be whole. 'end': the log was closed, and all are. */
  readonly recoveryPoint: bigint | 'end'
  readonly indexIntervalBytes: number
  /**
   * A segment that ends before the next begins has lost its end with the power, if the next begins after this offset and
   * nothing in the log tells otherwise. Undefined for logs that may have such gaps.
   */
  readonly lossesFrom: bigint | undefined
  /** Whether the start ends where the log is damaged, unless its last write was torn: too much rests on it. */
  readonly mustBeWhole?: boolean
  readonly nowMs: number
  readonly logger: Logger
  /** Removes a file that may be large; at once unless given. */
  readonly discard?: (path: string) => void
}

/**
 * Recovers one folder. Throws StorageError when the disk does not let us or what was on it is damaged, DataDirectoryError
 * where that is a log that must be whole, CorruptRecordError for what cannot be mended.
 */
export function recoverPartition(options: RecoveryOptions): void {
  finishNow(recovering(options))
}

/** The same in steps, each of which tells how many bytes of the log it has checked. */
export function* recovering(options: RecoveryOptions): Steps<void, number> {
  const { storage, folder, nowMs, logger, discard = path => storage.removeNow(path) } = options
  const gaps = new Gaps(options)
  clearLeftovers({ ...options, discard })
  const offsets = segmentOffsets(storage, folder)
  // All of them before anything is changed.
  for (const baseOffset of offsets) {
    refuseWrongName(storage, new Segment(storage, folder, baseOffset, nowMs))
    yield 0
  }
  const epochs = new LeaderEpochs(storage, folder)
  if (epochs.wasDamaged) logger.warn({ folder }, 'what is known of leader epochs was damaged, and begins anew')
  let isChecked = false
  for (const [index, baseOffset] of offsets.entries()) {
    const segment = new Segment(storage, folder, baseOffset, nowMs)
    if (isTrusted(options, segment, offsets[index + 1])) {
      refuseOverlap(folder, segment, offsets[index + 1])
      yield 0
      continue
    }
    if (!isChecked) forgetSnapshotsAfter(baseOffset, options)
    isChecked = true
    const checked = yield* checking(segment, epochs, gaps, options)
    const isCut = segment.size < checked.fileBytes && !isMerelyUnused(storage, segment, checked, offsets[index + 1])
    if (isCut || gaps.isLoss(segment.endOffset, offsets[index + 1])) {
      refuseInnerDamage(segment, checked, offsets.length - index - 1, options)
      reportDamage(segment, checked, offsets.length - index - 1, options)
      // From the end, and before the cut: who comes after a crash in between finds the same damage, and no hole.
      for (const later of offsets.splice(index + 1).reverse()) new Segment(storage, folder, later, nowMs).remove()
      // Should power be lost, none may come back behind a log that has gone on.
      storage.syncNow(folder)
    }
    refuseOverlap(folder, segment, offsets[index + 1])
    if (index === offsets.length - 1) segment.finishForNow()
    else segment.finish()
  }
  if (!isChecked) return
  const last = offsets.at(-1)
  epochs.truncateFromEnd(last === undefined ? 0n : new Segment(storage, folder, last, nowMs).endOffset)
}

/**
 * What was known of producers later on is found again by reading on from here, and with it the transactions that were
 * aborted: of every segment that is checked their list is made again, too.
 */
function forgetSnapshotsAfter(offset: bigint, { storage, folder }: RecoveryOptions): void {
  for (const { name } of storage.list(folder)) {
    const file = parseSegmentFile(name)
    if (file?.suffix === 'snapshot' && file.stage === '' && file.baseOffset > offset) {
      storage.removeNow(`${folder}/${name}`)
    }
  }
}

/** How many bytes of a folder `recovering` would look at, as far as can be told beforehand. */
export function bytesToCheck(storage: Storage, folder: string, recoveryPoint: bigint): number {
  return segmentOffsets(storage, folder).reduce((bytes, baseOffset, index, offsets) => {
    if (endsBefore(offsets[index + 1], recoveryPoint)) return bytes
    return bytes + storage.size(segmentPath(folder, baseOffset, 'log'))
  }, 0)
}

/** `end` is the next segment's base; the last segment has none, and a process that died may have written to it. */
function endsBefore(end: bigint | undefined, recoveryPoint: bigint | 'end'): boolean {
  return recoveryPoint === 'end' || (end !== undefined && end <= recoveryPoint)
}

function isTrusted(options: RecoveryOptions, segment: Segment, end: bigint | undefined): boolean {
  const { storage, folder, recoveryPoint, logger } = options
  const { baseOffset } = segment
  if (!endsBefore(end, recoveryPoint)) return false
  const problem = indexProblem(storage, folder, baseOffset) ?? (end === undefined ? endProblem(segment) : undefined)
  if (problem === undefined) return true
  logger.warn(
    { folder, segment: baseOffset, problem },
    'a segment lacks index files that fit it: it is checked, and they are made again'
  )
  return false
}

/** Appends go on from the end of the last segment, so it must be where a batch ends. */
function endProblem(segment: Segment): string | undefined {
  try {
    return segment.endOffset < segment.baseOffset ? 'its offsets go backwards' : undefined
  } catch (error) {
    if (error instanceof CorruptRecordError) return error.message
    throw error
  }
}

/** Tells of every batch how large it is, once it is known to be sound. */
function* checking(
  segment: Segment,
  epochs: LeaderEpochs,
  gaps: Gaps,
  { storage, indexIntervalBytes }: RecoveryOptions
): Steps<CheckedSegment, number> {
  const checking = checkSegment(storage, segment, indexIntervalBytes)
  gaps.begin(segment.baseOffset)
  let next = checking.next()
  for (; !next.done; next = checking.next()) {
    noteEpoch(epochs, next.value)
    gaps.note(next.value)
    yield next.value.sizeInBytes
  }
  return next.value
}

/** Space laid out in advance (preallocate). Where a later segment leaves a hole, the zeros stand for batches that were lost. */
function isMerelyUnused(
  storage: Storage,
  segment: Segment,
  { fileBytes }: CheckedSegment,
  end: bigint | undefined
): boolean {
  return (end === undefined || segment.endOffset === end) && isUnused(storage, segment.path, segment.size, fileBytes)
}

/**
 * Throws where something that was on the disk is damaged, and more of it follows, which a cut would lose. Of a log that must
 * be whole that is all but the last batch, which alone can have been torn: each was synced before the next one came.
 */
function refuseInnerDamage(
  { path, size, endOffset }: Segment,
  { fileBytes }: CheckedSegment,
  laterSegments: number,
  { storage, recoveryPoint, mustBeWhole }: RecoveryOptions
): void {
  const wasSynced = recoveryPoint === 'end' || endOffset < recoveryPoint
  if (!wasSynced && !mustBeWhole) return
  if (laterSegments === 0 && !isFollowedBySound(storage, path, size, fileBytes)) return
  const damage = `${path} is damaged at position ${size}, and what follows would be lost`
  const sentence = `${damage}: put back a copy of the file, or cut it there to go on without that`
  throw mustBeWhole ? new DataDirectoryError(sentence) : new StorageError('other', sentence)
}

function reportDamage(
  { baseOffset, endOffset, size }: Segment,
  { fileBytes, reason = 'the next segment begins later than this one ends' }: CheckedSegment,
  removedSegments: number,
  { folder, logger }: RecoveryOptions
): void {
  const lost = { cutBytes: fileBytes - size, removedSegments }
  const bindings = { folder, segment: baseOffset, endOffset, ...lost, reason }
  logger.warn(bindings, 'the end of a log was damaged and has been cut off')
}

function noteEpoch(epochs: LeaderEpochs, batch: RecordBatch): void {
  const { isLegacy, partitionLeaderEpoch, baseOffset } = batch
  if (!isLegacy && partitionLeaderEpoch > (epochs.latest?.epoch ?? -1)) epochs.assign(partitionLeaderEpoch, baseOffset)
}
