/** The partition log compared with a model: an array of batches. */
import { expect, test } from 'vitest'
import type { PartitionLog } from '../../../src/log/partition-log/partition-log.ts'
import { segmentPath } from '../../../src/log/segment/segment-names.ts'
import { type Random, seededRandom } from '../../../src/runtime/random.ts'
import { MemoryStorage } from '../../../src/storage/memory-storage.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { batchOf, FOLDER, openLog, reopenAfterCrash } from '../log-fixture.ts'

interface ModelBatch {
  readonly baseOffset: bigint
  readonly nextOffset: bigint
  readonly timestamps: readonly bigint[]
  readonly bytes: Buffer
}

const CONFIG = {
  segmentBytes: 900,
  indexIntervalBytes: 150,
  segmentMs: 5000,
  retentionBytes: 6000,
  retentionMs: -1,
  fileDeleteDelayMs: 50
}
const STEPS = 250
const SEEDS = Array.from({ length: Number(process.env.MINIKAFKA_MODEL_SEEDS ?? 8) }, (_, index) => index + 1)
const CODECS = ['none', 'none', 'none', 'gzip', 'snappy', 'lz4'] as const
/** Timestamp of the records, in ms since 1970. Far later timestamps are in the future of every clock. */
const [EARLIEST, SPAN, FUTURE] = [1_000_000, 20_000, 9_000_000_000_000]

/** A log, its model (an array of batches), and random numbers. */
class Pair {
  readonly random: Random
  readonly storage = new MemoryStorage()
  readonly clock = new ManualClock()
  log: PartitionLog
  batches: ModelBatch[] = []
  start = 0n
  end = 0n

  constructor(seed: number) {
    this.random = seededRandom(seed)
    this.log = openLog(this.storage, CONFIG, { clocks: this.clock })
  }

  timestamp(): bigint {
    const { random } = this
    return BigInt(random.below(30) === 0 ? FUTURE + random.below(SPAN) : EARLIEST + random.below(SPAN))
  }

  append(): void {
    const { random, end } = this
    const count = 1 + random.below(4)
    const hasTimes = random.below(8) > 0
    const timestamps = Array.from({ length: count }, () => (hasTimes ? this.timestamp() : -1n))
    const producer = random.below(3) === 0 ? { producerId: 5n, producerEpoch: 0, baseSequence: Number(end) } : {}
    const codec = CODECS[random.below(CODECS.length)] ?? 'none'
    const batch = batchOf(timestamps, random.below(120), { codec, ...producer })
    this.log.append(batch, 0)
    const nextOffset = end + BigInt(count)
    this.batches.push({ baseOffset: end, nextOffset, timestamps, bytes: Buffer.from(batch.bytes) })
    this.end = nextOffset
  }

  moveStart(): void {
    const offset = this.start + BigInt(this.random.below(Math.min(20, Number(this.end - this.start) + 1)))
    this.log.moveLogStart(offset)
    this.start = offset
  }

  /** The oldest segments go as long as the rest still exceeds the limit. Their files are removed later. */
  retain(): void {
    const before = this.log.segments.map(({ baseOffset, size }) => ({ baseOffset, size }))
    while (this.log.deleteOldSegments() > 0);
    let excess = before.reduce((sum, { size }) => sum + size, -CONFIG.retentionBytes)
    for (const { baseOffset, size } of before) {
      const end = before.find(other => other.baseOffset > baseOffset)?.baseOffset ?? this.end
      const isOld = excess >= size || (end <= this.start && end < this.end)
      if (!isOld) break
      excess -= size
      if (end > this.start) this.start = end
    }
    this.clock.advance(this.random.below(100))
  }

  async closeAndOpen(): Promise<void> {
    await this.log.close()
    this.log = openLog(this.storage, CONFIG, this.#openOptions())
  }

  crashAndOpen(): void {
    this.log = reopenAfterCrash(this.storage, CONFIG, this.#openOptions())
  }

  /** The process dies before the last batch is written in full. */
  tearAndOpen(): void {
    const last = this.batches.at(-1)
    const active = this.log.segments.at(-1)
    if (!last || !active || active.baseOffset > last.baseOffset || last.baseOffset < this.start) return
    const path = segmentPath(FOLDER, active.baseOffset, 'log')
    this.storage.truncate(path, active.size - 1 - this.random.below(last.bytes.length))
    this.batches.pop()
    this.end = last.baseOffset
    this.crashAndOpen()
  }

  #openOptions() {
    return { logStartOffset: this.start, recoveryPoint: this.log.recoveryPoint, clock: this.clock }
  }
}

test.each(SEEDS)('a log agrees with its model after random operations and restarts, seed %i', async seed => {
  const pair = new Pair(seed)
  const { random } = pair
  for (let step = 0; step < STEPS; step++) {
    const choice = random.below(100)
    if (choice < 82) pair.append()
    else if (choice < 86) pair.moveStart()
    else if (choice < 90) pair.retain()
    else if (choice < 94) await pair.closeAndOpen()
    else if (choice < 97) pair.crashAndOpen()
    else pair.tearAndOpen()
    const { log, batches, start, end } = pair
    expect(log).toMatchObject({ logStartOffset: start, logEndOffset: end })
    const offset = start + BigInt(random.below(Number(end - start) + 1))
    checkRead(log, batches, offset, random.below(2500))
    checkLimits(pair, offset)
    checkTime(log, batches, start, pair.timestamp())
  }
})

/** A read returns no offset at or after `upTo`, and exceeds its limit only with a first batch that must be whole. */
function checkLimits({ log, batches, random }: Pair, offset: bigint): void {
  const upTo = offset + BigInt(random.below(12))
  const maxBytes = random.below(400)
  const read = log.read(offset, {
    maxBytes,
    upTo: upTo < log.logEndOffset ? upTo : log.logEndOffset,
    minOneBatch: false
  })
  expect(read.length).toBeLessThanOrEqual(maxBytes)
  const first = batches.find(batch => batch.nextOffset > offset)
  const bytes = batches.filter(batch => batch.nextOffset > offset && batch.baseOffset < upTo).map(batch => batch.bytes)
  expect(Buffer.concat(bytes).subarray(0, read.length).equals(read)).toBe(true)
  if (first && first.bytes.length <= maxBytes && first.nextOffset <= upTo) expect(read.length).toBeGreaterThan(0)
}

/** The bytes of one segment from the batch that contains the offset, cut at the limit except for the first batch. */
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
  // A read is shorter than the limit only at the end of a segment, which is the end of a batch.
  if (read.length < Math.min(limit, all.length)) {
    let at = 0
    const ends = expected.map(batch => {
      at += batch.bytes.length
      return at
    })
    expect(ends).toContain(read.length)
  }
}

/** A linear scan finds the same offset as the lookup. */
function checkTime(log: PartitionLog, batches: readonly ModelBatch[], start: bigint, timestamp: bigint): void {
  const found = log.reader.offsetForTimestamp(timestamp)
  const records = batches.flatMap(({ baseOffset, timestamps }) =>
    timestamps.map((time, index) => ({ offset: baseOffset + BigInt(index), timestamp: time }))
  )
  const expected = records.find(record => record.timestamp >= timestamp && record.offset >= start)
  // As in Kafka, the lookup searches one segment: below the log start all of its records may be too early.
  if (found === undefined && start > log.firstSegmentOffset) return
  expect(found && { offset: found.offset, timestamp: found.timestamp }).toEqual(expected)
}
