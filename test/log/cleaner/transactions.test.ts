/** Compaction of transactional data, of markers and of transaction indexes. */
import { describe, expect, test } from 'vitest'
import { verify } from '../../../src/dump/checks/verify.ts'
import { textOf } from '../../../src/dump/items.ts'
import type { PartitionLog } from '../../../src/log/partition-log/partition-log.ts'
import { controlTypeOf } from '../../../src/protocol/records/control.ts'
import { recordsOf } from '../../../src/protocol/records/record.ts'
import { seededRandom } from '../../../src/runtime/random.ts'
import { MemoryStorage } from '../../../src/storage/memory-storage.ts'
import { options } from '../../dump/folder.ts'
import { clean, NOW } from './compacted.ts'
import { committed, type Entry, end, openPartition, write } from './transactional.ts'

const txn = (producerId: bigint, baseSequence: number, producerEpoch = 0) => ({
  producerId,
  producerEpoch,
  baseSequence,
  isTransactional: true
})

/** Appends until all earlier records can be compacted. */
function fill(log: PartitionLog): void {
  const segmentCount = log.segments.length
  while (log.segments.length < segmentCount + 1) write(log, [['filler', 'x'.repeat(100)]])
}

/** Batches as 'offset keys' or 'offset MARKER'; 'empty' for a header without records. Leaves out the records of `fill`. */
function batchesOf(log: PartitionLog): string[] {
  const all = [...log.batches(log.logStartOffset)].map(batch => {
    const records = recordsOf(batch)
    const texts = records.map(({ key }) => (batch.isControl ? controlTypeOf(key) : String(key)))
    return `${batch.baseOffset} ${texts.length === 0 ? 'empty' : texts.join()}`
  })
  return all.filter(text => !text.includes('filler'))
}

const abortedIn = (log: PartitionLog) =>
  log.segments.flatMap(segment => [...segment.abortedFrom(0n)].map(({ firstOffset }) => Number(firstOffset)))

describe('an aborted transaction', () => {
  test('an aborted transaction loses its data at once, its index entry with the next round, and its marker after the delay', async () => {
    const partition = openPartition(new MemoryStorage())
    const { log } = partition
    write(log, [['a', 'kept']])
    write(log, [['a', 'aborted']], txn(1n, 0))
    end(partition, 1n, 'ABORT')
    write(log, [['b', 'later']], txn(1n, 1))
    end(partition, 1n, 'COMMIT')
    fill(log)
    expect(batchesOf(log)).toEqual(['0 a', '1 a', '2 ABORT', '3 b', '4 COMMIT'])
    let { endOffset } = await clean(log)
    expect(batchesOf(log)).toEqual(['0 a', '2 ABORT', '3 b', '4 COMMIT'])
    expect(abortedIn(log)).toEqual([1])
    fill(log)
    endOffset = (await clean(log, endOffset)).endOffset
    expect(abortedIn(log)).toEqual([])
    expect([...log.batches(2n)][0]?.deleteHorizonMs).toBe(BigInt(NOW + 1000))
    fill(log)
    await clean(log, endOffset, { nowMs: NOW + 1000 })
    expect(batchesOf(log)).toEqual(['0 a', '3 b', '4 COMMIT'])
  })

  test('an aborted record or tombstone does not replace a committed record', async () => {
    const partition = openPartition(new MemoryStorage())
    const { log } = partition
    write(log, [['a', 'kept']])
    write(log, [['a', null]], txn(1n, 0))
    end(partition, 1n, 'ABORT')
    fill(log)
    await clean(log, undefined, { nowMs: NOW + 5000 })
    expect([...committed(log, 0n, 1 << 20)][0]?.entry).toEqual(['a', 'kept'])
  })

  test('an aborted transaction over several segments is removed from all of them', async () => {
    const partition = openPartition(new MemoryStorage())
    const { log } = partition
    for (let number = 0; number < 12; number++) {
      write(log, [[`aborted ${number}`, 'x'.repeat(40)]], txn(1n, number))
      write(log, [[`kept ${number}`, 'y'.repeat(40)]], txn(2n, number))
    }
    expect(log.segments.length).toBeGreaterThan(3)
    end(partition, 2n, 'COMMIT')
    end(partition, 1n, 'ABORT')
    fill(log)
    await clean(log)
    const left = batchesOf(log).filter(text => text.includes('aborted'))
    expect(left).toEqual([])
    expect([...committed(log, 0n, 300)].filter(({ entry: [key] }) => key.startsWith('kept'))).toHaveLength(12)
  })
})

describe('rounds of cleaning with transactions', () => {
  test('a round ends before an open transaction', async () => {
    const partition = openPartition(new MemoryStorage())
    const { log } = partition
    write(log, [['a', '1']])
    fill(log)
    write(log, [['a', '2']], txn(1n, 0))
    fill(log)
    const { endOffset } = await clean(log)
    expect(endOffset).toBeLessThanOrEqual(log.lastStableOffset)
    expect(batchesOf(log)).toContain('0 a')
    end(partition, 1n, 'COMMIT')
    fill(log)
    await clean(log, endOffset)
    expect(batchesOf(log)).not.toContain('0 a')
  })

  test('a round keeps the header of a producer’s last data, and the marker of an epoch without data', async () => {
    const storage = new MemoryStorage()
    const partition = openPartition(storage)
    const { log } = partition
    write(log, [['a', '1']], txn(1n, 0))
    end(partition, 1n, 'ABORT')
    write(log, [['b', '1']], txn(2n, 0))
    end(partition, 2n, 'ABORT', 1)
    let endOffset = 0n
    for (let round = 1; round <= 4; round++) {
      fill(log)
      endOffset = (await clean(log, endOffset, { nowMs: NOW + round * 5000 })).endOffset
    }
    // The header keeps the last sequence of producer 1, a marker the epoch of producer 2.
    expect(batchesOf(log)).toEqual(['0 empty', '1 ABORT', '3 empty'])
    const again = openPartition(storage, {}, 'death')
    expect(again.producers()).toEqual([
      expect.objectContaining({ producerId: 1n, producerEpoch: 0, lastSequence: 0, lastOffset: 0n })
    ])
  })
})

