/**
 * Recovery of a partition's folder before its log is opened. After a crash, it checks the checksums of all batches from the
 * recovery point. Other segments are trusted unless their index files do not fit. Damage where a write may have been torn
 * truncates the log, so that it is a valid prefix of the old log. Damage within synced batches is refused if valid batches
 * follow it.
 */
import type { Events } from '../../events/event.ts'
import { BATCH_OVERHEAD, CorruptRecordError, type RecordBatch } from '../../protocol/records/batch.ts'
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
import { type CheckedSegment, checkSegment, isFollowedByValidBatch, isUnused } from './segment-check.ts'

/** A folder to recover. */
export interface RecoveryOptions {
  readonly storage: Storage
  readonly folder: string
  /** Segments that end at or below this offset are valid. 'end': the log was closed, and all segments are valid. */
  readonly recoveryPoint: bigint | 'end'
  readonly indexIntervalBytes: number
  /**
   * A gap between two segments counts as batches lost by a power loss, if the second begins above this offset and nothing in
   * the log indicates compaction. Undefined for logs that may have such gaps.
   */
  readonly lossesFrom: bigint | undefined
  /** Whether any damage but a torn last batch throws DataDirectoryError and so ends the start: for the metadata log. */
  readonly mustBeWhole?: boolean
  readonly nowMs: number
  readonly events: Events
  /** Removes a file that may be large. Default: at once. */
  readonly discard?: (path: string) => void
}

/**
 * Recovers one folder. Throws StorageError if the disk fails, if damaged batches were synced or if files do not belong to
 * the folder, DataDirectoryError for damage in a log that must be whole, and CorruptRecordError for damage that cannot be
 * repaired.
 */
export function recoverPartition(options: RecoveryOptions): void {
  runAtOnce(recovering(options))
}

