/** How a log grows: batches get their offsets and go into the active segment, or a new one begins. */
import { derived, rows, type ViewOf } from '../../config/view.ts'
import { KafkaError } from '../../protocol/errors.ts'
import type { RecordBatch } from '../../protocol/records/batch.ts'
import { assert } from '../../runtime/assert.ts'
import type { Random } from '../../runtime/random.ts'
import type { Clocks } from '../../runtime/time.ts'
import { StorageError } from '../../storage/storage.ts'
import type { Segment } from '../segment/segment.ts'
import type { Segments } from '../segment/segments.ts'
import type { AbortedTxn } from '../segment/transaction-index.ts'
import type { BatchObserver } from './batch-observer.ts'
import type { LeaderEpochs } from './leader-epochs.ts'
import type { LogSync } from './log-sync.ts'

/** When a segment is full, and how it is indexed. */
export const SEGMENT_ROWS = rows({
  /** A test may set a size below the minimum of `segment.bytes`. */
  segmentBytes: derived(['internal.segment.bytes', 'segment.bytes'], (internalBytes, bytes) => internalBytes ?? bytes),
  segmentMs: 'segment.ms',
  segmentJitterMs: 'segment.jitter.ms',
  segmentIndexBytes: 'segment.index.bytes',
  indexIntervalBytes: 'index.interval.bytes',
  isCompacted: derived(['cleanup.policy'], policy => policy.includes('compact')),
  maxCompactionLagMs: 'max.compaction.lag.ms'
})

type SegmentConfig = ViewOf<typeof SEGMENT_ROWS>

/** The log that is written to. */
export interface WrittenLog {
  readonly segments: Segments
  readonly epochs: LeaderEpochs
  readonly sync: LogSync
  readonly clocks: Clocks
  readonly random: Random
  /** The settings in force. */
  readonly config: SegmentConfig
  /** Who is told, if there is somebody. */
  readonly observer: () => BatchObserver | undefined
}

export class LogWriter {
  readonly #log: WrittenLog
  readonly #rollPolicy: RollPolicy
  #endOffset: bigint

  constructor(log: WrittenLog, endOffset: bigint) {
    this.#log = log
    this.#rollPolicy = new RollPolicy(log.random, log.config)
    this.#endOffset = endOffset
  }

  /** The offset that the next record gets. */
  get endOffset(): bigint {
    return this.#endOffset
  }

  /**
   * Gives a validated batch its offsets and the leader's epoch, in place, and writes it. Throws KAFKA_STORAGE_ERROR,
   * and RECORD_LIST_TOO_LARGE for a batch that no segment can hold.
   */
  append(batch: RecordBatch, leaderEpoch: number): { baseOffset: bigint; lastOffset: bigint } {
    const { segments, epochs, sync, clocks, config } = this.#log
    checkSize(batch, config)
    const baseOffset = this.#endOffset
    batch.stamp(baseOffset, leaderEpoch)
    sync.expectChange()
    if (leaderEpoch >= 0 && leaderEpoch !== epochs.latest?.epoch) this.beginLeaderEpoch(leaderEpoch)
    if (this.#rollPolicy.mustRoll(segments.active, batch, config, clocks.wall.now())) this.roll()
    segments.active.append(batch, config.indexIntervalBytes)
    this.#endOffset = batch.nextOffset
    const aborted = this.#log.observer()?.observed(batch)
    if (aborted) noteForCertain(segments.active, aborted)
    sync.appended(this.#endOffset, batch.sizeInBytes)
    return { baseOffset, lastOffset: batch.lastOffset }
  }

  /** Begins a new segment. If this throws there is none. */
  roll(): void {
    const { segments, sync, config, observer } = this.#log
    const full = segments.roll(this.#endOffset)
    this.#rollPolicy.rolled(config)
    observer()?.rolled(this.#endOffset)
    sync.rolled(full, this.#endOffset)
  }

  /** A replica led by `epoch` begins here (KIP-101). */
  beginLeaderEpoch(epoch: number): void {
    const { sync, epochs } = this.#log
    sync.expectEpochChange()
    epochs.assign(epoch, this.#endOffset)
  }
}

function checkSize(batch: RecordBatch, { segmentBytes }: SegmentConfig): void {
  const size = batch.bytes.length
  assert(size === batch.sizeInBytes && batch.lastOffsetDelta >= 0, 'exactly one valid batch is appended')
  if (size <= segmentBytes) return
  throw new KafkaError(
    'RECORD_LIST_TOO_LARGE',
    `a batch of ${size} bytes does not fit into a segment of ${segmentBytes}`
  )
}

/** The marker is in the log: were its abort not noted, readers would take what was aborted for committed. */
function noteForCertain(segment: Segment, aborted: AbortedTxn): void {
  try {
    segment.noteAborted(aborted)
  } catch (error) {
    throw new StorageError('failed', `an aborted transaction could not be noted: ${String(error)}`)
  }
}

/** Rolls a log to a new segment: Kafka's five conditions, checked before every append. */
export class RollPolicy {
  readonly #random: Random
  /** So much earlier than segment.ms the active segment is rolled. */
  #jitterMs = 0

  constructor(random: Random, config: SegmentConfig) {
    this.#random = random
    this.rolled(config)
  }

  /** A new segment begins: it is given a jitter of its own. */
  rolled({ segmentJitterMs, segmentMs }: SegmentConfig): void {
    this.#jitterMs = segmentJitterMs === 0 ? 0 : this.#random.below(Math.min(segmentJitterMs, segmentMs))
  }

  /** Whether `batch`, which has its final offsets, must not go into the active segment any more. */
  mustRoll(active: Segment, batch: RecordBatch, config: SegmentConfig, nowMs: number): boolean {
    // A new segment would have the same name.
    if (active.size === 0 && active.baseOffset === batch.baseOffset) return false
    if (active.size > config.segmentBytes - batch.bytes.length) return true
    if (active.size > 0 && waitedMs(active, batch, nowMs) > rollMs(config) - this.#jitterMs) return true
    return !active.hasRoomFor(batch.lastOffset, config.segmentIndexBytes)
  }
}

/** A compacted log rolls early enough for its records to be compacted in time. */
function rollMs({ segmentMs, isCompacted, maxCompactionLagMs }: SegmentConfig): number {
  return isCompacted ? Math.min(segmentMs, maxCompactionLagMs) : segmentMs
}

/** The age of a segment, in the time of its records where they have one. */
function waitedMs(active: Segment, batch: RecordBatch, nowMs: number): number {
  const first = active.firstTimestamp
  return first >= 0n ? Number(batch.maxTimestamp - first) : nowMs - active.createdMs
}
