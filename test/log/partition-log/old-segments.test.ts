import { describe, expect, it } from 'vitest'
import type { BatchObserver } from '../../../src/log/partition-log/batch-observer.ts'
import type { LogConfig } from '../../../src/log/partition-log/log-config.ts'
import { Removal } from '../../../src/log/partition-log/removal.ts'
import { yieldToEventLoop } from '../../../src/runtime/pace.ts'
import { MemoryStorage } from '../../../src/storage/memory-storage.ts'
import { StorageError } from '../../../src/storage/storage.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { RecordingEvents } from '../../../src/testing/recording-events.ts'
import { batchOf, contents, FOLDER, openLog, reconfigure, reopenAfterCrash, T0 } from '../log-fixture.ts'

/** Size of a batch of one record. */
const BATCH = 78

/** Segments of one batch each, at consecutive milliseconds. */
const SEGMENT_EACH: Partial<LogConfig> = { segmentBytes: 80, retentionMs: -1 }

function logOfSegments(
  segmentCount: number,
  config: Partial<LogConfig> = {},
  { storage = new MemoryStorage(), observer = {} }: { storage?: MemoryStorage; observer?: Partial<BatchObserver> } = {}
) {
  const clock = new ManualClock()
  const removal = new Removal(storage, clock.deadline, new RecordingEvents())
  const log = openLog(storage, { ...SEGMENT_EACH, ...config }, { clocks: clock, removal, observer })
  for (let index = 0; index < segmentCount; index++) log.append(batchOf([T0 + BigInt(index)]), 0)
  return { storage, clock, removal, log }
}

const names = (storage: MemoryStorage, folder = FOLDER) => storage.list(folder).map(({ name }) => name)
const logNames = (storage: MemoryStorage) => names(storage).flatMap(name => /^0*(\d+\.log.*)$/.exec(name)?.[1] ?? [])

describe('old segments', () => {
  it('old segments get the suffix .deleted at once, with all their files, and are removed after the delay', async () => {
    const { storage, clock, removal, log } = logOfSegments(3, { fileDeleteDelayMs: 500 })
    storage.append(`${FOLDER}/00000000000000000000.txnindex`, Buffer.from('aborted'))
    storage.append(`${FOLDER}/00000000000000000000.snapshot`, Buffer.from('producers'))
    log.moveLogStart(1n)
    expect(log.deleteOldSegments()).toBe(1)
    expect(log.deleteOldSegments()).toBe(0)
    const gone = ['index', 'log', 'snapshot', 'timeindex', 'txnindex'].map(name => `00000000000000000000.${name}`)
    expect(names(storage)).toEqual(expect.arrayContaining(gone.map(name => `${name}.deleted`)))
    expect(names(storage)).not.toEqual(expect.arrayContaining(gone.slice(0, 1)))
    clock.advance(499)
    await removal.stop()
    expect(names(storage)).toEqual(expect.arrayContaining(gone.map(name => `${name}.deleted`)))
  })

  it('old segments are removed when the delay is over', async () => {
    const { storage, clock, log } = logOfSegments(3, { fileDeleteDelayMs: 500 })
    log.moveLogStart(2n)
    expect(log.deleteOldSegments()).toBe(2)
    clock.advance(500)
    await yieldToEventLoop()
    expect(names(storage).filter(name => name.endsWith('.deleted'))).toEqual([])
    expect(contents(log).map(({ baseOffset }) => baseOffset)).toEqual([2n])
  })

  it('old segments move the log start with them: reads before it are out of range', () => {
    const { log } = logOfSegments(4)
    reconfigure(log, { retentionBytes: 2 * BATCH })
    expect(log.deleteOldSegments()).toBe(2)
    expect(log).toMatchObject({ logStartOffset: 2n, firstSegmentOffset: 2n, logEndOffset: 4n })
    const limits = { maxBytes: 1000, upTo: 4n, minOneBatch: true }
    expect(() => log.read(1n, limits)).toThrow(expect.objectContaining({ code: 'OFFSET_OUT_OF_RANGE' }))
    expect(log.leaderEpochs.earliest).toEqual({ epoch: 0, startOffset: 2n })
  })

  it('old segments are all deleted after a new, empty segment exists', () => {
    const rolled: bigint[] = []
    const { storage, clock, log } = logOfSegments(2, {}, { observer: { rolled: offset => rolled.push(offset) } })
    rolled.length = 0
    reconfigure(log, { retentionMs: 1000 })
    clock.stepWall(1001)
    expect(log.deleteOldSegments()).toBe(1)
    clock.stepWall(1)
    expect(log.deleteOldSegments()).toBe(1)
    expect(log.deleteOldSegments()).toBe(0)
    expect(rolled).toEqual([2n])
    expect(logNames(storage)).toEqual(['0.log.deleted', '1.log.deleted', '2.log'])
    expect(log).toMatchObject({ logStartOffset: 2n, logEndOffset: 2n, sizeInBytes: 0 })
    expect(log.append(batchOf([T0]), 0)).toMatchObject({ baseOffset: 2n })
  })

  it('an idle active segment stays if only other segments are old', () => {
    const { clock, log } = logOfSegments(2)
    reconfigure(log, { retentionMs: 1000 })
    clock.stepWall(1001)
    expect(log.deleteOldSegments()).toBe(1)
    expect(log.segments.length).toBe(1)
  })

  it('new retention settings apply at the next check', () => {
    const { clock, log } = logOfSegments(3)
    clock.stepWall(10_000)
    expect(log.deleteOldSegments()).toBe(0)
    reconfigure(log, { retentionMs: 9_998, isDeleted: false })
    expect(log.deleteOldSegments()).toBe(0)
    reconfigure(log, { isDeleted: true })
    expect(log.deleteOldSegments()).toBe(2)
  })

  it('old segments without timestamps have the age of their files', () => {
    const clock = new ManualClock()
    const storage = new MemoryStorage({ now: () => clock.wall.now() })
    const log = openLog(storage, SEGMENT_EACH, { clocks: clock })
    log.append(batchOf([-1n]), 0)
    clock.stepWall(500)
    log.append(batchOf([-1n]), 0)
    clock.stepWall(501)
    const again = openLog(storage, { ...SEGMENT_EACH, retentionMs: 1000 }, { clocks: clock })
    expect([again.deleteOldSegments(), again.deleteOldSegments()]).toEqual([1, 0])
    clock.stepWall(500)
    expect(again.deleteOldSegments()).toBe(1)
  })

  it('old segments stay part of the log if a file cannot be renamed, and a later check deletes them', () => {
    let isRefused = false
    const refused = new StorageError('other', 'not allowed')
    const storage = new MemoryStorage({
      fault: ({ name, path }) =>
        isRefused && name === 'rename' && path.endsWith('1.log') ? { error: refused } : undefined
    })
    const { log } = logOfSegments(4, {}, { storage })
    log.moveLogStart(3n)
    isRefused = true
    expect(() => log.deleteOldSegments()).toThrow(refused)
    expect(logNames(storage)).toEqual(['0.log.deleted', '1.log', '2.log', '3.log'])
    isRefused = false
    log.deleteOldSegments()
    expect(contents(log).map(({ baseOffset }) => baseOffset)).toEqual([3n])
    const again = openLog(storage, SEGMENT_EACH, { logStartOffset: 3n })
    expect(contents(again).map(({ baseOffset }) => baseOffset)).toEqual([3n])
  })

  it('the removal of old segments does no harm if their folder was renamed before', async () => {
    const { storage, clock, log } = logOfSegments(2)
    log.moveLogStart(1n)
    log.deleteOldSegments()
    storage.rename(FOLDER, 't-0.0123-delete')
    clock.advance(60_000)
    await yieldToEventLoop()
    expect(names(storage, 't-0.0123-delete')).toContain('00000000000000000000.log.deleted')
  })

  it('old segments in great number are removed in parts', () => {
    const { log } = logOfSegments(50)
    log.moveLogStart(49n)
    expect([log.deleteOldSegments(), log.deleteOldSegments(), log.deleteOldSegments()]).toEqual([20, 20, 9])
    expect(log.segments.length).toBe(1)
  })
})

