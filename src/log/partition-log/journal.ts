/**
 * A log as the memory of a state machine: records go in by batches, and on start all of them come out again in order.
 * What keys and values mean is the owner's.
 */

import { KafkaError } from '../../protocol/errors.ts'
import type { RecordBatch } from '../../protocol/records/batch.ts'
import { type BatchOptions, buildBatch } from '../../protocol/records/builder.ts'
import { type BatchRecord, recordsOf } from '../../protocol/records/record.ts'
import { MalformedFrame } from '../../protocol/wire/bytes.ts'
import type { Steps } from '../../runtime/pace.ts'
import type { WallClock } from '../../runtime/time.ts'
import type { PartitionLog } from './partition-log.ts'

/** A record to be kept. */
export interface JournalRecord {
  readonly key: Buffer | null
  readonly value: Buffer | null
}

/** Who listens to a replay. */
export interface JournalReader {
  record(record: BatchRecord, batch: RecordBatch): void
  /** A batch of control records: transaction markers, KRaft's leader changes and snapshot frames. */
  control?(batch: RecordBatch): void
}

/** The offsets of what was appended. */
export interface JournalAppend {
  readonly baseOffset: bigint
  readonly lastOffset: bigint
}

export class Journal {
  readonly log: PartitionLog
  readonly #wall: WallClock
  readonly #leaderEpoch: number

  /** `leaderEpoch` is written into every batch. */
  constructor(log: PartitionLog, wall: WallClock, leaderEpoch: number) {
    this.log = log
    this.#wall = wall
    this.#leaderEpoch = leaderEpoch
  }

  /** Appends records as one batch, whose timestamps are now. There must be one at least. Throws as PartitionLog.append. */
  append(records: readonly JournalRecord[], options: BatchOptions = {}): JournalAppend {
    return this.appendBatch(this.batchOf(records, options))
  }

  /** The batch that `append` would append. */
  batchOf(records: readonly JournalRecord[], options: BatchOptions = {}): RecordBatch {
    const timestamp = BigInt(this.#wall.now())
    return buildBatch(
      records.map(({ key, value }) => ({ key, value, timestamp })),
      options
    )
  }

  /** Appends a batch that was built already, such as one of control records. */
  appendBatch(batch: RecordBatch): JournalAppend {
    return this.log.append(batch, this.#leaderEpoch)
  }

  /**
   * Reads everything from the log's start, or from `offset`, to its end, a batch in each step. Keys and values are views
   * on large pieces of the file: who keeps one copies it. Throws CORRUPT_MESSAGE where the file is damaged, or the reader
   * refuses a record by a KafkaError or MalformedFrame.
   */
  *replay(reader: JournalReader, offset = this.log.logStartOffset): Steps {
    for (const batch of this.log.batches(offset)) {
      this.#tell(reader, batch, offset)
      yield
    }
  }

  #tell(reader: JournalReader, batch: RecordBatch, from: bigint): void {
    let at = batch.baseOffset
    try {
      if (batch.isControl) reader.control?.(batch)
      for (const record of batch.isControl ? [] : recordsOf(batch)) {
        at = record.offset
        if (at >= from) reader.record(record, batch)
      }
    } catch (error) {
      if (!(error instanceof KafkaError || error instanceof MalformedFrame)) throw error
      throw new KafkaError('CORRUPT_MESSAGE', `${this.log.folder}, offset ${at}: ${error.message}`)
    }
  }
}
