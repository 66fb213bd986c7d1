import { describe, expect, test } from 'vitest'
import { groupsOf } from '../../../src/log/cleaner/cleaning.ts'
import { dirtiest, type LogFacts, logToClean, type SegmentFacts } from '../../../src/log/cleaner/log-to-clean.ts'
import type { LogConfig } from '../../../src/log/partition-log/log-config.ts'
import { DEFAULT_LOG_CONFIG } from '../default-log-config.ts'

const NOW = 1_700_000_000_000
const DAY = 86_400_000

/** Segments of 100 bytes that begin at these offsets, a day between them, the newest a day old. */
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

describe('how dirty a log is', () => {
  test('all but the active segment, when it was never compacted', () => {
    expect(logToClean(logOf([0, 10, 20]), undefined, NOW)).toEqual({
      firstDirtyOffset: 0n,
      firstUncleanableOffset: 20n,
      cleanableBytes: 200,
      ratio: 1,
      isDue: true,
      hasBadCheckpoint: false
    })
  })

  test('what came after the checkpoint, against all that can be clean', () => {
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

  test('a ratio that is just reached is not enough', () => {
    expect(logToClean(logOf([0, 10, 20]), 10n, NOW)).toMatchObject({ ratio: 0.5, isDue: false })
  })

  test('nothing, in a log of one segment, an empty one, or one that is clean', () => {
    for (const [log, checkpoint] of [
      [logOf([0]), undefined],
      [logOf([5], {}, { logEndOffset: 5n, lastStableOffset: 5n }), undefined],
      [logOf([0, 10, 20]), 20n]
    ] as const) {
      expect(logToClean(log, checkpoint, NOW)).toMatchObject({ cleanableBytes: 0, ratio: 0, isDue: false })
    }
  })

  test('a checkpoint before the start or beyond the end counts for nothing', () => {
    const log = logOf([10, 20, 30])
    expect(logToClean(log, 9n, NOW)).toMatchObject({ firstDirtyOffset: 10n, hasBadCheckpoint: true })
    expect(logToClean(log, 41n, NOW)).toMatchObject({ firstDirtyOffset: 10n, hasBadCheckpoint: true })
    expect(logToClean(log, 40n, NOW)).toMatchObject({
      firstDirtyOffset: 40n,
      hasBadCheckpoint: false,
      cleanableBytes: 0
    })
  })

  test('a start offset within a segment begins there', () => {
    const toClean = logToClean(logOf([0, 10, 20], {}, { logStartOffset: 15n }), undefined, NOW)
    expect(toClean).toMatchObject({ firstDirtyOffset: 15n, firstUncleanableOffset: 20n, cleanableBytes: 100 })
  })

  test('nothing from the segment of the last stable offset on', () => {
    const toClean = logToClean(logOf([0, 10, 20, 30], {}, { lastStableOffset: 15n }), undefined, NOW)
    expect(toClean).toMatchObject({ firstUncleanableOffset: 10n, cleanableBytes: 100 })
    const open = logToClean(logOf([0, 10, 20, 30], {}, { lastStableOffset: 0n }), undefined, NOW)
    expect(open).toMatchObject({ firstUncleanableOffset: 0n, cleanableBytes: 0, isDue: false })
  })

  test('nothing from the first segment on that is younger than min.compaction.lag.ms', () => {
    const config = { minCompactionLagMs: 3 * DAY }
    expect(logToClean(logOf([0, 10, 20, 30], config), undefined, NOW)).toMatchObject({ firstUncleanableOffset: 20n })
    expect(logToClean(logOf([0, 10, 20, 30], config), undefined, NOW - DAY)).toMatchObject({
      firstUncleanableOffset: 10n
    })
    const forever = { minCompactionLagMs: Number.MAX_SAFE_INTEGER }
    expect(logToClean(logOf([0, 10], forever), undefined, NOW)).toMatchObject({ cleanableBytes: 0, isDue: false })
  })

  test('a log that waits for longer than max.compaction.lag.ms is due at any ratio', () => {
    const config = { maxCompactionLagMs: 2 * DAY, minCleanableDirtyRatio: 1 }
    const log = logOf([0, 10, 20, 30, 40], config)
    expect(logToClean(log, 30n, NOW).isDue).toBe(true)
    expect(logToClean(log, 30n, NOW - 2000).isDue).toBe(false)
    expect(logToClean(log, 40n, NOW).isDue).toBe(false)
  })

  test('the dirtiest that is due comes first', () => {
    const candidates = [0.3, 0.9, 0.8, 1].map((ratio, index) => ({
      toClean: { ...logToClean(logOf([0]), undefined, NOW), ratio, isDue: index < 3 }
    }))
    expect(dirtiest(candidates)).toBe(candidates[1])
    expect(dirtiest(candidates.slice(3))).toBeUndefined()
  })
})

describe('segments that become one', () => {
  const segment = (base: bigint, size = 100, offsets = 8, times = 12) => ({
    baseOffset: base,
    size,
    indexBytes: { offsets, times }
  })
  const bases = (groups: readonly { baseOffset: bigint }[][]) =>
    groups.map(group => group.map(segment => segment.baseOffset))
  const config = (changes: Partial<LogConfig> = {}) => ({ ...DEFAULT_LOG_CONFIG, segmentBytes: 250, ...changes })

  test('are neighbours as long as they fit into a segment', () => {
    const segments = [segment(0n), segment(10n), segment(20n), segment(30n, 300), segment(40n, 0), segment(50n, 10)]
    expect(bases(groupsOf(segments, config(), 60n))).toEqual([[0n, 10n], [20n], [30n], [40n, 50n]])
  })

  test('and their indexes into index files', () => {
    const segments = [segment(0n), segment(10n), segment(20n)]
    expect(bases(groupsOf(segments, config({ segmentIndexBytes: 23 }), 30n))).toEqual([[0n], [10n], [20n]])
    expect(bases(groupsOf(segments, config({ segmentIndexBytes: 24 }), 30n))).toEqual([[0n, 10n], [20n]])
  })

  test('and their offsets into 31 bits', () => {
    const far = 1n << 31n
    expect(bases(groupsOf([segment(0n), segment(10n)], config(), far))).toEqual([[0n, 10n]])
    expect(bases(groupsOf([segment(0n), segment(10n)], config(), far + 1n))).toEqual([[0n], [10n]])
    expect(bases(groupsOf([segment(0n), segment(10n), segment(far + 1n)], config(), far + 9n))).toEqual([
      [0n],
      [10n, far + 1n]
    ])
    // One without records takes no offsets.
    expect(bases(groupsOf([segment(0n), segment(10n, 0)], config(), far + 1n))).toEqual([[0n, 10n]])
  })

  test('none, of none', () => {
    expect(groupsOf([], config(), 0n)).toEqual([])
  })
})
