import { describe, expect, it } from 'vitest'
import { type AgingLog, type AgingSegment, oldSegments } from '../../../src/log/partition-log/retention.ts'
import { DEFAULT_LOG_CONFIG } from '../default-log-config.ts'

const NOW = 1_000_000
/** Settings without limits. */
const keep = { ...DEFAULT_LOG_CONFIG, retentionMs: -1 }

/** Segments of ten offsets each, by size and age of the newest record. Without an age a segment has no timestamps. */
function aging(segments: [size: number, ageMs?: number][], changes: Partial<AgingLog> = {}): AgingLog {
  const all = segments.map(([size, ageMs], index): AgingSegment => {
    const timestamp = ageMs === undefined ? -1n : BigInt(NOW - ageMs)
    return {
      baseOffset: BigInt(index * 10),
      size,
      largestTimestamp: { timestamp, offset: BigInt(index * 10 + 9) },
      modifiedMs: NOW - 50
    }
  })
  const logEndOffset = BigInt(all.length * 10)
  return {
    segments: all,
    config: keep,
    logStartOffset: 0n,
    logEndOffset,
    highWatermark: logEndOffset,
    nowMs: NOW,
    ...changes
  }
}

describe('segments before the log start', () => {
  it.each([
    [0n, undefined],
    [9n, undefined],
    [10n, 1],
    [19n, 1],
    [20n, 2],
    // The active segment is never wholly before the log start: no segment follows it.
    [30n, 2]
  ])('a log start of %s deletes %s segments', (logStartOffset, count) => {
    expect(oldSegments(aging([[5], [5], [5]], { logStartOffset }))?.count).toBe(count)
  })

  it.each(['compact only', 'neither'])('a segment before the log start is deleted under any policy: %s', () => {
    const config = { ...keep, isDeleted: false, retentionMs: 0, retentionBytes: 0 }
    const log = aging([[5], [5], [5]], { config, logStartOffset: 10n })
    expect(oldSegments(log)).toMatchObject({ count: 1 })
    expect(oldSegments({ ...log, logStartOffset: 0n })).toBeUndefined()
  })
})

describe('retention by size', () => {
  it.each([
    [31, undefined],
    [30, undefined],
    // A log may be exactly as large as the limit.
    [20, 1],
    [21, undefined],
    [19, 1],
    [10, 2],
    [1, 2],
    // Deletes all segments, including the active one.
    [0, 3]
  ])('a limit of %i bytes for three segments of 10 deletes %s of them', (retentionBytes, count) => {
    const config = { ...keep, retentionBytes }
    expect(oldSegments(aging([[10], [10], [10]], { config }))?.count).toBe(count)
  })

  it('a log without a limit keeps all segments', () => {
    expect(oldSegments(aging([[10], [10]]))).toBeUndefined()
  })

  it('a large segment after a small one stays if it alone exceeds the limit', () => {
    expect(oldSegments(aging([[10], [100], [10]], { config: { ...keep, retentionBytes: 100 } }))?.count).toBe(1)
  })
})

describe('retention by time', () => {
  const config = { ...keep, retentionMs: 100 }

  it('only segments older than the limit are deleted, from the oldest on', () => {
    expect(
      oldSegments(
        aging(
          [
            [5, 102],
            [5, 101],
            [5, 100],
            [5, 200]
          ],
          { config }
        )
      )?.count
    ).toBe(2)
  })

  it('the active segment is deleted together with all others', () => {
    expect(
      oldSegments(
        aging(
          [
            [5, 200],
            [5, 150]
          ],
          { config }
        )
      )?.count
    ).toBe(2)
  })

  it('an empty active segment stays', () => {
    expect(oldSegments(aging([[5, 200], [0]], { config }))?.count).toBe(1)
    expect(oldSegments(aging([[0, 200]], { config }))).toBeUndefined()
  })

  it('a segment with a timestamp in the future is never old, and keeps the segments after it', () => {
    expect(
      oldSegments(
        aging(
          [
            [5, -1_000_000],
            [5, 200]
          ],
          { config }
        )
      )
    ).toBeUndefined()
  })

  it('a segment without timestamps has the age of its last write', () => {
    expect(oldSegments(aging([[5]], { config: { ...keep, retentionMs: 49 } }))?.count).toBe(1)
    expect(oldSegments(aging([[5]], { config: { ...keep, retentionMs: 50 } }))).toBeUndefined()
  })

  it('retention.ms=0 is a limit, and -1 is none', () => {
    expect(oldSegments(aging([[5, 1]], { config: { ...keep, retentionMs: 0 } }))?.count).toBe(1)
    expect(oldSegments(aging([[5, 1]], { config: keep }))).toBeUndefined()
  })
})

it('no segment at or beyond the high watermark is deleted', () => {
  const config = { ...keep, retentionMs: 0 }
  const old = aging(
    [
      [5, 9],
      [5, 9],
      [5, 9]
    ],
    { config }
  )
  expect(oldSegments({ ...old, highWatermark: 9n })).toBeUndefined()
  expect(oldSegments({ ...old, highWatermark: 10n })?.count).toBe(1)
  expect(oldSegments({ ...old, highWatermark: 29n })?.count).toBe(2)
})

it('the log start is checked before size, and size before time', () => {
  const config = { ...keep, retentionMs: 100, retentionBytes: 10 }
  const log = aging(
    [
      [10, 200],
      [10, 200],
      [10, 0]
    ],
    { config, logStartOffset: 10n }
  )
  expect(oldSegments(log)).toEqual({ count: 1, reason: { cause: 'log start offset', limit: 10n } })
  expect(oldSegments({ ...log, logStartOffset: 0n })?.reason).toEqual({ cause: 'retention.bytes', limit: 10 })
  const unlimited = { ...log, logStartOffset: 0n, config: { ...config, retentionBytes: -1 } }
  expect(oldSegments(unlimited)).toEqual({ count: 2, reason: { cause: 'retention.ms', limit: 100 } })
})

it('old segments in great number are deleted twenty at a time', () => {
  const config = { ...keep, retentionMs: 0 }
  expect(oldSegments(aging(Array(250).fill([5, 9]), { config }))?.count).toBe(20)
})
