/**
 * One round of compaction of one log. It maps the newest offset of each key in the dirty part, rewrites all segments below
 * the end of the map without outdated records, and replaces them group by group. The log can change between two slices; the
 * round is aborted if its segments are deleted.
 */
import type { RecordBatch } from '../../protocol/records/batch.ts'
import { RecordWalker } from '../../protocol/records/record.ts'
import { type Pause, type Steps, waitFor } from '../../runtime/pace.ts'
import { abortedBetween } from '../partition-log/committed-read.ts'
import type { LogConfig } from '../partition-log/log-config.ts'
import type { PartitionLog } from '../partition-log/partition-log.ts'
import type { Segment } from '../segment/segment.ts'
import { LARGEST_RELATIVE_OFFSET } from '../segment/segment-indexes.ts'
import { type FilterRules, filterBatch } from './filter.ts'
import { type LogToClean, segmentsBetween } from './log-to-clean.ts'
import { OffsetMap, type OffsetMapLimits } from './offset-map.ts'
import { CleanedTransactionMetadata } from './transactions.ts'

/** The round was aborted: the log is offline, not compacted any more, or has lost segments of the round. */
export class CleaningAborted extends Error {
  override name = 'CleaningAborted'
}

/** The log, the part to compact, and the limits of a round. */
export interface CleaningOptions {
  readonly log: PartitionLog
  readonly toClean: LogToClean
  readonly mapLimits: OffsetMapLimits
  readonly nowMs: number
  /** Limit for the decompressed bytes of a batch, because another broker may have written the log. */
  readonly decompressedLimit: number
  /** Counts the bytes of a batch that were read or written. The round yields the result. */
  readonly spend: (bytes: number) => Pause | 'step' | Promise<void> | undefined
}

/** Result of a round. */
export interface CleaningResult {
  /** The log is clean below this offset. */
  readonly endOffset: bigint
  readonly bytesBefore: number
  readonly bytesAfter: number
  readonly recordsBefore: number
  readonly recordsAfter: number
}

/** The keys of the dirty part of a log. */
interface MappedKeys {
  readonly map: OffsetMap
  /** End of the mapped part: the end of the dirty part, or less if the map is full. */
  readonly endOffset: bigint
}

interface CleaningRules extends FilterRules {
  readonly transactions: CleanedTransactionMetadata
}

export class Cleaning {
  readonly #options: CleaningOptions
  /** The `.cleaned` segment that is being written. */
  #target: Segment | undefined
  #bytesBefore = 0
  #bytesAfter = 0
  #recordsBefore = 0
  #recordsAfter = 0

  constructor(options: CleaningOptions) {
    this.#options = options
  }

  /**
   * Runs the round. Throws CleaningAborted, StorageError, and CorruptRecordError or INVALID_RECORD for an unreadable batch.
   * Segments that were replaced before the error stay replaced; all others are unchanged.
   */
  *run(): Steps<CleaningResult> {
    const { log, toClean } = this.#options
    const { map, endOffset } = yield* this.#mapKeys()
    // The newer record must be on disk before an older record of its key is removed.
    yield log.synced(endOffset)
    const transactions = new CleanedTransactionMetadata(aborted => this.#target?.noteAborted(aborted))
    const rules = { ...this.#rules(map, endOffset), transactions }
    const sources = log.segments.filter(({ baseOffset }) => baseOffset < endOffset)
    for (const group of groupsOf(sources, log.config, toClean.firstUncleanableOffset))
      yield* this.#cleanGroup(group, rules)
    return {
      endOffset,
      bytesBefore: this.#bytesBefore,
      bytesAfter: this.#bytesAfter,
      recordsBefore: this.#recordsBefore,
      recordsAfter: this.#recordsAfter
    }
  }

  #rules(map: OffsetMap, mappedUpTo: bigint): Omit<FilterRules, 'transactions'> {
    const { log, toClean, nowMs, decompressedLimit } = this.#options
    return {
      newestOffset: key => map.get(key),
      mappedUpTo,
      roundEnd: toClean.firstUncleanableOffset,
      isLastOfProducer: batch => log.isLastOfProducer(batch),
      nowMs,
      deleteRetentionMs: log.config.deleteRetentionMs,
      decompressedLimit
    }
  }

  *#mapKeys(): Steps<MappedKeys> {
    const { log, toClean, mapLimits, decompressedLimit } = this.#options
    const { firstDirtyOffset, firstUncleanableOffset } = toClean
    const map = new OffsetMap(firstDirtyOffset, firstUncleanableOffset, mapLimits)
    const segments = segmentsBetween(log.segments, firstDirtyOffset, firstUncleanableOffset)
    const transactions = new CleanedTransactionMetadata(() => {})
    let endOffset = firstDirtyOffset
    for (const batch of this.#batches(segments, firstDirtyOffset, transactions)) {
      const competes = transactions.retentionOf(batch) === 'compact'
      if (competes && !mapBatch(map, batch, firstDirtyOffset, decompressedLimit)) {
        if (endOffset > firstDirtyOffset) return { map, endOffset }
        throw new Error(
          `the keys of one batch need more than log.cleaner.dedupe.buffer.size, which is ${mapLimits.memoryBytes} bytes`
        )
      }
      if (batch.nextOffset > endOffset) endOffset = batch.nextOffset
      const end = this.#options.spend(batch.sizeInBytes)
      if (end && (yield end)) this.#checkSources(segments)
    }
    // There may be an offset gap before the next segment.
    return { map, endOffset: firstUncleanableOffset }
  }

