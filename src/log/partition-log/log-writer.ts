/** Appends to a log: offsets and leader epoch of a batch, the active segment, and the roll to a new one. */

import { derived, rows, type ViewOf } from '../../config/view.ts'
import type { Events } from '../../events/event.ts'
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

/** The configs that decide when a segment is full and how it is indexed. */
export const SEGMENT_ROWS = rows({
  /** `internal.segment.bytes` lets a test set a size below the minimum of `segment.bytes`. */
  segmentBytes: derived(['internal.segment.bytes', 'segment.bytes'], (internalBytes, bytes) => internalBytes ?? bytes),
  segmentMs: 'segment.ms',
  segmentJitterMs: 'segment.jitter.ms',
  segmentIndexBytes: 'segment.index.bytes',
  indexIntervalBytes: 'index.interval.bytes',
  isCompacted: derived(['cleanup.policy'], policy => policy.includes('compact')),
  maxCompactionLagMs: 'max.compaction.lag.ms'
})

type SegmentConfig = ViewOf<typeof SEGMENT_ROWS>

/** The log and its parts. */
export interface WrittenLog {
  readonly folder: string
  readonly events: Events
  readonly segments: Segments
  readonly epochs: LeaderEpochs
  readonly sync: LogSync
  readonly clocks: Clocks
  readonly random: Random
  /** The configs in force. */
  readonly config: SegmentConfig
  readonly observer: BatchObserver | undefined
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

  /** The offset of the next record. */
  get endOffset(): bigint {
    return this.#endOffset
  }

  /**
   * Stamps a validated batch in place with its offsets and `leaderEpoch`, and writes it. Throws KAFKA_STORAGE_ERROR, and
   * RECORD_LIST_TOO_LARGE for a batch larger than segment.bytes.
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
    this.#endOffset = segments.active.endOffset
    const aborted = this.#log.observer?.observed(batch)
    if (aborted) noteForCertain(segments.active, aborted)
    sync.appended(this.#endOffset)
    return { baseOffset, lastOffset: batch.lastOffset }
  }

  /** Rolls the log to a new segment. A throw leaves the old segment active. */
  roll(): void {
    const { folder, events, segments, sync, config, observer } = this.#log
    const full = segments.roll(this.#endOffset)
    this.#rollPolicy.rolled(config)
    observer?.rolled(this.#endOffset)
    sync.rolled(full, this.#endOffset)
    events.emit({ type: 'SegmentRolled', topicPartition: folder, baseOffset: this.#endOffset })
  }

  /** Begins leader epoch `epoch` at the log end offset (KIP-101). */
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
    `a batch of ${size} bytes exceeds segment.bytes, which is ${segmentBytes}`
  )
}

/**
 * Adds an aborted transaction to the index. A failure takes the log offline: the marker is in the log, and READ_COMMITTED
 * consumers would otherwise receive the aborted records.
 */
function noteForCertain(segment: Segment, aborted: AbortedTxn): void {
  try {
    segment.noteAborted(aborted)
  } catch (error) {
    throw new StorageError(
      'failed',
      `an aborted transaction could not be written to the transaction index: ${String(error)}`
    )
  }
}

/** Rolls a log to a new segment: Kafka's five conditions, checked before every append. */
export class RollPolicy {
  readonly #random: Random
  /** Milliseconds by which the active segment is rolled before segment.ms. */
  #jitterMs = 0

  constructor(random: Random, config: SegmentConfig) {
    this.#random = random
    this.rolled(config)
  }

  /** Chooses a random jitter for a new segment. */
  rolled({ segmentJitterMs, segmentMs }: SegmentConfig): void {
    this.#jitterMs = segmentJitterMs === 0 ? 0 : this.#random.below(Math.min(segmentJitterMs, segmentMs))
  }

  /** Whether the log must roll before `batch`, which has its final offsets, is appended. */
  mustRoll(active: Segment, batch: RecordBatch, config: SegmentConfig, nowMs: number): boolean {
    // A roll would create a segment of the same name.
    if (active.size === 0 && active.baseOffset === batch.baseOffset) return false
    if (active.size > config.segmentBytes - batch.bytes.length) return true
    if (active.size > 0 && waitedMs(active, batch, nowMs) > rollMs(config) - this.#jitterMs) return true
    return !active.hasRoomFor(batch.lastOffset, config.segmentIndexBytes)
  }
}

/**
 * Roll time of the active segment. For a compacted log, max.compaction.lag.ms limits it: compaction skips the active
 * segment.
 */
function rollMs({ segmentMs, isCompacted, maxCompactionLagMs }: SegmentConfig): number {
  return isCompacted ? Math.min(segmentMs, maxCompactionLagMs) : segmentMs
}

/** Age of the active segment: by the timestamps of its records, or by the wall clock if the first batch has none. */
function waitedMs(active: Segment, batch: RecordBatch, nowMs: number): number {
  const first = active.firstTimestamp
  return first >= 0n ? Number(batch.maxTimestamp - first) : nowMs - active.createdMs
}
