/** The partition log against the simplest thing that could be one: an array of batches. */
import { expect, test } from 'vitest'
import { MemoryStorage } from '../../src/log/memory-storage.ts'
import type { PartitionLog } from '../../src/log/partition-log.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import { batchOf, openLog, reopenAfterCrash } from './log-fixture.ts'

interface ModelBatch {
  readonly baseOffset: bigint
  readonly nextOffset: bigint
  readonly timestamps: readonly bigint[]
  readonly bytes: Buffer
}

const CONFIG = { segmentBytes: 900, indexIntervalBytes: 150, segmentMs: 5000 }
const STEPS = 250

test.each([1, 2, 3, 4, 5, 6])('random appends, reads, deletions and restarts, seed %i', async seed => {
  const random = seededRandom(seed)
  const storage = new MemoryStorage()
  let log = openLog(storage, CONFIG)
  const batches: ModelBatch[] = []
  let start = 0n
  let end = 0n

  const append = () => {
    const count = 1 + random.below(4)
    const timestamps = Array.from({ length: count }, () => BigInt(1_000_000 + random.below(20_000)))
    const batch = batchOf(timestamps, random.below(120), { codec: random.below(4) === 0 ? 'gzip' : 'none' })
    log.append(batch, 0)
    batches.push({ baseOffset: end, nextOffset: end + BigInt(count), timestamps, bytes: Buffer.from(batch.bytes) })
    end += BigInt(count)
  }
  const moveStart = () => {
    const offset = start + BigInt(random.below(Math.min(20, Number(end - start) + 1)))
    log.moveLogStart(offset)
    start = offset
  }
  const closeAndOpen = async () => {
    await log.close()
    log = openLog(storage, CONFIG, { logStartOffset: start, recoveryPoint: log.recoveryPoint })
  }
  const crashAndOpen = () => {
    log = reopenAfterCrash(storage, CONFIG, { logStartOffset: start, recoveryPoint: log.recoveryPoint })
  }

  for (let step = 0; step < STEPS; step++) {
    const choice = random.below(100)
    if (choice < 86) append()
    else if (choice < 90) moveStart()
    else if (choice < 95) await closeAndOpen()
    else crashAndOpen()
    expect(log).toMatchObject({ logStartOffset: start, logEndOffset: end })
    checkRead(log, batches, start + BigInt(random.below(Number(end - start) + 1)), random.below(2500))
    checkTime(log, batches, start, BigInt(1_000_000 + random.below(20_000)))
  }
})

/** The bytes of one segment from the batch that holds the offset, cut at the limit but for the first batch. */
function checkRead(log: PartitionLog, batches: readonly ModelBatch[], offset: bigint, maxBytes: number): void {
  const expected = batches.filter(batch => batch.nextOffset > offset)
  const read = log.read(offset, { maxBytes, upTo: log.logEndOffset, minOneBatch: true })
  const [first] = expected
  if (!first) {
    expect(read).toHaveLength(0)
    return
  }
  const limit = Math.max(maxBytes, first.bytes.length)
  const all = Buffer.concat(expected.map(batch => batch.bytes))
  expect(read.equals(all.subarray(0, read.length))).toBe(true)
  expect(read.length).toBeGreaterThanOrEqual(Math.min(first.bytes.length, limit))
  expect(read.length).toBeLessThanOrEqual(limit)
  // Less than the limit only at the end of a segment, which is the end of a batch.
  if (read.length < Math.min(limit, all.length)) {
    let at = 0
    const ends = expected.map(batch => {
      at += batch.bytes.length
      return at
    })
    expect(ends).toContain(read.length)
  }
}

/** A linear scan finds what the lookup finds. */
function checkTime(log: PartitionLog, batches: readonly ModelBatch[], start: bigint, timestamp: bigint): void {
  const found = log.offsetForTimestamp(timestamp)
  const records = batches.flatMap(({ baseOffset, timestamps }) =>
    timestamps.map((time, index) => ({ offset: baseOffset + BigInt(index), timestamp: time }))
  )
  const expected = records.find(record => record.timestamp >= timestamp && record.offset >= start)
  // As in Kafka, one segment is looked into: below the log start it may have nothing but too early records.
  if (found === undefined && start > log.firstSegmentOffset) return
  expect(found && { offset: found.offset, timestamp: found.timestamp }).toEqual(expected)
}
