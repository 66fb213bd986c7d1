/**
 * What compaction leaves of one batch: the batch as it is, a smaller one at the same offsets, its header alone, or
 * nothing. Batches are never merged, so that the sequences of their producers stay true.
 */
import { NO_PRODUCER_ID, type RecordBatch } from '../../protocol/records/batch.ts'
import { buildBatch } from '../../protocol/records/builder.ts'
import { type BatchRecord, RecordWalker } from '../../protocol/records/record.ts'

/**
 * What becomes of a batch for the sake of transactions. 'compacts': its records compete for their keys. 'goes': data of
 * an aborted transaction, or a marker that nothing needs any more. 'stays': not to be touched.
 */
export type BatchRetention = 'compacts' | 'goes' | 'stays'

/** Who knows of transactions. It is asked for every batch once, in the order of the log. */
export interface TransactionRetention {
  retentionOf(batch: RecordBatch): BatchRetention
}

/** What is known in one round of compaction. */
export interface FilterRules {
  readonly transactions: TransactionRetention
  /** The newest offset of a key; undefined for a key that does not come in what was mapped. */
  newestOffset(key: Buffer): bigint | undefined
  /** Records from here on have not been mapped, and all stay. */
  readonly mappedUpTo: bigint
  /** Where the round ends: the batch before it stays, if only as a header, to tell where offsets go on. */
  readonly roundEnd: bigint
  /** Whether a batch is the last that its producer's state speaks of, which must survive. */
  isLastOfProducer(batch: RecordBatch): boolean
  readonly nowMs: number
  /** How long tombstones and needless markers stay after the first round that met them. */
  readonly deleteRetentionMs: number
  /** The most bytes that a compressed batch may unpack to. */
  readonly decompressedLimit: number
}

/** What is left of a batch, undefined for nothing, and how many records that holds. `batch` itself when all stays. */
export interface Filtered {
  readonly batch: RecordBatch | undefined
  readonly recordsCount: number
}

export function filterBatch(batch: RecordBatch, rules: FilterRules): Filtered {
  const retention = rules.transactions.retentionOf(batch)
  if (retention === 'stays') return { batch, recordsCount: batch.isLegacy ? 1 : batch.recordsCount }
  const kept = recordsThatStay(batch, retention, rules)
  if (kept.length === 0) return { batch: mustStay(batch, rules) ? headerOnly(batch) : undefined, recordsCount: 0 }
  const awaitsDeletion = batch.isControl ? retention === 'goes' : kept.some(({ value }) => value === null)
  const needsHorizon = awaitsDeletion && batch.deleteHorizonMs === undefined
  const isWhole = kept.length === batch.recordsCount && !needsHorizon
  const horizonMs = needsHorizon ? BigInt(rules.nowMs + rules.deleteRetentionMs) : batch.deleteHorizonMs
  return { batch: isWhole ? batch : rebuilt(batch, kept, horizonMs), recordsCount: kept.length }
}

function recordsThatStay(batch: RecordBatch, retention: BatchRetention, rules: FilterRules): BatchRecord[] {
  const isDue = batch.deleteHorizonMs !== undefined && batch.deleteHorizonMs <= BigInt(rules.nowMs)
  if (retention === 'goes' && (isDue || !batch.isControl)) return []
  const kept: BatchRecord[] = []
  const walker = new RecordWalker(batch, rules.decompressedLimit)
  while (walker.next()) {
    if (batch.isControl || stays(walker, batch.baseOffset + BigInt(walker.offsetDelta), isDue, rules)) {
      kept.push(walker.record())
    }
  }
  return kept
}

/** A record without a key has no place in a compacted log; only adopted ones can have any. */
function stays({ key, valueLength }: RecordWalker, offset: bigint, isDue: boolean, rules: FilterRules): boolean {
  if (offset >= rules.mappedUpTo) return true
  if (key === null || (valueLength < 0 && isDue)) return false
  const newest = rules.newestOffset(key)
  return newest === undefined || offset >= newest
}

function mustStay(batch: RecordBatch, { isLastOfProducer, roundEnd }: FilterRules): boolean {
  return batch.nextOffset === roundEnd || (batch.producerId !== NO_PRODUCER_ID && isLastOfProducer(batch))
}

/** What every form of a batch keeps: its place, its producer, its kind. */
function frameOf(batch: RecordBatch) {
  const { baseOffset, lastOffsetDelta, partitionLeaderEpoch, timestampType, isTransactional, isControl } = batch
  const { producerId, producerEpoch, baseSequence } = batch
  return {
    baseOffset,
    lastOffsetDelta,
    partitionLeaderEpoch,
    timestampType,
    isTransactional,
    isControl,
    producerId,
    producerEpoch,
    baseSequence
  }
}

function headerOnly(batch: RecordBatch): RecordBatch {
  return buildBatch([], { ...frameOf(batch), maxTimestamp: batch.maxTimestamp })
}

/** The delete horizon takes the place of the base timestamp; the times of the records stay what they were. */
function rebuilt(batch: RecordBatch, records: readonly BatchRecord[], deleteHorizonMs: bigint | undefined) {
  const isAppendTime = batch.timestampType === 'LogAppendTime'
  return buildBatch(records, {
    ...frameOf(batch),
    codec: batch.codec,
    deleteHorizonMs,
    ...(isAppendTime && { maxTimestamp: batch.maxTimestamp })
  })
}
