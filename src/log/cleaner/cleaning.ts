/**
 * One round of compaction of one log: first the newest offset of every key in the new part is mapped, then all segments
 * up to there are rewritten without records that are out of date, and swapped in group by group. Between two slices the log
 * changes; the round is given up if it has lost its segments.
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

/** The round was given up: the log is no longer compacted or no longer there. */
export class CleaningAborted extends Error {
  override name = 'CleaningAborted'
}

/** What a round needs to know. */
export interface CleaningOptions {
  readonly log: PartitionLog
  readonly toClean: LogToClean
  readonly mapLimits: OffsetMapLimits
  readonly nowMs: number
  /** The most bytes that a compressed batch may unpack to: a log may have been taken over from somebody else. */
  readonly decompressedLimit: number
  /** Counts the bytes of a batch that were read or written. Returns what the round yields; undefined: nothing. */
  readonly spend: (bytes: number) => Pause | 'step' | Promise<void> | undefined
}

/** What a round did. */
export interface CleaningResult {
  /** All before is clean now. */
  readonly endOffset: bigint
  readonly bytesBefore: number
  readonly bytesAfter: number
  readonly recordsBefore: number
  readonly recordsAfter: number
}

/** The keys of the new part of a log. */
interface MappedKeys {
  readonly map: OffsetMap
  /** Where the map ends, because the new part does or because it is full. */
  readonly endOffset: bigint
}

interface CleaningRules extends FilterRules {
  readonly transactions: CleanedTransactionMetadata
}

export class Cleaning {
  readonly #options: CleaningOptions
  /** Where what stays is written to. */
  #target: Segment | undefined
  #bytesBefore = 0
  #bytesAfter = 0
  #recordsBefore = 0
  #recordsAfter = 0

  constructor(options: CleaningOptions) {
    this.#options = options
  }

  /**
   * Runs the round. Throws CleaningAborted; CorruptRecordError or INVALID_RECORD for a batch that cannot be read;
   * StorageError. Segments that were swapped in by then stay; everything else is unchanged.
   */
  *run(): Steps<CleaningResult> {
    const { log, toClean } = this.#options
    const { map, endOffset } = yield* this.#mapKeys()
    // A record is removed because of a newer one, which must be on the disk first.
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
      const competes = transactions.retentionOf(batch) === 'compacts'
      if (competes && !mapBatch(map, batch, firstDirtyOffset, decompressedLimit)) {
        if (endOffset > firstDirtyOffset) return { map, endOffset }
        throw new Error(
          `the keys of one batch do not fit into log.cleaner.dedupe.buffer.size: ${mapLimits.memoryBytes}`
        )
      }
      if (batch.nextOffset > endOffset) endOffset = batch.nextOffset
      const end = this.#options.spend(batch.sizeInBytes)
      if (end && (yield end)) this.#checkGround(segments)
    }
    // There may be a gap before the next segment.
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
    if (!isSwappedIn) throw new CleaningAborted('segments have gone')
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
      if (end && (yield end)) this.#checkGround(sources)
    }
    cleaned.finish()
  }

  /** Whole batches from the one that holds `offset` on. Throws CorruptRecordError where the file is damaged. */
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

  /** Throws CleaningAborted when the log is not what the round began with. */
  #checkGround(sources: readonly Segment[]): void {
    const { log } = this.#options
    if (log.isOffline) throw new CleaningAborted('the log is offline')
    if (!log.config.isCompacted) throw new CleaningAborted('the log is no longer compacted')
    if (!sources.every(source => log.segments.includes(source))) throw new CleaningAborted('segments have gone')
  }
}

/** Notes the newest offset of every key in a batch, from `from` on. False when the map is full. */
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

/** Which segments become one: neighbours, as long as what they come to cannot be too large for one segment. */
/** What grouping looks at of a segment: bytes of the log and of its two indexes. */
export interface SegmentSizes {
  readonly baseOffset: bigint
  readonly size: number
  readonly indexBytes: { readonly offsets: number; readonly times: number }
}

/** Neighbours in groups, in order. `endOffset` is where the last of them ends at most. */
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
