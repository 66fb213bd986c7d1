// Gaps in the offsets between two segments: they end the log, or the log continues after them.
import { describe, expect, test } from 'vitest'
import type { LogConfig } from '../../../src/log/partition-log/log-config.ts'
import { segmentPath } from '../../../src/log/segment/segment-names.ts'
import type { RecordBatch } from '../../../src/protocol/records/batch.ts'
import { crc32c } from '../../../src/protocol/records/checksum.ts'
import { MemoryStorage } from '../../../src/storage/memory-storage.ts'
import { replaceFile } from '../../../src/storage/storage.ts'
import { batchOf, contents, FOLDER, T0 } from '../log-fixture.ts'
import {
  BATCH_BYTES,
  bytesOf,
  CONFIG,
  checkpoint,
  index,
  opened,
  PARTITION,
  TOPIC_ID,
  written
} from './recovery-fixture.ts'

describe('a gap between two segments after a crash', () => {
  /** Two full segments beyond the recovery point and a third one. The second has lost whole batches at its end. */
  async function lost() {
    const { storage, before } = await written('killed')
    replaceFile(storage, 'recovery-point-offset-checkpoint', Buffer.from('0\n1\nt 0 10\n'))
    storage.truncate(segmentPath(FOLDER, 10n, 'log'), 7 * BATCH_BYTES)
    return { storage, whole: before.slice(0, 17), withHole: [...before.slice(0, 17), ...before.slice(20)] }
  }

  async function found(storage: MemoryStorage, config: Partial<LogConfig> = {}) {
    const { directory } = await opened(storage)
    const log = directory.log(PARTITION, TOPIC_ID, { ...CONFIG, ...config })
    expect(log.logEndOffset).toBe((contents(log).at(-1)?.baseOffset ?? -1n) + 1n)
    return contents(log)
  }

  test('a gap between segments ends the log if the lost batches were never on the disk', async () => {
    const { storage, whole } = await lost()
    expect(await found(storage)).toEqual(whole)
  })

  test('a gap between segments ends the log of a partition that is younger than the recovery points', async () => {
    const { storage, whole } = await lost()
    replaceFile(storage, 'recovery-point-offset-checkpoint', Buffer.from('0\n0\n'))
    expect(await found(storage)).toEqual(whole)
  })

  test('a gap between segments ends the log in a new directory, which has all its partitions in the recovery points', async () => {
    const storage = new MemoryStorage()
    const { log } = await opened(storage)
    for (let step = 0n; step < 25n; step++) log().append(batchOf([T0 + step]), 0)
    const before = contents(log())
    storage.truncate(segmentPath(FOLDER, 0n, 'log'), 9 * BATCH_BYTES)
    expect(await found(storage)).toEqual(before.slice(0, 9))
  })

  const harmless: [string, (storage: MemoryStorage) => void][] = [
    ['the disk had it', storage => checkpoint(storage, 'recovery-point-offset', '0\n1\nt 0 20\n')],
    ['the recovery points are missing', storage => storage.removeNow('recovery-point-offset-checkpoint')],
    ['what the disk had is damaged', storage => checkpoint(storage, 'recovery-point-offset', '0\n7\nt 0 10\n')],
    ['what the disk had is empty', storage => checkpoint(storage, 'recovery-point-offset', '')],
    ['the cleaner checkpoint is missing', storage => storage.removeNow('cleaner-offset-checkpoint')],
    ['what was compacted is damaged', storage => checkpoint(storage, 'cleaner-offset', '0\n7\nt 0 10\n')],
    ['it was compacted once', storage => checkpoint(storage, 'cleaner-offset', '0\n1\nt 0 10\n')],
    [
      'retention took what was there',
      storage => storage.append(segmentPath(FOLDER, 18n, 'log', '.deleted'), Buffer.alloc(9))
    ]
  ]
  test.each(harmless)('a gap between segments is kept where %s', async (_, given) => {
    const { storage, withHole } = await lost()
    given(storage)
    expect(await found(storage)).toEqual(withHole)
  })

  test('a gap between segments is kept if an index is rebuilt of batches that were on the disk', async () => {
    const { storage, withHole } = await lost()
    checkpoint(storage, 'recovery-point-offset', '0\n1\nt 0 35\n')
    storage.removeNow(index(10n))
    expect(await found(storage)).toEqual(withHole)
  })

  test('a gap before the log start is kept, and the later batches are served', async () => {
    const { storage, withHole } = await lost()
    checkpoint(storage, 'log-start-offset', '0\n1\nt 0 25\n')
    expect(await found(storage)).toEqual(withHole.slice(-10))
  })

  test('a gap between segments is kept in a compacted log', async () => {
    const { storage, withHole } = await lost()
    expect(await found(storage, { isCompacted: true, isDeleted: false })).toEqual(withHole)
  })

  test.each([
    [4, 'among the batches'],
    [0, 'at the beginning']
  ])('a gap is kept where other gaps show compaction: batch %d of a segment is missing, %s', async missing => {
    const { storage, withHole } = await lost()
    const path = segmentPath(FOLDER, 10n, 'log')
    const bytes = bytesOf(storage, path)
    const left = [bytes.subarray(0, missing * BATCH_BYTES), bytes.subarray((missing + 1) * BATCH_BYTES)]
    replaceFile(storage, path, Buffer.concat(left))
    expect(await found(storage)).toEqual(withHole.filter(({ baseOffset }) => baseOffset !== 10n + BigInt(missing)))
  })

  test('a gap between segments is kept if a batch has fewer records than offsets', async () => {
    const storage = new MemoryStorage()
    const { log } = await opened(storage)
    log().append(filteredBatch(), 0)
    for (let step = 0n; step < 25n; step++) log().append(batchOf([T0 + step]), 0)
    const before = contents(log())
    const [first, second] = log().segments
    storage.truncate(segmentPath(FOLDER, 0n, 'log'), (first?.size ?? 0) - BATCH_BYTES)
    expect(await found(storage)).toEqual(before.filter(({ baseOffset }) => baseOffset + 1n !== second?.baseOffset))
  })

  test('a gap between segments is kept after a clean stop, also after later changes of its files', async () => {
    const { storage, before } = await written('closed')
    storage.truncate(segmentPath(FOLDER, 10n, 'log'), 7 * BATCH_BYTES)
    expect(await found(storage)).toEqual([...before.slice(0, 17), ...before.slice(20)])
  })
})

/** A batch of three offsets with the one record that compaction has left. */
function filteredBatch(): RecordBatch {
  const batch = batchOf([T0])
  batch.bytes.writeInt32BE(2, 23)
  batch.bytes.writeUInt32BE(crc32c(batch.bytes.subarray(21)), 17)
  return batch
}
