/** The written batches of one log, and the valid results of reading it. */
import { expect } from 'vitest'
import type { RecordBatch } from '../../src/protocol/records/batch.ts'
import { recordsOf } from '../../src/protocol/records/record.ts'

/** The records that must exist: all acknowledged ones, a prefix of them, or only no unwritten ones. */
export type Promised = 'all' | 'a prefix' | 'nothing wrong'

/** A batch from a log. */
export interface FoundBatch {
  readonly baseOffset: bigint
  readonly bytes: Buffer
}

interface WrittenBatch extends FoundBatch {
  readonly nextOffset: bigint
}

interface WrittenRecord {
  readonly key: string
  readonly value: string | null
}

export class Written {
  readonly topic: string
  #batches: WrittenBatch[] = []
  readonly #records = new Map<bigint, WrittenRecord>()
  #acknowledgedEnd = 0n
  #latestStart = 0n

  constructor(topic: string) {
    this.topic = topic
  }

  /** A batch with its final offsets, before the result of its append. */
  attempted(batch: RecordBatch): void {
    const { baseOffset, nextOffset } = batch
    this.#batches.push({ baseOffset, nextOffset, bytes: Buffer.from(batch.bytes) })
    for (const { offset, key, value } of recordsOf(batch)) {
      this.#records.set(offset, { key: String(key), value: value && String(value) })
    }
  }

  acknowledged(): void {
    this.#acknowledgedEnd = this.#batches.at(-1)?.nextOffset ?? 0n
  }

  /** From now on the log start offset can be as late as this offset. */
  mayStartAt(offset: bigint): void {
    if (offset > this.#latestStart) this.#latestStart = offset
  }

  /** After a restart the log ends here: unacknowledged and lost batches are forgotten. */
  continueAt(end: bigint): void {
    this.#batches = this.#batches.filter(({ nextOffset }) => nextOffset <= end)
    for (const offset of this.#records.keys()) if (offset >= end) this.#records.delete(offset)
    this.#acknowledgedEnd = end
  }

  /** Checks the batches from `start` to `end` of a log that loses records at its start only. */
  checkList(found: readonly FoundBatch[], start: bigint, end: bigint, promised: Promised): void {
    const batches = new Map(this.#batches.map(batch => [batch.baseOffset, batch]))
    const written = found.map(({ baseOffset, bytes }) => {
      const batch = batches.get(baseOffset)
      expect(batch?.bytes.equals(bytes), `the batch at ${baseOffset} is the one that was written`).toBe(true)
      return batch as WrittenBatch
    })
    if (promised === 'nothing wrong') return
    if (promised === 'all') expect(end).toBeGreaterThanOrEqual(this.#acknowledgedEnd)
    expect(start).toBeLessThanOrEqual(this.#latestStart)
    let next = start
    for (const { baseOffset, nextOffset } of written) {
      expect(baseOffset, 'no offset is missing').toBeLessThanOrEqual(next)
      expect(nextOffset).toBeGreaterThan(next)
      next = nextOffset
    }
    expect(next).toBe(end)
  }

  /** Checks a compacted log: it has the newest value of every key, and no value before a tombstone. */
  checkMap(found: readonly RecordBatch[], end: bigint, promised: Promised): void {
    const newest = new Map<string, bigint>()
    for (const { offset, key, value } of found.flatMap(batch => recordsOf(batch))) {
      expect({ key: String(key), value: value && String(value) }).toEqual(this.#records.get(offset))
      newest.set(String(key), offset)
    }
    // As in Kafka, a loss at the end of a full segment cannot be distinguished from compaction.
    if (promised !== 'all') return
    expect(end).toBeGreaterThanOrEqual(this.#acknowledgedEnd)
    const expected = new Map<string, bigint>()
    for (const [offset, { key }] of this.#records) if (offset < end) expected.set(key, offset)
    for (const [key, offset] of expected) {
      // A tombstone is removed some time after the values before it.
      const isGone = !newest.has(key) && this.#records.get(offset)?.value === null
      if (!isGone) expect(newest.get(key), `the newest record of ${key}`).toBe(offset)
    }
  }
}