describe('a preallocated segment', () => {
  const PREALLOCATED: Partial<LogConfig> = { preallocate: true, segmentBytes: 1000 }
  const sizes = (storage: MemoryStorage) =>
    names(storage).flatMap(name => (name.endsWith('.log') ? [storage.size(`${FOLDER}/${name}`)] : []))

  it('a preallocated segment has its full size, and the unused part is truncated at the roll and at the close', async () => {
    const storage = new MemoryStorage()
    const log = openLog(storage, PREALLOCATED)
    expect(sizes(storage)).toEqual([1000])
    for (let index = 0; index < 15; index++) log.append(batchOf([T0]), 0)
    expect(sizes(storage)).toEqual([12 * BATCH, 1000])
    expect(log.sizeInBytes).toBe(15 * BATCH)
    expect(contents(log)).toHaveLength(15)
    await log.close()
    expect(sizes(storage)).toEqual([12 * BATCH, 3 * BATCH])
    const again = openLog(storage, PREALLOCATED)
    expect(contents(again)).toHaveLength(15)
    again.append(batchOf([T0]), 0)
    expect(sizes(storage)).toEqual([12 * BATCH, 4 * BATCH])
  })

  it('a preallocated part is not damage after a crash, and is truncated', async () => {
    const storage = new MemoryStorage()
    const log = openLog(storage, PREALLOCATED)
    for (let index = 0; index < 3; index++) log.append(batchOf([T0]), 0)
    const events = new RecordingEvents()
    const again = reopenAfterCrash(storage, PREALLOCATED, { events })
    expect(events.all).toEqual([])
    expect(sizes(storage)).toEqual([3 * BATCH])
    expect(again.logEndOffset).toBe(3n)
  })

  it('a torn batch in a preallocated segment is damage', () => {
    const storage = new MemoryStorage()
    const log = openLog(storage, PREALLOCATED)
    log.append(batchOf([T0]), 0)
    log.append(batchOf([T0]), 0)
    storage.tearLastAppend(40)
    storage.extend(`${FOLDER}/00000000000000000000.log`, 1000)
    const again = reopenAfterCrash(storage, PREALLOCATED)
    expect(contents(again).map(({ baseOffset }) => baseOffset)).toEqual([0n])
    expect(sizes(storage)).toEqual([BATCH])
  })

  it('a preallocation that a full disk refuses leaves the log unchanged', () => {
    const storage = new MemoryStorage({ capacityBytes: 1500 })
    const log = openLog(storage, PREALLOCATED)
    for (let index = 0; index < 12; index++) log.append(batchOf([T0]), 0)
    expect(() => log.append(batchOf([T0]), 0)).toThrow(expect.objectContaining({ kind: 'full' }))
    reconfigure(log, { preallocate: false })
    expect(log.append(batchOf([T0]), 0)).toMatchObject({ baseOffset: 12n })
  })
})