  *#cleanGroup(sources: readonly Segment[], rules: CleaningRules): Steps {
    const { log } = this.#options
    const [first, last] = [sources[0], sources.at(-1)]
    if (!first || !last) return
    const cleaned = log.upkeep.createCleaned(first.baseOffset)
    let isSwappedIn = false
    try {
      yield* this.#fill(cleaned, sources, rules)
      yield cleaned.sync()
      cleaned.modifiedMs = last.modifiedMs
      isSwappedIn = yield* waitFor(log.upkeep.replaceSegments(sources, cleaned))
    } finally {
      if (!isSwappedIn && !log.isOffline) cleaned.remove()
    }
    if (!isSwappedIn) throw new CleaningAborted('segments were deleted')
    for (const { size } of sources) this.#bytesBefore += size
    this.#bytesAfter += cleaned.size
  }

  *#fill(cleaned: Segment, sources: readonly Segment[], rules: CleaningRules): Steps {
    const { indexIntervalBytes } = this.#options.log.config
    this.#target = cleaned
    for (const batch of this.#batches(sources, 0n, rules.transactions)) {
      const filtered = filterBatch(batch, rules)
      this.#recordsBefore += batch.isLegacy ? 1 : batch.recordsCount
      this.#recordsAfter += filtered.recordsCount
      if (filtered.batch) cleaned.append(filtered.batch, indexIntervalBytes)
      const end = this.#options.spend(batch.sizeInBytes + (filtered.batch?.sizeInBytes ?? 0))
      if (end && (yield end)) this.#checkSources(sources)
    }
    cleaned.finish()
  }

  /** Whole batches from the one that holds `offset`. Throws CorruptRecordError if the file is damaged. */
  *#batches(
    segments: readonly Segment[],
    offset: bigint,
    transactions: CleanedTransactionMetadata
  ): Generator<RecordBatch, undefined> {
    for (const segment of segments) {
      const { baseOffset } = segment
      const all = this.#options.log.segments
      const from = all.indexOf(segment)
      const upTo = all[from + 1]?.baseOffset ?? this.#options.log.logEndOffset
      transactions.enter(abortedBetween(all.slice(from), baseOffset, upTo))
      for (const { batch } of segment.batchesFrom(offset)) yield batch
    }
  }

  /** Throws CleaningAborted if the log is offline, not compacted any more, or has lost one of `sources`. */
  #checkSources(sources: readonly Segment[]): void {
    const { log } = this.#options
    if (log.isOffline) throw new CleaningAborted('the log is offline')
    if (!log.config.isCompacted) throw new CleaningAborted('the log is no longer compacted')
    if (!sources.every(source => log.segments.includes(source))) throw new CleaningAborted('segments were deleted')
  }
}

/** Maps the offset of each key in a batch, for offsets from `from`. Returns false when the map is full. */
function mapBatch(map: OffsetMap, batch: RecordBatch, from: bigint, decompressedLimit: number): boolean {
  const walker = new RecordWalker(batch, decompressedLimit)
  while (walker.next()) {
    const offset = batch.baseOffset + BigInt(walker.offsetDelta)
    const { key } = walker
    if (key === null || offset < from || map.put(key, offset)) continue
    walker.close()
    return false
  }
  return true
}

/** The sizes of a segment that limit a group: bytes of the log and of both indexes. */
export interface SegmentSizes {
  readonly baseOffset: bigint
  readonly size: number
  readonly indexBytes: { readonly offsets: number; readonly times: number }
}

/**
 * Groups neighbouring segments as long as their sizes and their offsets together fit into one segment. `endOffset` is an
 * upper bound for the end of the last one.
 */
export function groupsOf<T extends SegmentSizes>(
  segments: readonly T[],
  { segmentBytes, segmentIndexBytes }: LogConfig,
  endOffset: bigint
): T[][] {
  const groups: T[][] = []
  let log = 0
  let offsets = 0
  let times = 0
  for (const [index, segment] of segments.entries()) {
    const group = groups.at(-1)
    log += segment.size
    offsets += segment.indexBytes.offsets
    times += segment.indexBytes.times
    const end = segments[index + 1]?.baseOffset ?? endOffset
    const reaches = segment.size === 0 || end - 1n - (group?.[0]?.baseOffset ?? 0n) <= LARGEST_RELATIVE_OFFSET
    if (group && reaches && log <= segmentBytes && offsets <= segmentIndexBytes && times <= segmentIndexBytes) {
      group.push(segment)
      continue
    }
    groups.push([segment])
    log = segment.size
    offsets = segment.indexBytes.offsets
    times = segment.indexBytes.times
  }
  return groups
}
