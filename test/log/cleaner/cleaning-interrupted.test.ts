// Events during a round of cleaning: appends, readers, deletion, damage, a full disk.

import { describe, expect, test } from 'vitest'
import { CleaningAborted } from '../../../src/log/cleaner/cleaning.ts'
import { logToClean } from '../../../src/log/cleaner/log-to-clean.ts'
import { CorruptRecordError } from '../../../src/protocol/records/batch.ts'
import { buildBatch } from '../../../src/protocol/records/builder.ts'
import { MemoryStorage } from '../../../src/storage/memory-storage.ts'
import { DEFAULT_LOG_CONFIG } from '../default-log-config.ts'
import { contents, FOLDER, openLog, reconfigure } from '../log-fixture.ts'
import { CONFIG, clean, dataIn, NOW, openCompacted, put, reopenCompacted, roll, stagedFiles } from './compacted.ts'

describe('a round of cleaning between two slices', () => {
  /** Runs an action after the given number of bytes, in the middle of a round. */
  function meanwhile(act: () => void) {
    let isDone = false
    return {
      spend: async () => {
        if (isDone) return
        isDone = true
        act()
      }
    }
  }

  test('a log grows during a round of cleaning', async () => {
    const storage = new MemoryStorage()
    const log = openCompacted(storage)
    put(log, ['a=1'])
    put(log, ['a=2'])
    roll(log)
    await clean(
      log,
      undefined,
      meanwhile(() => {
        put(log, ['a=3'])
        roll(log)
        put(log, ['a=4'])
      })
    )
    expect(dataIn(log).map(text => text.split(' ')[1])).toEqual(['a=2', 'a=3', 'a=4'])
  })

  test('readers see either the old segments or the new one at any moment of a round', async () => {
    const storage = new MemoryStorage()
    const log = openCompacted(storage)
    for (let round = 0; round < 4; round++) {
      put(log, ['a=1', `${round}=x`])
      roll(log)
    }
    const seen = new Set<string>()
    const look = () => {
      seen.add(JSON.stringify(dataIn(log)))
      expect(contents(log).at(-1)?.baseOffset).toBe(log.logEndOffset - 1n)
    }
    const before = JSON.stringify(dataIn(log))
    await clean(log, undefined, { spend: async () => look() })
    look()
    expect(seen.size).toBeLessThanOrEqual(5)
    expect(seen).toContain(before)
  })

  test.each([
    ['is no longer compacted', (log: ReturnType<typeof openCompacted>) => reconfigure(log, DEFAULT_LOG_CONFIG)],
    [
      'loses segments to retention',
      (log: ReturnType<typeof openCompacted>) => {
        log.moveLogStart(log.segments[1]?.baseOffset ?? 0n)
        log.deleteOldSegments()
      }
    ]
  ])('a log that %s ends the round and leaves no files of it', async (_, act) => {
    const storage = new MemoryStorage()
    const log = openCompacted(storage)
    put(log, ['a=1'])
    put(log, ['a=2'])
    roll(log)
    roll(log)
    await expect(
      clean(
        log,
        undefined,
        meanwhile(() => act(log))
      )
    ).rejects.toThrow(CleaningAborted)
    expect(stagedFiles(storage).filter(name => !name.endsWith('.deleted'))).toEqual([])
    expect(dataIn(reopenCompacted(storage))).toEqual(dataIn(log))
  })

  test('a deleted log ends the round, which accesses no file after that', async () => {
    const storage = new MemoryStorage()
    const log = openCompacted(storage)
    put(log, ['a=1'])
    put(log, ['a=2'])
    roll(log)
    const deleted = meanwhile(() => {
      storage.rename(FOLDER, 't-0.00000000000000000000000000000000-delete')
      log.abandon()
    })
    await expect(clean(log, undefined, deleted)).rejects.toThrow(CleaningAborted)
    expect(storage.exists(FOLDER)).toBe(false)
  })
})

describe('a failed round of cleaning', () => {
  test('a round over a damaged batch fails and changes nothing', async () => {
    const storage = new MemoryStorage()
    const log = openCompacted(storage)
    put(log, ['a=1'])
    put(log, ['a=2'])
    const path = `${FOLDER}/00000000000000000000.log`
    const damaged = buildBatch([{ key: Buffer.from('b'), value: null, timestamp: 0n }])
    damaged.stamp(2n, 0)
    damaged.bytes.writeUInt8(0x55, damaged.bytes.length - 1)
    storage.append(path, damaged.bytes)
    const again = openLog(storage, CONFIG)
    roll(again)
    const before = storage.size(path)
    await expect(clean(again)).rejects.toThrow(CorruptRecordError)
    expect(storage.size(path)).toBe(before)
    expect(stagedFiles(storage)).toEqual([])
  })

  test('a round over a batch that decompresses to more than the limit fails and changes nothing', async () => {
    const storage = new MemoryStorage()
    const log = openCompacted(storage)
    put(log, [`a=${'0'.repeat(5000)}`], { codec: 'gzip' })
    roll(log)
    await expect(clean(log, undefined, { decompressedLimit: 4000 })).rejects.toThrow('more than 4000 bytes')
    expect(stagedFiles(storage)).toEqual([])
  })

  test('a round that fails because the disk is full changes nothing, and succeeds when there is room', async () => {
    let isFull = false
    const { StorageError } = await import('../../../src/storage/storage.ts')
    const storage = new MemoryStorage({
      fault: ({ name, path, bytes }) =>
        isFull && name === 'append' && bytes > 0 && path.endsWith('.cleaned')
          ? { error: new StorageError('full', 'no space left'), writtenBytes: 5 }
          : undefined
    })
    const log = openCompacted(storage)
    put(log, ['a=1'])
    put(log, ['a=2'])
    roll(log)
    isFull = true
    const before = dataIn(log)
    await expect(clean(log)).rejects.toThrow('no space left')
    expect(dataIn(log)).toEqual(before)
    expect(stagedFiles(storage)).toEqual([])
    isFull = false
    await clean(log)
    expect(dataIn(log)).toEqual(['1 a=2'])
  })

  test('a round that fails in the middle of the swap takes the log offline, and the next start finds the log intact', async () => {
    let renames = 0
    const { StorageError } = await import('../../../src/storage/storage.ts')
    const storage = new MemoryStorage({
      fault: ({ name }) =>
        name === 'rename' && ++renames === 2 ? { error: new StorageError('other', 'refused') } : undefined
    })
    const log = openCompacted(storage)
    put(log, ['a=1'])
    put(log, ['a=2'])
    roll(log)
    await expect(clean(log)).rejects.toThrow('refused')
    expect(log.isOffline).toBe(true)
    const again = reopenCompacted(storage)
    expect(['0 a=1', '1 a=2']).toEqual(expect.arrayContaining(dataIn(again).slice(-1)))
    expect(stagedFiles(storage)).toEqual([])
    expect(logToClean(again, undefined, NOW).isDue).toBe(true)
    expect(again.config).toMatchObject({ segmentBytes: CONFIG.segmentBytes })
  })
})
