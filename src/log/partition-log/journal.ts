/**
 * The log of a state machine: it appends records in batches, and replays all of them in order at start. The owner defines
 * keys and values.
 */

import { KafkaError } from '../../protocol/errors.ts'
import type { RecordBatch } from '../../protocol/records/batch.ts'
import { type BatchOptions, buildBatch } from '../../protocol/records/builder.ts'
import { type BatchRecord, recordsOf } from '../../protocol/records/record.ts'
import { MalformedFrame } from '../../protocol/wire/bytes.ts'
import type { Steps } from '../../runtime/pace.ts'
import type { WallClock } from '../../runtime/time.ts'
import type { PartitionLog } from './partition-log.ts'

/** A record to append. */
export interface JournalRecord {
  readonly key: Buffer | null
  readonly value: Buffer | null
}

/** Receives the records of a replay. */
export interface JournalReader {
  record(record: BatchRecord, batch: RecordBatch): void
  /** Called for a batch of control records: transaction markers, KRaft's leader changes and snapshot frames. */
  control?(batch: RecordBatch): void
}

/** Offsets of the appended records. */
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

  /**
   * Appends at least one record as one batch, with the current time as the timestamp. Throws the errors of
   * PartitionLog.append.
   */
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

  /** Appends a prepared batch, such as one of control records. */
  appendBatch(batch: RecordBatch): JournalAppend {
    return this.log.append(batch, this.#leaderEpoch)
  }

  /**
   * Replays the log from `offset` (default: the log start offset) to its end, one batch per step. Keys and values are views
   * of large read buffers; a reader that keeps one must copy it. Throws CORRUPT_MESSAGE if the file is damaged or the reader
   * throws a KafkaError or MalformedFrame for a record.
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
