/**
 * Makes a partition's folder fit to be opened. Where a process or machine died, nothing is believed from the recovery
 * point on but checksums; elsewhere only what is evidently damaged is looked at. Damage where a write may have been torn
 * goes with whatever follows, so that the log is a prefix of what it was; amid what was synced it is refused instead.
 */
import { BATCH_OVERHEAD, CorruptRecordError, type RecordBatch } from '../../protocol/records/batch.ts'
import type { Logger } from '../../runtime/logger.ts'
import { runAtOnce, type Steps } from '../../runtime/pace.ts'
import { DataDirectoryError } from '../../storage/data-directory-error.ts'
import { type Storage, StorageError } from '../../storage/storage.ts'
import { LeaderEpochs } from '../partition-log/leader-epochs.ts'
import { walkBatches } from '../segment/batch-walk.ts'
import { OffsetIndex } from '../segment/offset-index.ts'
import { Segment } from '../segment/segment.ts'
import { parseSegmentFile, segmentPath } from '../segment/segment-names.ts'
import { segmentOffsets } from '../segment/segments.ts'
import { TimeIndex } from '../segment/time-index.ts'
import { transactionIndexProblem } from '../segment/transaction-index.ts'
import { clearLeftovers } from './leftovers.ts'
import { type CheckedSegment, checkSegment, isFollowedBySound, isUnused } from './segment-check.ts'

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
  runAtOnce(recovering(options))
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

// Offset gaps between two segments. After power loss a full segment can miss its last batches while the next segment is complete.
// Kafka keeps such a log with its gap. Here the log is cut before the gap, but only if the gap is certainly a loss.

/** A folder as recovery finds it, and from where on it cannot have gaps, as far as is known of it. */
export interface GapsOptions {
  readonly storage: Storage
  readonly folder: string
  readonly lossesFrom: bigint | undefined
}

class Gaps {
  readonly #lossesFrom: bigint | undefined
  /** Segments that retention has taken out. Names may reach the disk in any order: an older one can be back. */
  readonly #deleted: readonly bigint[]
  /** Compaction, here or where the log was copied from, has taken records from among others. */
  #isCompacted = false
  #endOffset: bigint | undefined

  constructor({ storage, folder, lossesFrom }: GapsOptions) {
    this.#lossesFrom = lossesFrom
    this.#deleted = storage.list(folder).flatMap(({ name }) => {
      const file = parseSegmentFile(name)
      return file?.suffix === 'log' && file.stage === '.deleted' ? [file.baseOffset] : []
    })
  }

  /** The next segment is checked. */
  begin(baseOffset: bigint): void {
    if (this.#endOffset !== undefined && baseOffset > this.#endOffset) this.#isCompacted = true
    this.#endOffset = baseOffset
  }

  /** The next batch of it that was checked. */
  note(batch: RecordBatch): void {
    if (this.#lossesFrom === undefined || this.#isCompacted) return
    const lacksRecords = !batch.isLegacy && batch.recordsCount <= batch.lastOffsetDelta
    this.#isCompacted = lacksRecords || batch.baseOffset !== this.#endOffset
    this.#endOffset = batch.nextOffset
  }

  /** Whether batches were lost between the end of a segment and the next one. */
  isLoss(end: bigint, next = end): boolean {
    if (next <= end || this.#lossesFrom === undefined || next <= this.#lossesFrom || this.#isCompacted) return false
    return !this.#deleted.some(baseOffset => baseOffset >= end && baseOffset < next)
  }
}

/**
 * Whether the index files of a segment can belong to its log: what can be told from sizes and last entries alone, and
 * all entries of the aborted transactions, of which there are few, as in Kafka. An index that fails is made again from
 * the log; one that passes is believed.
 */
const OFFSET_ENTRY_BYTES = 8
const TIME_ENTRY_BYTES = 12

/** Why the indexes of a segment cannot be used, undefined when they can. */
function indexProblem(storage: Storage, folder: string, baseOffset: bigint): string | undefined {
  const path = segmentPath(folder, baseOffset, 'index')
  const timePath = segmentPath(folder, baseOffset, 'timeindex')
  if (!storage.exists(path)) return `${path} is missing`
  if (!storage.exists(timePath)) return `${timePath} is missing`
  if (storage.size(path) % OFFSET_ENTRY_BYTES !== 0) return `${path} ends in the middle of an entry`
  if (storage.size(timePath) % TIME_ENTRY_BYTES !== 0) return `${timePath} ends in the middle of an entry`
  const offsets = new OffsetIndex(storage, path, baseOffset)
  // A log that lost its end would be read from there, found empty, and written over.
  const logSize = storage.size(segmentPath(folder, baseOffset, 'log'))
  if (offsets.count > 0 && (offsets.lastPosition < 0 || offsets.lastPosition >= logSize)) {
    return `${path} points beyond the end of the log`
  }
  const { offset, timestamp } = new TimeIndex(storage, timePath, baseOffset).last
  if (offset < baseOffset || timestamp < -1n) return `${timePath} has an entry that cannot be`
  return transactionIndexProblem(storage, segmentPath(folder, baseOffset, 'txnindex'), baseOffset)
}

// Base offset in the file name and first offset in the file. A copy under another name would be read in place of the right file,
// or hide it. Nothing is repaired, since only the person who copied the file knows which is right.

/** Throws StorageError if the first batch is sound and comes before the offset in the file's name. */
function refuseWrongName(storage: Storage, segment: Segment): void {
  const { path, baseOffset, size } = segment
  const first = ifSound(() => segment.headers(0, BATCH_OVERHEAD).next().value?.batch)
  if (!first || first.baseOffset >= baseOffset) return
  // No write that was cut short does this: the offset lies with the rest of the header in one block of the disk.
  if (!ifSound(() => walkBatches(storage, path, 0, size).next().value)) return
  refuse(`${path} begins at offset ${first.baseOffset}, before the one in its name`)
}

/** Throws StorageError if a segment goes on after the offset at which the next one begins. */
function refuseOverlap(folder: string, segment: Segment, next: bigint | undefined): void {
  if (next === undefined) return
  const end = ifSound(() => segment.endOffset)
  if (end === undefined || end <= next) return
  refuse(`${segment.path} ends at offset ${end - 1n}, and ${segmentPath(folder, next, 'log')} begins before that`)
}

function refuse(reason: string): never {
  throw new StorageError('other', `${reason}: the file that does not belong there must be taken away`)
}

/** What is damaged is not to be judged by its place. */
function ifSound<T>(look: () => T): T | undefined {
  try {
    return look()
  } catch (error) {
    if (error instanceof CorruptRecordError) return undefined
    throw error
  }
}
