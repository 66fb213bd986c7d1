/**
 * Reads of a log. Batches of earlier processes are checked before a fetch returns them, because the disk may have damaged
 * them since.
 */
import { KafkaError } from '../../protocol/errors.ts'
import { batchesIn, CorruptRecordError, type RecordBatch } from '../../protocol/records/batch.ts'
import { RecordWalker } from '../../protocol/records/record.ts'
import type { Segment } from '../segment/segment.ts'
import type { ReadLimits, Segments } from '../segment/segments.ts'
import type { AbortedTxn } from '../segment/transaction-index.ts'
import { abortedWithin } from './committed-read.ts'
import type { DiskGuard } from './disk-guard.ts'

/** The files of the log. */
export interface ReadFiles {
  readonly folder: string
  readonly guard: DiskGuard
  readonly segments: Segments
}

/** The offsets that can be read. */
export interface LogBounds {
  readonly logStartOffset: bigint
  readonly logEndOffset: bigint
}

export class LogReader {
  readonly #folder: string
  readonly #guard: DiskGuard
  readonly #segments: Segments
  readonly #bounds: LogBounds
  /** End of the batches of earlier processes. */
  readonly #inheritedEnd: bigint

  /** For a log that has just been opened: all its batches count as written by earlier processes. */
  constructor({ folder, guard, segments }: ReadFiles, bounds: LogBounds) {
    this.#folder = folder
    this.#guard = guard
    this.#segments = segments
    this.#bounds = bounds
    this.#inheritedEnd = bounds.logEndOffset
  }

  /**
   * Reads for a fetch. The bytes begin with the batch that holds `offset`, or with the next one, and come from one segment.
   * They end at `maxBytes`, possibly in the middle of a batch, or before a damaged batch. Throws OFFSET_OUT_OF_RANGE for an
   * offset below the log start offset or above the log end offset, and CORRUPT_MESSAGE if the first batch is damaged. As in
   * Kafka, a negative `maxBytes` is UNKNOWN_SERVER_ERROR if there are records to read.
   */
  read(offset: bigint, limits: ReadLimits): Buffer {
    const { logStartOffset, logEndOffset } = this.#bounds
    if (offset < logStartOffset || offset > logEndOffset) {
      throw new KafkaError(
        'OFFSET_OUT_OF_RANGE',
        `offset ${offset} of ${this.#folder} is not from ${logStartOffset} to ${logEndOffset}`
      )
    }
    return this.#guard.run(() => {
      const bytes = this.#segments.read(offset, limits)
      return offset < this.#inheritedEnd ? this.#checked(offset, bytes) : bytes
    })
  }

  /** The aborted transactions that may have records in `length` bytes read from `offset`. */
  abortedWithin(offset: bigint, length: number): AbortedTxn[] {
    const { logEndOffset } = this.#bounds
    return this.#guard.run(() =>
      abortedWithin({ segments: this.#segments.from(offset), fetchOffset: offset, length, logEndOffset })
    )
  }

  /** Whether two offsets are in the same segment. */
  areInOneSegment(from: bigint, to: bigint): boolean {
    return this.#segments.areInSameSegment(from, to)
  }

  /** Bytes of the batches between two offsets of one segment. */
  bytesBetween(from: bigint, to: bigint): number {
    return this.#guard.run(() => this.#segments.bytesBetween(from, to))
  }

  /**
   * Whole batches from the one that holds `offset` to the last before `upTo`, for replay. Each is a view of a large read
   * buffer. Throws CORRUPT_MESSAGE if the file is damaged.
   */
  batches(offset: bigint, upTo = this.#bounds.logEndOffset): Generator<RecordBatch, undefined> {
    return this.#guard.each(() => this.#segments.batches(offset, upTo))
  }

  /** The first record at or after the log start offset with a timestamp at or after `timestamp`. */
  offsetForTimestamp(timestamp: bigint): RecordTime | undefined {
    return this.#guard.run(() => findByTimestamp(this.#segments.all, timestamp, this.#bounds.logStartOffset))
  }

  /** The first record with the largest timestamp. */
  maxTimestampOffset(): RecordTime | undefined {
    return this.#guard.run(() => findMaxTimestamp(this.#segments.all))
  }

  #checked(offset: bigint, bytes: Buffer): Buffer {
    const { logEndOffset } = this.#bounds
    const sound = soundBytes(bytes, logEndOffset)
    if (sound.length > 0 || bytes.length === 0) return sound
    // This walk finds the same damage and throws an error with its position.
    this.#segments.batches(offset, logEndOffset).next()
    throw new CorruptRecordError(`${this.#folder}: the batch for offset ${offset} ends beyond the log end offset`, 0)
  }
}

