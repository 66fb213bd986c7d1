/** The records of a state machine in a log: one batch for each change, and a replay of all in order. The owner defines keys and values. */

import { KafkaError } from '../../protocol/errors.ts'
import type { RecordBatch } from '../../protocol/records/batch.ts'
import { type BatchOptions, buildBatch } from '../../protocol/records/builder.ts'
import { type BatchRecord, recordsOf } from '../../protocol/records/record.ts'
import { MalformedFrame } from '../../protocol/wire/bytes.ts'
import type { Steps } from '../../runtime/pace.ts'
import type { PartitionLog } from './partition-log.ts'

/** A record to append. */
export interface JournalRecord {
  readonly key: Buffer | null
  readonly value: Buffer | null
}

/** Receives the records of a replay. */
export interface JournalReader {
  record(record: BatchRecord, batch: RecordBatch): void
  /** Called for a batch of control records: transaction markers. */
  control?(batch: RecordBatch): void
}

/** At least one record as one batch. */
export function journalBatch(records: readonly JournalRecord[], nowMs: number, options: BatchOptions): RecordBatch {
  const timestamp = BigInt(nowMs)
  return buildBatch(
    records.map(({ key, value }) => ({ key, value, timestamp })),
    options
  )
}

/**
 * Replays a log, one batch per step. Keys and values are views of large read buffers; a reader that keeps one must copy it.
 * Throws CORRUPT_MESSAGE if the file is damaged or the reader throws a KafkaError or MalformedFrame for a record.
 */
export function* replayJournal(log: PartitionLog, reader: JournalReader): Steps {
  const from = log.logStartOffset
  for (const batch of log.batches(from)) {
    readBatch(log, batch, from, reader)
    yield
  }
}

function readBatch(log: PartitionLog, batch: RecordBatch, from: bigint, reader: JournalReader): void {
  let at = batch.baseOffset
  try {
    if (batch.isControl) reader.control?.(batch)
    for (const record of batch.isControl ? [] : recordsOf(batch)) {
      at = record.offset
      if (at >= from) reader.record(record, batch)
    }
  } catch (error) {
    if (!(error instanceof KafkaError || error instanceof MalformedFrame)) throw error
    throw new KafkaError('CORRUPT_MESSAGE', `${log.folder}, offset ${at}: ${error.message}`)
  }
}
