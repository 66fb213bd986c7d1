/**
 * Compaction of one batch. The result is the same batch, a smaller one with the same offsets, a batch without records, or
 * nothing. Batches are never merged, so that the sequence numbers of producers stay valid.
 */
import { NO_PRODUCER_ID, type RecordBatch } from '../../protocol/records/batch.ts'
import { buildBatch } from '../../protocol/records/builder.ts'
import { type BatchRecord, RecordWalker } from '../../protocol/records/record.ts'

/**
 * Effect of transactions on a batch:
 * - 'compact': its records are compacted by key
 * - 'delete': data of an aborted transaction is removed at once, a marker without remaining data after its delete horizon
 * - 'retain': kept unchanged
 */
export type BatchRetention = 'compact' | 'delete' | 'retain'

/** The transactions of a round. `retentionOf` is called once for each batch, in log order. */
export interface TransactionRetention {
  retentionOf(batch: RecordBatch): BatchRetention
}

/** State and limits of a round. */
export interface FilterRules {
  readonly transactions: TransactionRetention
  /** The newest offset of a key; undefined for a key that is not in the map. */
  newestOffset(key: Buffer): bigint | undefined
  /** End of the mapped part. Records at or after it are kept. */
  readonly mappedUpTo: bigint
  /** End of the round. The batch that ends there is kept, at least without records, to preserve the offset. */
  readonly roundEnd: bigint
  /** Whether a batch is the last one of its producer. Such a batch is kept, at least without records. */
  isLastOfProducer(batch: RecordBatch): boolean
  readonly nowMs: number
  /** Milliseconds for which tombstones and removable markers stay after the first round that reads them (KIP-534). */
  readonly deleteRetentionMs: number
  /** Limit for the decompressed bytes of a batch. */
  readonly decompressedLimit: number
}

/** The compacted batch and its number of records. `batch` is the original if nothing is removed, undefined if all is. */
export interface Filtered {
  readonly batch: RecordBatch | undefined
  readonly recordsCount: number
}

export function filterBatch(batch: RecordBatch, rules: FilterRules): Filtered {
  const retention = rules.transactions.retentionOf(batch)
  if (retention === 'retain') return { batch, recordsCount: batch.isLegacy ? 1 : batch.recordsCount }
  const kept = recordsThatStay(batch, retention, rules)
  if (kept.length === 0) return { batch: mustStay(batch, rules) ? headerOnly(batch) : undefined, recordsCount: 0 }
  const awaitsDeletion = batch.isControl ? retention === 'delete' : kept.some(({ value }) => value === null)
  const needsHorizon = awaitsDeletion && batch.deleteHorizonMs === undefined
  const isWhole = kept.length === batch.recordsCount && !needsHorizon
  const horizonMs = needsHorizon ? BigInt(rules.nowMs + rules.deleteRetentionMs) : batch.deleteHorizonMs
  return { batch: isWhole ? batch : rebuilt(batch, kept, horizonMs), recordsCount: kept.length }
}

function recordsThatStay(batch: RecordBatch, retention: BatchRetention, rules: FilterRules): BatchRecord[] {
  const isDue = batch.deleteHorizonMs !== undefined && batch.deleteHorizonMs <= BigInt(rules.nowMs)
  if (retention === 'delete' && (isDue || !batch.isControl)) return []
  const kept: BatchRecord[] = []
  const walker = new RecordWalker(batch, rules.decompressedLimit)
  while (walker.next()) {
    if (batch.isControl || isRetained(walker, batch.baseOffset + BigInt(walker.offsetDelta), isDue, rules)) {
      kept.push(walker.record())
    }
  }
  return kept
}

/**
 * Whether a record is kept. Records without a key are removed; a log can have them from before cleanup.policy=compact or
 * from another broker.
 */
function isRetained({ key, valueLength }: RecordWalker, offset: bigint, isDue: boolean, rules: FilterRules): boolean {
  if (offset >= rules.mappedUpTo) return true
  if (key === null || (valueLength < 0 && isDue)) return false
  const newest = rules.newestOffset(key)
  return newest === undefined || offset >= newest
}

function mustStay(batch: RecordBatch, { isLastOfProducer, roundEnd }: FilterRules): boolean {
  return batch.nextOffset === roundEnd || (batch.producerId !== NO_PRODUCER_ID && isLastOfProducer(batch))
}

/** Header fields that compaction does not change: offsets, leader epoch, producer and type. */
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

/** The delete horizon replaces the base timestamp in the header (KIP-534). The timestamps of the records do not change. */
function rebuilt(batch: RecordBatch, records: readonly BatchRecord[], deleteHorizonMs: bigint | undefined) {
  const isAppendTime = batch.timestampType === 'LogAppendTime'
  return buildBatch(records, {
    ...frameOf(batch),
    codec: batch.codec,
    deleteHorizonMs,
    ...(isAppendTime && { maxTimestamp: batch.maxTimestamp })
  })
}