// Checksums of batches before a client reads them.

/**
 * The bytes before the first whole batch that is damaged, or all bytes. A batch is damaged if its checksum is wrong, or if
 * its offsets, which the checksum does not cover, do not ascend or reach `endOffset`. An incomplete last batch is returned
 * too.
 */
function soundBytes(bytes: Buffer, endOffset: bigint): Buffer {
  let length = 0
  let expected = 0n
  try {
    for (const batch of batchesIn(bytes)) {
      const { baseOffset, nextOffset } = batch
      const follows = baseOffset >= expected && nextOffset > baseOffset && nextOffset <= endOffset
      if (!follows || !batch.hasValidCrc()) return bytes.subarray(0, length)
      expected = nextOffset
      length += batch.bytes.length
    }
  } catch (error) {
    if (!(error instanceof CorruptRecordError)) throw error
    return bytes.subarray(0, length)
  }
  return bytes
}

// Offsets by timestamp over the segments of a log (KIP-79, KIP-734).

/** Offset and timestamp of a record, and the leader epoch of its batch (-1 without one). */
interface RecordTime {
  readonly offset: bigint
  readonly timestamp: bigint
  readonly leaderEpoch: number
}

/**
 * The first record at or after `startOffset` with a timestamp at or after `timestamp`. As in Kafka, only the first segment
 * whose largest timestamp reaches `timestamp` is searched.
 */
function findByTimestamp(segments: readonly Segment[], timestamp: bigint, startOffset: bigint): RecordTime | undefined {
  const segment = segments.find(({ largestTimestamp }) => largestTimestamp.timestamp >= timestamp)
  if (!segment) return undefined
  for (const { batch } of segment.batchesFromTime(timestamp, startOffset)) {
    if (batch.isLegacy || batch.maxTimestamp < timestamp || batch.lastOffset < startOffset) continue
    const found = firstRecord(batch, record => record.timestamp >= timestamp && record.offset >= startOffset)
    if (found) return found
  }
  return undefined
}

/** The first record with the largest timestamp of the log. */
function findMaxTimestamp(segments: readonly Segment[]): RecordTime | undefined {
  const [first, ...others] = segments
  if (!first) return undefined
  const later = (best: Segment, segment: Segment) =>
    segment.largestTimestamp.timestamp > best.largestTimestamp.timestamp ? segment : best
  const segment = others.reduce(later, first)
  const { timestamp, offset } = segment.largestTimestamp
  for (const { batch } of segment.batchesFrom(offset)) {
    if (batch.isLegacy || batch.maxTimestamp !== timestamp) continue
    return firstRecord(batch, record => record.timestamp === timestamp)
  }
  return undefined
}

function firstRecord(batch: RecordBatch, matches: (record: RecordTime) => boolean): RecordTime | undefined {
  const walker = new RecordWalker(batch)
  const { baseOffset, partitionLeaderEpoch } = batch
  while (walker.next()) {
    const offset = baseOffset + BigInt(walker.offsetDelta)
    const record = { offset, timestamp: BigInt(walker.timestamp), leaderEpoch: partitionLeaderEpoch }
    if (!matches(record)) continue
    walker.close()
    return record
  }
  return undefined
}
