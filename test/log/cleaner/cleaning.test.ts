// The records, batches and segments that a round of cleaning leaves.
import { describe, expect, test } from 'vitest'
import { OFFSET_MAP_ENTRY_BYTES } from '../../../src/log/cleaner/offset-map.ts'
import { RecordBatch } from '../../../src/protocol/records/batch.ts'
import { MemoryStorage } from '../../../src/storage/memory-storage.ts'
import { contents, FOLDER } from '../log-fixture.ts'
import { clean, dataIn, NOW, openCompacted, put, reopenCompacted, roll } from './compacted.ts'

describe('a round of cleaning', () => {
  test('a round keeps the last record of each key at its offset', async () => {
    const log = openCompacted(new MemoryStorage())
    put(log, ['a=1', 'b=1'])
    put(log, ['a=2', 'c=1'])
    put(log, ['b=2'])
    roll(log)
    const active = log.segments.at(-1)?.baseOffset
    const { endOffset, bytesBefore, bytesAfter, recordsBefore, recordsAfter } = await clean(log)
    expect(dataIn(log)).toEqual(['2 a=2', '3 c=1', '4 b=2'])
    expect(endOffset).toBe(active)
    expect(bytesAfter).toBeLessThan(bytesBefore)
    expect([recordsBefore, recordsAfter]).toEqual([5, 3])
  })

  test('a round does not change the active segment and ignores the keys of its records', async () => {
    const log = openCompacted(new MemoryStorage())
    put(log, ['a=1'])
    roll(log)
    put(log, ['a=2', 'a=3'])
    await clean(log)
    expect(dataIn(log)).toHaveLength(3)
  })

  test('a round merges segments as long as they fit into one', async () => {
    const log = openCompacted(new MemoryStorage())
    for (let count = 0; count < 10; count++) {
      put(log, ['same=value'])
      roll(log)
    }
    const { endOffset } = await clean(log)
    expect(log.segments.length).toBe(11)
    roll(log)
    await clean(log, endOffset)
    expect(log.segments.length).toBe(3)
    expect(dataIn(log)).toHaveLength(1)
  })

  test('a round starts at the checkpoint and treats the clean part as older', async () => {
    const log = openCompacted(new MemoryStorage())
    put(log, ['a=1', 'b=1'])
    roll(log)
    const { endOffset } = await clean(log)
    put(log, ['a=2'])
    roll(log)
    const second = await clean(log, endOffset)
    expect(dataIn(log)).toEqual(['1 b=1', expect.stringMatching(/^\d+ a=2$/)])
    expect(second.endOffset).toBeGreaterThan(endOffset)
  })

  test('a round keeps batches unchanged if all of their records stay', async () => {
    const log = openCompacted(new MemoryStorage())
    put(log, ['a=1', 'b=1'], { codec: 'gzip' })
    put(log, ['c=1', 'd=1'], { codec: 'snappy' })
    const before = contents(log).slice(0, 2)
    roll(log)
    await clean(log)
    expect(contents(log).slice(0, 2)).toEqual(before)
  })

  test('a round removes a tombstone in the second round after its delay, never in the first', async () => {
    const log = openCompacted(new MemoryStorage())
    put(log, ['a=1', 'b=1'])
    put(log, ['a'])
    roll(log)
    const first = await clean(log, undefined, { nowMs: NOW + 1_000_000 })
    expect(dataIn(log)).toEqual(['1 b=1', '2 a'])
    roll(log)
    const second = await clean(log, first.endOffset, { nowMs: NOW + 1_000_999 })
    expect(dataIn(log)).toEqual(['1 b=1', '2 a'])
    roll(log)
    await clean(log, second.endOffset, { nowMs: NOW + 1_001_000 })
    expect(dataIn(log)).toEqual(['1 b=1'])
  })

  test("a round keeps the header of each producer's last batch and of the last batch of the round", async () => {
    const log = openCompacted(new MemoryStorage())
    const producer = { producerId: 5n, producerEpoch: 0 }
    put(log, ['a=1'], { ...producer, baseSequence: 0 })
    put(log, ['a=2', 'b=2'], { ...producer, baseSequence: 1 })
    put(log, ['a=3', 'b=3'])
    roll(log)
    put(log, ['filler=late'])
    roll(log)
    await clean(log)
    const [header, ...others] = [...log.batches(0n)].filter(({ recordsCount }) => recordsCount === 0)
    expect(header).toMatchObject({ producerId: 5n, baseOffset: 1n, lastOffset: 2n, lastSequence: 2 })
    expect(others).toEqual([])
    const clean2 = [...log.batches(0n)].map(({ lastOffset }) => lastOffset)
    expect(clean2).toContain((log.segments.at(-1)?.baseOffset ?? 0n) - 1n)
  })

  test('a cleaned segment has the modification time of its last source', async () => {
    const storage = new MemoryStorage()
    const log = openCompacted(storage)
    put(log, ['a=1'])
    roll(log)
    storage.setModified(`${FOLDER}/00000000000000000000.log`, 12_345)
    await clean(log)
    expect(storage.modifiedMs(`${FOLDER}/00000000000000000000.log`)).toBe(12_345)
  })

  test('readers find all offsets by the indexes of the cleaned segment', async () => {
    const storage = new MemoryStorage()
    const log = openCompacted(storage, { segmentBytes: 4000 })
    for (let number = 0; number < 60; number++) put(log, [`${number % 20}=v`, `${number}=w`], {})
    roll(log)
    await clean(log)
    for (const reader of [log, reopenCompacted(storage, { segmentBytes: 4000 })]) {
      for (let offset = 0n; offset < reader.logEndOffset; offset++) {
        const bytes = reader.read(offset, { maxBytes: 100, upTo: reader.logEndOffset, minOneBatch: true })
        const batch = new RecordBatch(bytes)
        expect(batch.lastOffset).toBeGreaterThanOrEqual(offset)
        const next = [...reader.batches(offset)][0]
        expect(batch.baseOffset).toBe(next?.baseOffset)
      }
    }
  })

  test('a round keeps records in the older formats of an older Kafka', async () => {
    const storage = new MemoryStorage()
    storage.makeDirectory(FOLDER)
    const legacy = Buffer.alloc(34)
    legacy.writeInt32BE(22, 8)
    legacy.writeUInt8(1, 16)
    legacy.writeUInt32BE(0, 12)
    const { default: table } = await import('crc-32')
    legacy.writeInt32BE(-1, 26)
    legacy.writeInt32BE(-1, 30)
    legacy.writeUInt32BE(table.buf(legacy.subarray(16)) >>> 0, 12)
    storage.append(`${FOLDER}/00000000000000000000.log`, legacy)
    const log = reopenCompacted(storage)
    expect(log.logEndOffset).toBe(1n)
    put(log, ['a=1'])
    put(log, ['a=2'])
    roll(log)
    await clean(log)
    expect([...log.batches(0n)].slice(0, 2).map(({ magic, baseOffset }) => [magic, baseOffset])).toEqual([
      [1, 0n],
      [2, 2n]
    ])
  })
})

