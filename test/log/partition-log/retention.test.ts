import { describe, expect, it } from 'vitest'
import { type AgingLog, type AgingSegment, oldSegments } from '../../../src/log/partition-log/retention.ts'
import { DEFAULT_LOG_CONFIG } from '../default-log-config.ts'

const NOW = 1_000_000
/** Without limits. */
const keep = { ...DEFAULT_LOG_CONFIG, retentionMs: -1 }

/** Segments of ten offsets each, by their sizes and the ages of their newest records; an age of undefined: no timestamps. */
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

describe('what lies before the log start', () => {
  it.each([
    [0n, undefined],
    [9n, undefined],
    [10n, 1],
    [19n, 1],
    [20n, 2],
    // The active segment is never wholly before the log start: nothing follows it.
    [30n, 2]
  ])('with a log start of %s, %s segments go', (logStartOffset, count) => {
    expect(oldSegments(aging([[5], [5], [5]], { logStartOffset }))?.count).toBe(count)
  })

  it.each(['compact only', 'neither'])('goes whatever the policy is: %s', () => {
    const config = { ...keep, isDeleted: false, retentionMs: 0, retentionBytes: 0 }
    const log = aging([[5], [5], [5]], { config, logStartOffset: 10n })
    expect(oldSegments(log)).toMatchObject({ count: 1 })
    expect(oldSegments({ ...log, logStartOffset: 0n })).toBeUndefined()
  })
})

describe('size', () => {
  it.each([
    [31, undefined],
    [30, undefined],
    // The limit may be met exactly.
    [20, 1],
    [21, undefined],
    [19, 1],
    [10, 2],
    [1, 2],
    // All there is: the active segment too.
    [0, 3]
  ])('with a limit of %i bytes for three segments of 10, %s go', (retentionBytes, count) => {
    const config = { ...keep, retentionBytes }
    expect(oldSegments(aging([[10], [10], [10]], { config }))?.count).toBe(count)
  })

  it('no limit lets everything stay', () => {
    expect(oldSegments(aging([[10], [10]]))).toBeUndefined()
  })

  it('a large segment behind a small one stays when it alone passes the limit', () => {
    expect(oldSegments(aging([[10], [100], [10]], { config: { ...keep, retentionBytes: 100 } }))?.count).toBe(1)
  })
})

describe('time', () => {
  const config = { ...keep, retentionMs: 100 }

  it('only what is older than the limit goes, from the oldest on', () => {
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

  it('the active segment goes with all the others', () => {
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

  it('a timestamp in the future is never old, and holds up what follows', () => {
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

  it('without timestamps it is the time of the last write that counts', () => {
    expect(oldSegments(aging([[5]], { config: { ...keep, retentionMs: 49 } }))?.count).toBe(1)
    expect(oldSegments(aging([[5]], { config: { ...keep, retentionMs: 50 } }))).toBeUndefined()
  })

  it('0 is a limit, -1 is none', () => {
    expect(oldSegments(aging([[5, 1]], { config: { ...keep, retentionMs: 0 } }))?.count).toBe(1)
    expect(oldSegments(aging([[5, 1]], { config: keep }))).toBeUndefined()
  })
})

it('nothing at or beyond the high watermark goes', () => {
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

it('log start comes before size, and size before time', () => {
  const config = { ...keep, retentionMs: 100, retentionBytes: 10 }
  const log = aging(
    [
      [10, 200],
      [10, 200],
      [10, 0]
    ],
    { config, logStartOffset: 10n }
  )
  expect(oldSegments(log)).toEqual({ count: 1, reason: 'all before the log start 10 is deleted' })
  expect(oldSegments({ ...log, logStartOffset: 0n })?.reason).toBe('the log is larger than retention.bytes 10')
  const unlimited = { ...log, logStartOffset: 0n, config: { ...config, retentionBytes: -1 } }
  expect(oldSegments(unlimited)).toEqual({ count: 2, reason: 'older than retention.ms 100' })
})

it('a great many go twenty at a time', () => {
  const config = { ...keep, retentionMs: 0 }
  expect(oldSegments(aging(Array(250).fill([5, 9]), { config }))?.count).toBe(20)
})