const PRODUCERS = 3
const KEYS = 10
const SEGMENT_BYTES = 900

/** The records that were sent, and the results of their transactions. */
class Model {
  readonly records: { readonly entry: Entry | undefined; isCommitted: boolean }[] = []
  readonly #open = new Map<number, number[]>()
  readonly #sequences = new Map<number, number>()

  /** The newest committed value of each key, tombstones left out. */
  get state(): Map<string, string> {
    const state = new Map<string, string>()
    for (const { entry, isCommitted } of this.records) {
      if (!entry || !isCommitted) continue
      const [key, value] = entry
      if (value === null) state.delete(key)
      else state.set(key, value)
    }
    return state
  }

  write(log: PartitionLog, random: (below: number) => number): void {
    const producer = random(PRODUCERS + 1)
    const entries = Array.from({ length: 1 + random(3) }, (): Entry => {
      const number = this.records.length + random(1000)
      return [`key ${random(KEYS)}`, random(5) === 0 ? null : `${number} ${'x'.repeat(random(50))}`]
    })
    const offsets = entries.map((_, index) => this.records.length + index)
    const isCommitted = producer === PRODUCERS
    for (const entry of entries) this.records.push({ entry, isCommitted })
    if (isCommitted) {
      write(log, entries)
      return
    }
    const sequence = this.#sequences.get(producer) ?? 0
    this.#sequences.set(producer, sequence + entries.length)
    this.#open.set(producer, [...(this.#open.get(producer) ?? []), ...offsets])
    write(log, entries, txn(BigInt(producer), sequence))
  }

  end(partition: ReturnType<typeof openPartition>, random: (below: number) => number): void {
    const producer = random(PRODUCERS)
    const type = random(2) === 0 ? 'ABORT' : 'COMMIT'
    for (const offset of this.#open.get(producer) ?? []) {
      const record = this.records[offset]
      if (record) record.isCommitted = type === 'COMMIT'
    }
    this.#open.delete(producer)
    this.records.push({ entry: undefined, isCommitted: false })
    end(partition, BigInt(producer), type)
  }

  endAll(partition: ReturnType<typeof openPartition>): void {
    for (const producer of [...this.#open.keys()]) this.end(partition, below => (below === PRODUCERS ? producer : 1))
  }

  /** The last stable offset, at which a read_committed reader stops. */
  get lastStableOffset(): bigint {
    const firsts = [...this.#open.values()].map(([first = 0]) => first)
    return BigInt(Math.min(this.records.length, ...firsts))
  }

  /** A reader sees committed records only, each as it was sent, and after all of them the final state. */
  check(log: PartitionLog, from: bigint, maxBytes: number): void {
    expect(log.logEndOffset).toBe(BigInt(this.records.length))
    expect(log.lastStableOffset).toBe(this.lastStableOffset)
    const state = new Map<string, string>()
    for (const { offset, entry } of committed(log, from, maxBytes)) {
      expect(this.records[Number(offset)]).toEqual({ entry, isCommitted: true })
      const [key, value] = entry
      if (value === null) state.delete(key)
      else state.set(key, value)
    }
    if (from > 0n || this.#open.size > 0) return
    expect(state).toEqual(this.state)
  }
}

test.each([1, 2, 3, 4, 5, 6, 7, 8])('readers see the same records before and after compaction, seed %i', async seed => {
  const chance = seededRandom(seed)
  const random = (below: number) => chance.below(below)
  const storage = new MemoryStorage()
  const model = new Model()
  let partition = openPartition(storage, { segmentBytes: SEGMENT_BYTES })
  let nowMs = NOW
  let cleanOffset = 0n
  for (let step = 0; step < 500; step++) {
    const choice = random(100)
    if (choice < 70) model.write(partition.log, random)
    else if (choice < 88) model.end(partition, random)
    else if (choice < 96) {
      nowMs += random(1500)
      cleanOffset = (await clean(partition.log, cleanOffset, { nowMs })).endOffset
    } else if (choice < 98) partition = openPartition(storage, { segmentBytes: SEGMENT_BYTES }, 'death')
    else {
      await partition.log.close()
      partition = openPartition(storage, { segmentBytes: SEGMENT_BYTES })
    }
    if (step % 10 === 0) model.check(partition.log, BigInt(random(model.records.length)), 1 + random(600))
  }
  model.endAll(partition)
  for (let round = 0; round < 4; round++) {
    model.check(partition.log, 0n, 1 + random(2000))
    nowMs += 2000
    const segmentCount = partition.log.segments.length
    while (partition.log.segments.length <= segmentCount) model.write(partition.log, () => PRODUCERS)
    cleanOffset = (await clean(partition.log, cleanOffset, { nowMs })).endOffset
  }
  model.check(partition.log, 0n, 1 << 20)
  await partition.log.close()
  expect([...verify(storage, [''], options())].map(textOf)).toEqual([expect.stringMatching(/no problems found$/)])
})