describe('the offset map of a round', () => {
  const limits = (keys: number) => ({ memoryBytes: keys * OFFSET_MAP_ENTRY_BYTES, loadFactor: 1 })

  test('a full offset map ends the round after the last batch that fitted, and the next round continues there', async () => {
    const log = openCompacted(new MemoryStorage())
    put(log, ['a=1', 'b=1'])
    put(log, ['a=2', 'c=1'])
    put(log, ['a=3', 'd=1'])
    roll(log)
    const first = await clean(log, undefined, { mapLimits: limits(3) })
    expect(first.endOffset).toBe(4n)
    expect(dataIn(log).slice(-2)).toEqual(['4 a=3', '5 d=1'])
    expect(dataIn(log)).toContain('1 b=1')
    const second = await clean(log, first.endOffset, { mapLimits: limits(3) })
    expect(second.endOffset).toBeGreaterThan(4n)
    expect(dataIn(log)).toEqual(['1 b=1', '3 c=1', '4 a=3', '5 d=1'])
  })

  test('a batch that never fits into the offset map is an error that names the remedy', async () => {
    const log = openCompacted(new MemoryStorage())
    put(log, ['a=1', 'b=1', 'c=1'])
    roll(log)
    await expect(clean(log, undefined, { mapLimits: limits(2) })).rejects.toThrow('log.cleaner.dedupe.buffer.size')
  })
})
