/** Compaction compared with a model: a Map. */
import { expect, test } from 'vitest'
import { verify } from '../../../src/dump/checks/verify.ts'
import { textOf } from '../../../src/dump/items.ts'
import type { PartitionLog } from '../../../src/log/partition-log/partition-log.ts'
import { buildBatch } from '../../../src/protocol/records/builder.ts'
import { recordsOf } from '../../../src/protocol/records/record.ts'
import { type Random, seededRandom } from '../../../src/runtime/random.ts'
import { MemoryStorage } from '../../../src/storage/memory-storage.ts'
import { options } from '../../dump/folder.ts'
import { type Cause, dieEverywhere, type Life } from '../../sim/death.ts'
import { clean, NOW, openCompacted, reopenCompacted, stagedFiles } from './compacted.ts'

const CODECS = ['none', 'none', 'gzip', 'snappy', 'lz4', 'zstd'] as const
const KEYS = 12
const PRODUCERS = 3
const DELETE_RETENTION_MS = 1000

/** The records that were sent: those that must be in the log, and those that may be gone. */
class Model {
  /** The record at each offset: key and value, null for a tombstone. */
  readonly records: (readonly [string, string | null])[] = []
  readonly newest = new Map<string, number>()
  readonly lastOfProducers = new Map<number, { lastOffset: bigint; lastSequence: number }>()
  /** No record is appended at this offset or after it. */
  isComplete = false
  readonly #sequences = new Map<number, number>()

  append(log: PartitionLog, random: Random): void {
    const count = 1 + random.below(4)
    const first = this.records.length
    const records = Array.from({ length: count }, (_, index) => {
      const key = `key ${random.below(KEYS)}`
      const value = random.below(5) === 0 ? null : `${first + index} ${'x'.repeat(random.below(60))}`
      return { key: Buffer.from(key), value: value === null ? null : Buffer.from(value), timestamp: BigInt(NOW) }
    })
    const codec = CODECS[random.below(CODECS.length)] ?? 'none'
    const producer = random.below(PRODUCERS + 2)
    const baseSequence = this.#sequences.get(producer) ?? 0
    const options =
      producer < PRODUCERS ? { codec, producerId: BigInt(producer), producerEpoch: 0, baseSequence } : { codec }
    const { lastOffset } = log.append(buildBatch(records, options), 0)
    for (const { key, value } of records) {
      this.newest.set(key.toString(), this.records.length)
      this.records.push([key.toString(), value?.toString() ?? null])
    }
    if (producer >= PRODUCERS) return
    this.#sequences.set(producer, baseSequence + count)
    this.lastOfProducers.set(producer, { lastOffset, lastSequence: baseSequence + count - 1 })
  }

  /** Checks the log in any state: it agrees with the model, and each key occurs once before `cleanOffset`. */
  check(log: PartitionLog, cleanOffset: bigint): void {
    expect(log.logEndOffset).toBe(BigInt(this.records.length))
    const found = [...log.batches(0n)].flatMap(batch => recordsOf(batch))
    const state = new Map<string, string | null>()
    let last = -1n
    for (const { offset, key, value } of found) {
      expect(offset).toBeGreaterThan(last)
      last = offset
      expect([key?.toString(), value?.toString() ?? null]).toEqual(this.records[Number(offset)])
      state.set(String(key), value?.toString() ?? null)
    }
    for (const [key, offset] of this.newest) {
      const [, value = null] = this.records[offset] ?? []
      if (value === null) expect(state.get(key) ?? null).toBeNull()
      else expect(state.get(key)).toBe(value)
    }
    const clean = found.filter(({ offset }) => offset < cleanOffset).map(({ key }) => String(key))
    expect(new Set(clean).size).toBe(clean.length)
    this.#checkProducers(log)
  }

  #checkProducers(log: PartitionLog): void {
    const batches = [...log.batches(0n)]
    for (const [producer, { lastOffset, lastSequence }] of this.lastOfProducers) {
      const batch = batches.findLast(({ producerId }) => producerId === BigInt(producer))
      expect(batch).toMatchObject({ lastOffset, lastSequence })
    }
  }
}

test.each([1, 2, 3, 4, 5, 6])('a log agrees with its model after random rounds and restarts, seed %i', async seed => {
  const random = seededRandom(seed)
  const storage = new MemoryStorage()
  const config = { segmentBytes: 700, deleteRetentionMs: DELETE_RETENTION_MS }
  const model = new Model()
  let log = openCompacted(storage, config)
  let nowMs = NOW
  let cleanOffset = 0n
  for (let step = 0; step < 400; step++) {
    const choice = random.below(100)
    if (choice < 90) model.append(log, random)
    else if (choice < 97) {
      nowMs += random.below(DELETE_RETENTION_MS)
      // At least the number of records of a batch.
      const keys = 4 + random.below(KEYS)
      cleanOffset = (await clean(log, cleanOffset, { nowMs, mapLimits: { memoryBytes: keys * 24, loadFactor: 1 } }))
        .endOffset
      model.check(log, cleanOffset)
      expect(stagedFiles(storage).filter(name => !name.endsWith('.deleted'))).toEqual([])
    } else if (choice < 98) log = reopenCompacted(storage, config)
    else {
      await log.close()
      log = openCompacted(storage, config)
    }
  }
  model.check(log, cleanOffset)
  // The delay of all tombstones is over: no record of a deleted key is left.
  for (let round = 0; round < 3; round++) {
    const before = log.segments.length
    while (log.segments.length === before) model.append(log, random)
    nowMs += 2 * DELETE_RETENTION_MS
    cleanOffset = (await clean(log, cleanOffset, { nowMs })).endOffset
  }
  model.check(log, cleanOffset)
  expect(log.sizeInBytes).toBeLessThan(6000)
})

const CAUSES: Cause[] = ['process death', 'power loss', 'power loss without a journal of names']

test.each(CAUSES)('a fault (%s) in two rounds leaves a log that agrees with its model', async cause => {
  const script = async (life: Life, model: Model) => {
    const random = seededRandom(11)
    const log = openCompacted(life.storage, { segmentBytes: 700 })
    for (let round = 0; round < 2; round++) {
      for (let count = 0; count < 14; count++) model.append(log, random)
      await log.close()
    }
    model.isComplete = true
    await clean(log, undefined, { nowMs: NOW })
    await clean(log, 20n, { nowMs: NOW + 5000 })
  }
  const operations = await dieEverywhere(cause, {
    witness: () => new Model(),
    script,
    check: async (left, model) => {
      // Other tests check the guarantees of appends.
      if (!model.isComplete) return
      const log = reopenCompacted(left, { segmentBytes: 700 })
      model.check(log, 0n)
      expect(stagedFiles(left)).toEqual([])
      const { endOffset } = await clean(log, undefined, { nowMs: NOW + 9000 })
      model.check(log, endOffset)
      await log.close()
      expect([...verify(left, [''], options())].map(textOf)).toEqual([expect.stringMatching(/no problems found$/)])
      model.check(reopenCompacted(left, { segmentBytes: 700 }), endOffset)
    }
  })
  expect(operations).toBeGreaterThan(50)
})