/** `recoverPartition` in steps. Each yields the number of bytes that it has checked. */
export function* recovering(options: RecoveryOptions): Steps<void, number> {
  const { storage, folder, nowMs, events, discard = path => storage.removeNow(path) } = options
  const gaps = new Gaps(options)
  clearLeftovers({ ...options, discard })
  const offsets = segmentOffsets(storage, folder)
  // Checks the names of all segments before the first change.
  for (const baseOffset of offsets) {
    refuseWrongName(storage, new Segment(storage, folder, baseOffset, nowMs))
    yield 0
  }
  const epochs = new LeaderEpochs(storage, folder)
  if (epochs.wasDamaged) events.emit({ type: 'LeaderEpochsDamaged', topicPartition: folder })
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
    const isCut = segment.size < checked.fileBytes && !isUnusedSpace(storage, segment, checked, offsets[index + 1])
    if (isCut || gaps.isLoss(segment.endOffset, offsets[index + 1])) {
      refuseInnerDamage(segment, checked, offsets.length - index - 1, options)
      reportDamage(segment, checked, offsets.length - index - 1, options)
      // Removes the later segments from the last to the first, and before the truncation. After a crash meanwhile, the next
      // recovery finds the same damage and no gap.
      for (const later of offsets.splice(index + 1).reverse()) new Segment(storage, folder, later, nowMs).remove()
      // After a power loss, no removed segment may reappear after a log that has new batches.
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
 * Removes the producer snapshots after `offset`. A replay from there rebuilds producer state and aborted transactions; the
 * transaction index of each checked segment is empty until then.
 */
function forgetSnapshotsAfter(offset: bigint, { storage, folder }: RecoveryOptions): void {
  for (const { name } of storage.list(folder)) {
    const file = parseSegmentFile(name)
    if (file?.suffix === 'snapshot' && file.stage === '' && file.baseOffset > offset) {
      storage.removeNow(`${folder}/${name}`)
    }
  }
}

/** Estimate of the bytes that `recovering` checks in a folder. */
export function bytesToCheck(storage: Storage, folder: string, recoveryPoint: bigint): number {
  return segmentOffsets(storage, folder).reduce((bytes, baseOffset, index, offsets) => {
    if (endsBefore(offsets[index + 1], recoveryPoint)) return bytes
    return bytes + storage.size(segmentPath(folder, baseOffset, 'log'))
  }, 0)
}

/**
 * Whether a segment lies below the recovery point. `end` is the base offset of the next segment. The last segment has none:
 * the crashed process may have written to it.
 */
function endsBefore(end: bigint | undefined, recoveryPoint: bigint | 'end'): boolean {
  return recoveryPoint === 'end' || (end !== undefined && end <= recoveryPoint)
}

function isTrusted(options: RecoveryOptions, segment: Segment, end: bigint | undefined): boolean {
  const { storage, folder, recoveryPoint, events } = options
  const { baseOffset } = segment
  if (!endsBefore(end, recoveryPoint)) return false
  const problem = indexProblem(storage, folder, baseOffset) ?? (end === undefined ? endProblem(segment) : undefined)
  if (problem === undefined) return true
  events.emit({ type: 'IndexesRebuilt', topicPartition: folder, baseOffset, detail: problem })
  return false
}

/**
 * Describes a damaged end of the last segment; undefined if it is valid. Appends continue there, so a batch must end there.
 */
function endProblem(segment: Segment): string | undefined {
  try {
    return segment.endOffset < segment.baseOffset ? 'its end offset is below its base offset' : undefined
  } catch (error) {
    if (error instanceof CorruptRecordError) return error.message
    throw error
  }
}

/** Checks a segment and yields the size of each valid batch. */
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

/**
 * Whether the rest of a file is unused space of `preallocate`. Zeros before a gap to the next segment count as lost batches
 * instead.
 */
function isUnusedSpace(
  storage: Storage,
  segment: Segment,
  { fileBytes }: CheckedSegment,
  end: bigint | undefined
): boolean {
  return (end === undefined || segment.endOffset === end) && isUnused(storage, segment.path, segment.size, fileBytes)
}

/**
 * Throws if batches that were on disk are damaged and other data follows, which a truncation would lose. In a log that must
 * be whole, only the last batch can be torn: each batch was synced before the next append.
 */
function refuseInnerDamage(
  { path, size, endOffset }: Segment,
  { fileBytes }: CheckedSegment,
  laterSegments: number,
  { storage, recoveryPoint, mustBeWhole }: RecoveryOptions
): void {
  const wasSynced = recoveryPoint === 'end' || endOffset < recoveryPoint
  if (!wasSynced && !mustBeWhole) return
  if (laterSegments === 0 && !isFollowedByValidBatch(storage, path, size, fileBytes)) return
  const damage = `${path} is damaged at position ${size}, and valid batches follow`
  const sentence = `${damage}: restore the file from a copy, or truncate it at that position and lose these batches`
  throw mustBeWhole ? new DataDirectoryError(sentence) : new StorageError('other', sentence)
}

function reportDamage(
  { baseOffset, endOffset, size }: Segment,
  { fileBytes, reason: detail = 'offsets are missing before the next segment' }: CheckedSegment,
  removedSegments: number,
  { folder, events }: RecoveryOptions
): void {
  const lost = { cutBytes: fileBytes - size, removedSegments }
  events.emit({ type: 'LogTruncated', topicPartition: folder, baseOffset, endOffset, ...lost, detail })
}

function noteEpoch(epochs: LeaderEpochs, batch: RecordBatch): void {
  const { isLegacy, partitionLeaderEpoch, baseOffset } = batch
  if (!isLegacy && partitionLeaderEpoch > (epochs.latest?.epoch ?? -1)) epochs.assign(partitionLeaderEpoch, baseOffset)
}

// Offset gaps between two segments. After a power loss, a full segment can lack its last batches while the next segment is
// complete. Kafka keeps such a log with its gap. Here the log is truncated before the gap, but only if the gap is certainly
// a loss.

/** The folder, and the offset above which a gap counts as a loss. */
export interface GapsOptions {
  readonly storage: Storage
  readonly folder: string
  readonly lossesFrom: bigint | undefined
}

class Gaps {
  readonly #lossesFrom: bigint | undefined
  /**
   * Base offsets of segments that retention has renamed to `.deleted`. After a power loss, an older segment can be back
   * under its name, because renames reach the disk in any order.
   */
  readonly #deleted: readonly bigint[]
  /** Whether the batches show that compaction, here or on another broker, has removed records. */
  #isCompacted = false
  #endOffset: bigint | undefined

  constructor({ storage, folder, lossesFrom }: GapsOptions) {
    this.#lossesFrom = lossesFrom
    this.#deleted = storage.list(folder).flatMap(({ name }) => {
      const file = parseSegmentFile(name)
      return file?.suffix === 'log' && file.stage === '.deleted' ? [file.baseOffset] : []
    })
  }

  /** Begins the check of the next segment. */
  begin(baseOffset: bigint): void {
    if (this.#endOffset !== undefined && baseOffset > this.#endOffset) this.#isCompacted = true
    this.#endOffset = baseOffset
  }

  /** Adds the next valid batch of the segment. */
  note(batch: RecordBatch): void {
    if (this.#lossesFrom === undefined || this.#isCompacted) return
    const lacksRecords = !batch.isLegacy && batch.recordsCount <= batch.lastOffsetDelta
    this.#isCompacted = lacksRecords || batch.baseOffset !== this.#endOffset
    this.#endOffset = batch.nextOffset
  }

  /** Whether batches were lost between the end offset of a segment and the base offset of the next one. */
  isLoss(end: bigint, next = end): boolean {
    if (next <= end || this.#lossesFrom === undefined || next <= this.#lossesFrom || this.#isCompacted) return false
    return !this.#deleted.some(baseOffset => baseOffset >= end && baseOffset < next)
  }
}

/**
 * Checks of index files against their log, as in Kafka: sizes and last entries of the offset index and the time index, and
 * all entries of the transaction index, which has few. An index that fails is rebuilt from the log.
 */
const OFFSET_ENTRY_BYTES = 8
const TIME_ENTRY_BYTES = 12

/** Describes why the index files of a segment cannot be used; undefined if they can. */
function indexProblem(storage: Storage, folder: string, baseOffset: bigint): string | undefined {
  const path = segmentPath(folder, baseOffset, 'index')
  const timePath = segmentPath(folder, baseOffset, 'timeindex')
  if (!storage.exists(path)) return `${path} is missing`
  if (!storage.exists(timePath)) return `${timePath} is missing`
  if (storage.size(path) % OFFSET_ENTRY_BYTES !== 0) return `${path} ends in the middle of an entry`
  if (storage.size(timePath) % TIME_ENTRY_BYTES !== 0) return `${timePath} ends in the middle of an entry`
  const offsets = new OffsetIndex(storage, path, baseOffset)
  // A read from a position beyond the end would find the log empty, and appends would overwrite it.
  const logSize = storage.size(segmentPath(folder, baseOffset, 'log'))
  if (offsets.count > 0 && (offsets.lastPosition < 0 || offsets.lastPosition >= logSize)) {
    return `${path} has a position beyond the end of the log`
  }
  const { offset, timestamp } = new TimeIndex(storage, timePath, baseOffset).last
  if (offset < baseOffset || timestamp < -1n) return `${timePath} has an invalid entry`
  return transactionIndexProblem(storage, segmentPath(folder, baseOffset, 'txnindex'), baseOffset)
}

// Checks of the base offset in a file name against the offsets in the file. A copy under another name would be read in place of
// the right file, or hide it. Nothing is repaired, because only the user can know which file is right.

/** Throws StorageError if the first batch is valid and its base offset is below the offset in the file name. */
function refuseWrongName(storage: Storage, segment: Segment): void {
  const { path, baseOffset, size } = segment
  const first = ifValid(() => segment.headers(0, BATCH_OVERHEAD).next().value?.batch)
  if (!first || first.baseOffset >= baseOffset) return
  // A torn write cannot cause this: the base offset lies in one disk block with the rest of the header.
  if (!ifValid(() => walkBatches(storage, path, 0, size).next().value)) return
  refuse(`${path} begins at offset ${first.baseOffset}, below the offset in its name`)
}

/** Throws StorageError if a segment extends beyond the base offset of the next one. */
function refuseOverlap(folder: string, segment: Segment, next: bigint | undefined): void {
  if (next === undefined) return
  const end = ifValid(() => segment.endOffset)
  if (end === undefined || end <= next) return
  refuse(`${segment.path} ends at offset ${end - 1n}, but ${segmentPath(folder, next, 'log')} begins before that`)
}

function refuse(reason: string): never {
  throw new StorageError('other', `${reason}: remove the file that does not belong to this log`)
}

/** The result of `look`; undefined if `look` finds damage, which other checks handle. */
function ifValid<T>(look: () => T): T | undefined {
  try {
    return look()
  } catch (error) {
    if (error instanceof CorruptRecordError) return undefined
    throw error
  }
}
