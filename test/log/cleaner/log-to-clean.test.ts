import { describe, expect, test } from 'vitest'
import { groupsOf } from '../../../src/log/cleaner/cleaning.ts'
import { dirtiest, type LogFacts, logToClean, type SegmentFacts } from '../../../src/log/cleaner/log-to-clean.ts'
import type { LogConfig } from '../../../src/log/partition-log/log-config.ts'
import { DEFAULT_LOG_CONFIG } from '../default-log-config.ts'

const NOW = 1_700_000_000_000
const DAY = 86_400_000

/** Segments of 100 bytes at these base offsets, a day between them, the newest a day old. */
function logOf(bases: readonly number[], config: Partial<LogConfig> = {}, changes: Partial<LogFacts> = {}): LogFacts {
  const segments = bases.map((base, index): SegmentFacts => {
    const timestamp = BigInt(NOW - (bases.length - index) * DAY)
    return { baseOffset: BigInt(base), size: 100, largestTimestamp: { timestamp }, firstTimestamp: timestamp - 1000n }
  })
  const end = BigInt((bases.at(-1) ?? 0) + 10)
  return {
    segments,
    logStartOffset: BigInt(bases[0] ?? 0),
    logEndOffset: end,
    lastStableOffset: end,
    config: { ...DEFAULT_LOG_CONFIG, isCompacted: true, ...config },
    ...changes
  }
}

describe('the dirty part of a log', () => {
  test('a log that was never compacted is dirty up to the active segment', () => {
    expect(logToClean(logOf([0, 10, 20]), undefined, NOW)).toEqual({
      firstDirtyOffset: 0n,
      firstUncleanableOffset: 20n,
      cleanableBytes: 200,
      ratio: 1,
      isDue: true,
      hasBadCheckpoint: false
    })
  })

  test('the dirty ratio compares the bytes after the checkpoint with all cleanable bytes', () => {
    const toClean = logToClean(logOf([0, 10, 20, 30, 40]), 30n, NOW)
    expect(toClean).toMatchObject({
      firstDirtyOffset: 30n,
      firstUncleanableOffset: 40n,
      cleanableBytes: 100,
      ratio: 0.25
    })
    expect(toClean.isDue).toBe(false)
    expect(logToClean(logOf([0, 10, 20, 30, 40], { minCleanableDirtyRatio: 0.2 }), 30n, NOW).isDue).toBe(true)
  })

  test('a log whose dirty ratio only equals the limit is not compacted', () => {
    expect(logToClean(logOf([0, 10, 20]), 10n, NOW)).toMatchObject({ ratio: 0.5, isDue: false })
  })

  test('a log of one segment, an empty log and a clean log have no dirty part', () => {
    for (const [log, checkpoint] of [
      [logOf([0]), undefined],
      [logOf([5], {}, { logEndOffset: 5n, lastStableOffset: 5n }), undefined],
      [logOf([0, 10, 20]), 20n]
    ] as const) {
      expect(logToClean(log, checkpoint, NOW)).toMatchObject({ cleanableBytes: 0, ratio: 0, isDue: false })
    }
  })

  test('a checkpoint before the log start or beyond the log end is ignored', () => {
    const log = logOf([10, 20, 30])
    expect(logToClean(log, 9n, NOW)).toMatchObject({ firstDirtyOffset: 10n, hasBadCheckpoint: true })
    expect(logToClean(log, 41n, NOW)).toMatchObject({ firstDirtyOffset: 10n, hasBadCheckpoint: true })
    expect(logToClean(log, 40n, NOW)).toMatchObject({
      firstDirtyOffset: 40n,
      hasBadCheckpoint: false,
      cleanableBytes: 0
    })
  })

  test('a log start within a segment is the first dirty offset', () => {
    const toClean = logToClean(logOf([0, 10, 20], {}, { logStartOffset: 15n }), undefined, NOW)
    expect(toClean).toMatchObject({ firstDirtyOffset: 15n, firstUncleanableOffset: 20n, cleanableBytes: 100 })
  })

  test('the segment of the last stable offset and later segments are not cleanable', () => {
    const toClean = logToClean(logOf([0, 10, 20, 30], {}, { lastStableOffset: 15n }), undefined, NOW)
    expect(toClean).toMatchObject({ firstUncleanableOffset: 10n, cleanableBytes: 100 })
    const open = logToClean(logOf([0, 10, 20, 30], {}, { lastStableOffset: 0n }), undefined, NOW)
    expect(open).toMatchObject({ firstUncleanableOffset: 0n, cleanableBytes: 0, isDue: false })
  })

  test('segments from the first one that is younger than min.compaction.lag.ms on are not cleanable', () => {
    const config = { minCompactionLagMs: 3 * DAY }
    expect(logToClean(logOf([0, 10, 20, 30], config), undefined, NOW)).toMatchObject({ firstUncleanableOffset: 20n })
    expect(logToClean(logOf([0, 10, 20, 30], config), undefined, NOW - DAY)).toMatchObject({
      firstUncleanableOffset: 10n
    })
    const forever = { minCompactionLagMs: Number.MAX_SAFE_INTEGER }
    expect(logToClean(logOf([0, 10], forever), undefined, NOW)).toMatchObject({ cleanableBytes: 0, isDue: false })
  })

  test('a log that waits for longer than max.compaction.lag.ms is compacted at any ratio', () => {
    const config = { maxCompactionLagMs: 2 * DAY, minCleanableDirtyRatio: 1 }
    const log = logOf([0, 10, 20, 30, 40], config)
    expect(logToClean(log, 30n, NOW).isDue).toBe(true)
    expect(logToClean(log, 30n, NOW - 2000).isDue).toBe(false)
    expect(logToClean(log, 40n, NOW).isDue).toBe(false)
  })

  test('the log with the highest dirty ratio is compacted first', () => {
    const candidates = [0.3, 0.9, 0.8, 1].map((ratio, index) => ({
      toClean: { ...logToClean(logOf([0]), undefined, NOW), ratio, isDue: index < 3 }
    }))
    expect(dirtiest(candidates)).toBe(candidates[1])
    expect(dirtiest(candidates.slice(3))).toBeUndefined()
  })
})

