/**
 * What is read of a log. Where earlier processes wrote, nobody has seen since whether the disk kept it: batches from there
 * are looked at before they are given to somebody.
 */
import { KafkaError } from '../../protocol/errors.ts'
import { CorruptRecordError, type RecordBatch } from '../../protocol/records/batch.ts'
import type { ReadLimits, Segments } from '../segment/segments.ts'
import type { AbortedTxn } from '../segment/transaction-index.ts'
import { abortedWithin } from './committed-read.ts'
import type { DiskGuard } from './disk-guard.ts'
import { soundBytes } from './sound-bytes.ts'
import { findByTimestamp, findMaxTimestamp, type RecordTime } from './timestamp-lookup.ts'

/** The files that are read. */
export interface ReadFiles {
  readonly folder: string
  readonly guard: DiskGuard
  readonly segments: Segments
}

/** From where to where there is something to read. */
export interface LogBounds {
  readonly logStartOffset: bigint
  readonly logEndOffset: bigint
}

export class LogReader {
  readonly #folder: string
  readonly #guard: DiskGuard
  readonly #segments: Segments
  readonly #bounds: LogBounds
  /** What lies before was written by earlier processes. */
  readonly #inheritedEnd: bigint

  /** For a log that was just opened. */
  constructor({ folder, guard, segments }: ReadFiles, bounds: LogBounds) {
    this.#folder = folder
    this.#guard = guard
    this.#segments = segments
    this.#bounds = bounds
    this.#inheritedEnd = bounds.logEndOffset
  }

  /**
   * What a fetch gets: bytes from the beginning of the batch that holds `offset`, or of the next one, of one segment,
   * cut at `maxBytes` wherever that falls, and before a damaged batch. Throws OFFSET_OUT_OF_RANGE below the log start and
   * beyond the end, CORRUPT_MESSAGE where the first batch is damaged, and UNKNOWN_SERVER_ERROR, as Kafka does, where there is something to read and less than no bytes are asked for.
   */
  read(offset: bigint, limits: ReadLimits): Buffer {
    const { logStartOffset, logEndOffset } = this.#bounds
    if (offset < logStartOffset || offset > logEndOffset) {
      throw new KafkaError(
        'OFFSET_OUT_OF_RANGE',
        `${this.#folder} has offsets ${logStartOffset} to ${logEndOffset}, not ${offset}`
      )
    }
    return this.#guard.run(() => {
      const bytes = this.#segments.read(offset, limits)
      return offset < this.#inheritedEnd ? this.#checked(offset, bytes) : bytes
    })
  }

  /** The aborted transactions that may have records among `length` bytes that were read from `offset`. */
  abortedWithin(offset: bigint, length: number): AbortedTxn[] {
    const { logEndOffset } = this.#bounds
    return this.#guard.run(() =>
      abortedWithin({ segments: this.#segments.from(offset), fetchOffset: offset, length, logEndOffset })
    )
  }

  /** Whether two offsets belong to the same segment. */
  areInOneSegment(from: bigint, to: bigint): boolean {
    return this.#segments.areInSameSegment(from, to)
  }

  /** How many bytes lie between two offsets of one segment. */
  bytesBetween(from: bigint, to: bigint): number {
    return this.#guard.run(() => this.#segments.bytesBetween(from, to))
  }

  /**
   * Whole batches from the one that holds `offset` on, for those who make their state from the log. Every one is a
   * view on a large piece of the file. Throws CORRUPT_MESSAGE where the file is damaged.
   */
  batches(offset: bigint, upTo = this.#bounds.logEndOffset): Generator<RecordBatch, undefined> {
    return this.#guard.each(() => this.#segments.batches(offset, upTo))
  }

  /** The first record at or after the log start that is not earlier than `timestamp`. */
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
    // The walk finds the damage again, and tells where it is.
    this.#segments.batches(offset, logEndOffset).next()
    throw new CorruptRecordError(
      `${this.#folder}: the batch that offset ${offset} leads to has an offset beyond the end`,
      0
    )
  }
}
