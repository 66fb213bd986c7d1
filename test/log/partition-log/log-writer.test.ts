import { describe, expect, it } from 'vitest'
import type { LogConfig } from '../../../src/log/partition-log/log-config.ts'
import { RollPolicy } from '../../../src/log/partition-log/log-writer.ts'
import { Segment } from '../../../src/log/segment/segment.ts'
import type { Random } from '../../../src/runtime/random.ts'
import { MemoryStorage } from '../../../src/storage/memory-storage.ts'
import { DEFAULT_LOG_CONFIG } from '../default-log-config.ts'
import { batchOf, FOLDER, openLog, T0 } from '../log-fixture.ts'

const CREATED_MS = Number(T0)

/** Random numbers that are always the largest possible. */
const highest: Random = { bytes: length => Buffer.alloc(length, 255), below: bound => bound - 1 }

/** A segment with one batch of one record at offset 100. Returns whether the next batch begins a new segment. */
function segmentAndPolicy(config: Partial<LogConfig>, timestamp = T0) {
  const storage = new MemoryStorage()
  storage.makeDirectory(FOLDER)
  const settings = { ...DEFAULT_LOG_CONFIG, ...config }
  const segment = Segment.create(storage, FOLDER, 100n, CREATED_MS)
  const append = (offset: bigint, at: bigint) => {
    const batch = batchOf([at])
    batch.stamp(offset, 0)
    segment.append(batch, settings.indexIntervalBytes)
  }
  append(100n, timestamp)
  const policy = new RollPolicy(highest, settings)
  const rolls = (at: bigint, { nowMs = CREATED_MS, offset = 101n } = {}) => {
    const batch = batchOf([at])
    batch.stamp(offset, 0)
    return policy.mustRoll(segment, batch, settings, nowMs)
  }
  return { segment, settings, policy, append, rolls }
}

const { size: BATCH } = segmentAndPolicy({}).segment

describe('a new segment', () => {
  it('a new segment begins when the batch does not fit any more', () => {
    expect(segmentAndPolicy({ segmentBytes: 2 * BATCH }).rolls(T0)).toBe(false)
    expect(segmentAndPolicy({ segmentBytes: 2 * BATCH - 1 }).rolls(T0)).toBe(true)
  })

  it('a new segment begins when segment.ms has passed by the timestamps of the records', () => {
    const { rolls } = segmentAndPolicy({ segmentMs: 1000 })
    expect(rolls(T0 + 1000n)).toBe(false)
    expect(rolls(T0 + 1001n)).toBe(true)
    // The clock does not matter, nor do records that are earlier or have no timestamp.
    expect(rolls(T0 - 5000n, { nowMs: CREATED_MS + 9999 })).toBe(false)
    expect(rolls(-1n, { nowMs: CREATED_MS + 9999 })).toBe(false)
  })

  it('a new segment begins when segment.ms has passed by the clock, if the first batch has no timestamp', () => {
    const { rolls } = segmentAndPolicy({ segmentMs: 1000 }, -1n)
    expect(rolls(T0 + 9999n, { nowMs: CREATED_MS + 1000 })).toBe(false)
    expect(rolls(T0, { nowMs: CREATED_MS + 1001 })).toBe(true)
  })

  it('a new segment begins earlier by the jitter, which is less than segment.ms and segment.jitter.ms', () => {
    const { rolls } = segmentAndPolicy({ segmentMs: 1000, segmentJitterMs: 300 })
    expect(rolls(T0 + 701n)).toBe(false)
    expect(rolls(T0 + 702n)).toBe(true)
    expect(segmentAndPolicy({ segmentMs: 1000, segmentJitterMs: 5000 }).rolls(T0 + 2n)).toBe(true)
  })

  it('a new segment begins early enough for max.compaction.lag.ms if the log is compacted', () => {
    const lag = { segmentMs: 1000, maxCompactionLagMs: 100 }
    expect(segmentAndPolicy(lag).rolls(T0 + 101n)).toBe(false)
    expect(segmentAndPolicy({ ...lag, isCompacted: true }).rolls(T0 + 101n)).toBe(true)
  })

  it('a new segment begins when the offset index is full', () => {
    const { rolls, append } = segmentAndPolicy({ segmentIndexBytes: 40, indexIntervalBytes: 1 })
    // The time index gets no entry while timestamps do not grow.
    for (const offset of [101n, 102n, 103n, 104n]) append(offset, T0)
    expect(rolls(T0, { offset: 105n })).toBe(false)
    append(105n, T0)
    expect(rolls(T0, { offset: 106n })).toBe(true)
  })

  it('a new segment begins when the time index has room only for its final entry', () => {
    const { rolls, append } = segmentAndPolicy({ segmentIndexBytes: 36, indexIntervalBytes: 1 })
    append(101n, T0 + 1n)
    expect(rolls(T0, { offset: 102n })).toBe(false)
    append(102n, T0 + 2n)
    expect(rolls(T0, { offset: 103n })).toBe(true)
  })

  it('a new segment begins when offsets are too far from the base offset for an index', () => {
    const { rolls } = segmentAndPolicy({})
    expect(rolls(T0, { offset: 100n + 2_147_483_647n })).toBe(false)
    expect(rolls(T0, { offset: 101n + 2_147_483_647n })).toBe(true)
  })
})

it('every segment has a jitter of its own', () => {
  const drawn = [200, 0]
  const policy = new RollPolicy({ ...highest, below: () => drawn.shift() ?? 0 }, DEFAULT_LOG_CONFIG)
  expect(drawn).toHaveLength(2)
  const { segment, settings } = segmentAndPolicy({ segmentMs: 1000, segmentJitterMs: 500 })
  const late = batchOf([T0 + 900n])
  late.stamp(101n, 0)
  policy.rolled(settings)
  expect(policy.mustRoll(segment, late, settings, CREATED_MS)).toBe(true)
  policy.rolled(settings)
  expect(policy.mustRoll(segment, late, settings, CREATED_MS)).toBe(false)
})

it('an empty segment accepts any batch at its base offset', () => {
  const storage = new MemoryStorage()
  storage.makeDirectory(FOLDER)
  const empty = Segment.create(storage, FOLDER, 5n, CREATED_MS)
  const batch = batchOf([T0])
  batch.stamp(5n, 0)
  const config = { ...DEFAULT_LOG_CONFIG, segmentMs: 1, segmentBytes: 1, segmentIndexBytes: 4 }
  expect(new RollPolicy(highest, config).mustRoll(empty, batch, config, CREATED_MS + 1_000_000)).toBe(false)
})

it('a log whose offsets have a large gap continues in a new segment, and reads cross the gap', () => {
  const storage = new MemoryStorage()
  const log = openLog(storage)
  const wide = batchOf([T0])
  // Batches as compaction leaves them: few records over many offsets.
  wide.bytes.writeInt32BE(2_147_483_000, 23)
  log.append(wide, 0)
  const next = batchOf([T0])
  next.bytes.writeInt32BE(1000, 23)
  expect(log.append(next, 0)).toMatchObject({ baseOffset: 2_147_483_001n })
  expect(log.segments.map(({ baseOffset }) => baseOffset)).toEqual([0n, 2_147_483_001n])
  expect(storage.list(FOLDER).map(({ name }) => name)).toContain('00000000002147483001.log')
  const limits = { maxBytes: 1, upTo: log.logEndOffset, minOneBatch: true }
  expect(log.read(1000n, limits)).toEqual(wide.bytes)
  expect(log.read(2_147_483_500n, limits)).toEqual(next.bytes)
})