describe('segments that are merged', () => {
  const segment = (base: bigint, size = 100, offsets = 8, times = 12) => ({
    baseOffset: base,
    size,
    indexBytes: { offsets, times }
  })
  const bases = (groups: readonly { baseOffset: bigint }[][]) =>
    groups.map(group => group.map(segment => segment.baseOffset))
  const config = (changes: Partial<LogConfig> = {}) => ({ ...DEFAULT_LOG_CONFIG, segmentBytes: 250, ...changes })

  test('neighbouring segments are merged as long as they fit into one segment', () => {
    const segments = [segment(0n), segment(10n), segment(20n), segment(30n, 300), segment(40n, 0), segment(50n, 10)]
    expect(bases(groupsOf(segments, config(), 60n))).toEqual([[0n, 10n], [20n], [30n], [40n, 50n]])
  })

  test('segments are merged as long as their indexes fit into index files', () => {
    const segments = [segment(0n), segment(10n), segment(20n)]
    expect(bases(groupsOf(segments, config({ segmentIndexBytes: 23 }), 30n))).toEqual([[0n], [10n], [20n]])
    expect(bases(groupsOf(segments, config({ segmentIndexBytes: 24 }), 30n))).toEqual([[0n, 10n], [20n]])
  })

  test('segments are merged as long as their relative offsets fit into 31 bits', () => {
    const far = 1n << 31n
    expect(bases(groupsOf([segment(0n), segment(10n)], config(), far))).toEqual([[0n, 10n]])
    expect(bases(groupsOf([segment(0n), segment(10n)], config(), far + 1n))).toEqual([[0n], [10n]])
    expect(bases(groupsOf([segment(0n), segment(10n), segment(far + 1n)], config(), far + 9n))).toEqual([
      [0n],
      [10n, far + 1n]
    ])
    // A segment without records takes no offsets.
    expect(bases(groupsOf([segment(0n), segment(10n, 0)], config(), far + 1n))).toEqual([[0n, 10n]])
  })

  test('no segments give no groups of segments', () => {
    expect(groupsOf([], config(), 0n)).toEqual([])
  })
})
