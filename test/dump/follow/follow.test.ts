/** Logs that grow, roll, are truncated and lose files between two polls. */
import { describe, expect, it } from 'vitest'
import { Follower, unfollowable } from '../../../src/dump/follow/follow.ts'
import { jsonOf, textOf } from '../../../src/dump/items.ts'
import type { DumpOptions } from '../../../src/dump/options.ts'
import { writeTopicId } from '../../../src/log/partition-folder.ts'
import { buildBatch } from '../../../src/protocol/records/builder.ts'
import { seededRandom } from '../../../src/runtime/random.ts'
import { MemoryStorage } from '../../../src/storage/memory-storage.ts'
import { StorageError } from '../../../src/storage/storage.ts'
import { options } from '../folder.ts'

/** A log that a test writes by hand. */
class Log {
  readonly storage: MemoryStorage
  readonly folder: string
  readonly #follower: Follower
  #base = 0
  #next = 0n

  constructor(given: DumpOptions = options(), storage = new MemoryStorage(), folder = 'data/t-0') {
    this.storage = storage
    this.folder = folder
    storage.makeDirectory(folder)
    this.#follower = new Follower(['data'], given)
  }

  path(base = this.#base): string {
    return `${this.folder}/${String(base).padStart(20, '0')}.log`
  }

  bytes(value = 'v', count = 1): Buffer {
    const records = Array.from({ length: count }, () => ({
      timestamp: 1n,
      key: Buffer.from('k'),
      value: Buffer.from(value)
    }))
    const { bytes, nextOffset } = buildBatch(records, { baseOffset: this.#next })
    this.#next = nextOffset
    return bytes
  }

  append(count = 1): this {
    this.storage.append(this.path(), this.bytes('v', count))
    return this
  }

  roll(): this {
    this.#base = Number(this.#next)
    return this
  }

  cut(position: number, offset: bigint): this {
    this.storage.truncate(this.path(), position)
    this.#next = offset
    return this
  }

  /** Lines of one poll; of batches their base offset. */
  look(): string[] {
    return [...this.#follower.round(this.storage)].map(textOf).map(line => /^baseOffset: \d+/.exec(line)?.[0] ?? line)
  }
}

it('follow shows the existing batches, and then new ones', () => {
  const log = new Log().append(2).append()
  expect(log.look()).toEqual([`Dumping ${log.path()}`, 'Log starting offset: 0', 'baseOffset: 0', 'baseOffset: 2'])
  expect(log.look()).toEqual([])
  log.append().append()
  expect(log.look()).toEqual(['baseOffset: 3', 'baseOffset: 4'])
})

it('follow continues in new segments, and in partitions that are created later', () => {
  const log = new Log().append()
  log.look()
  log.append().roll().append()
  expect(log.look()).toEqual(['baseOffset: 1', `Dumping ${log.path()}`, 'Log starting offset: 2', 'baseOffset: 2'])
  const other = new Log(options(), log.storage, 'data/u-0').append()
  expect(log.look()).toEqual([`Dumping ${other.path()}`, 'Log starting offset: 0', 'baseOffset: 0'])
  log.append()
  expect(log.look()).toEqual([`Dumping ${log.path()}`, 'baseOffset: 3'])
})

describe('a topic that is deleted and created again', () => {
  const IDS = ['J5MVhC4LQ4u3oPUZ3z2vyA', 'K5MVhC4LQ4u3oPUZ3z2vyA']
  const made = (id: string | undefined, log = new Log()) => {
    if (id !== undefined) writeTopicId(log.storage, log.folder, id)
    return log
  }
  function remade(old: Log): Log {
    const aside = `${old.folder}.${'0'.repeat(32)}-delete`
    old.storage.rename(old.folder, aside)
    return made(IDS[1], new Log(options(), old.storage))
  }
  const ANEW = 'data/t-0: the topic was recreated; the new log is shown from its beginning'

  it.each([
    ['less', 3, 1],
    ['as much', 1, 1],
    ['more', 1, 3]
  ])('a new topic is shown from its beginning if it has %s than the old one', (_, before, after) => {
    const log = made(IDS[0])
    for (let count = 0; count < before; count++) log.append()
    log.look()
    const other = remade(log)
    for (let count = 0; count < after; count++) other.storage.append(other.path(), other.bytes('w'))
    const shown = Array.from({ length: after }, (_, offset) => `baseOffset: ${offset}`)
    expect(log.look()).toEqual([ANEW, ...shown])
    other.append()
    expect(log.look()).toEqual([`baseOffset: ${after}`])
  })

  it('a topic without a log file is waited for, and the folder of the deleted topic is not shown again', () => {
    const log = made(IDS[0]).append().append()
    log.look()
    const other = remade(log)
    expect(log.look()).toEqual([])
    other.append()
    expect(log.look()).toEqual([ANEW, 'baseOffset: 0'])
  })

  it('a topic with the same id in its folder is a truncated one, even if the id is written late', () => {
    const log = new Log().append().append()
    log.look()
    made(IDS[0], log).cut(70, 1n)
    expect(log.look()).toEqual([expect.stringMatching(/truncated from offset 2 to 1$/)])
  })
})

it('follow reports paths that it cannot follow', () => {
  const { storage, folder } = new Log().append()
  storage.append(`${folder}/00000000000000000000.index`, Buffer.alloc(8))
  storage.append('data/notes.txt', Buffer.alloc(8))
  const said = (path: string) => unfollowable(storage, path)?.text
  expect(said(`${folder}/00000000000000000000.index`)).toMatch(
    /index: --follow reads only the \.log files of partitions$/
  )
  expect(said('data/notes.txt')).toMatch(/only the \.log files/)
  expect(said('data/gone')).toMatch(/does not exist/)
  expect(['data', folder, `${folder}/00000000000000000000.log`].map(said)).toEqual([undefined, undefined, undefined])
})

it('follow reports once that a folder cannot be read', () => {
  const log = new Log().append()
  log.storage.makeDirectory('data/shut-0')
  const list = log.storage.list.bind(log.storage)
  log.storage.list = path => {
    if (path === 'data/shut-0') throw new StorageError('other', `${path}: EACCES: permission denied`)
    return list(path)
  }
  expect(log.look()).toEqual(expect.arrayContaining(['data/shut-0: EACCES: permission denied', 'baseOffset: 0']))
  expect(log.look()).toEqual([])
})

it('follow begins with the given file', () => {
  const log = new Log().append().roll().append()
  const follower = new Follower([log.path()], options())
  expect([...follower.round(log.storage)].map(textOf)[1]).toBe('Log starting offset: 1')
  log.roll().append()
  expect([...follower.round(log.storage)].map(textOf)[1]).toBe('Log starting offset: 2')
})

it('follow waits for the rest of a batch, and for batches in place of zeros', () => {
  const log = new Log().append()
  log.look()
  const second = log.bytes('x'.repeat(100))
  log.storage.append(log.path(), second.subarray(0, 90))
  expect(log.look()).toEqual([])
  log.storage.append(log.path(), second.subarray(90))
  expect(log.look()).toEqual(['baseOffset: 1'])
  log.storage.append(log.path(), Buffer.alloc(5000))
  expect(log.look()).toEqual([])
})

it('follow shows a batch with a wrong checksum once it has stayed the same', () => {
  const log = new Log().append()
  log.look()
  const damaged = log.bytes()
  damaged.writeUInt8(0xff, damaged.length - 1)
  log.storage.append(log.path(), damaged)
  expect(log.look()).toEqual([])
  expect(log.look()).toEqual(['baseOffset: 1'])
})

it('follow skips damage once valid batches follow, and reports it', () => {
  const log = new Log().append()
  log.look()
  log.storage.append(log.path(), Buffer.alloc(100, 0xee))
  expect(log.look()).toEqual([])
  log.append()
  expect(log.look()).toEqual([expect.stringMatching(/position 70: .* skipped 100 bytes/), 'baseOffset: 1'])
})

it('follow reports a torn end of a segment if a newer segment follows', () => {
  const log = new Log().append()
  log.storage.append(log.path(), Buffer.alloc(10))
  log.roll().append()
  expect(log.look().slice(2, 4)).toEqual([
    'baseOffset: 0',
    `Found 10 invalid bytes at the end of ${'0'.repeat(20)}.log`
  ])
})

it('follow reports that a log was truncated, and shows the batches that replace the end', () => {
  const log = new Log().append().append().append()
  const size = log.storage.size(log.path()) / 3
  log.look()
  log.cut(size, 1n)
  expect(log.look()).toEqual(['data/t-0: the log was truncated from offset 3 to 1'])
  log.append(5)
  expect(log.look()).toEqual(['baseOffset: 1'])
  // Truncated and extended between two polls, so that the file is no shorter.
  log.cut(size, 1n).append(9).append(9)
  expect(log.look()).toEqual([
    'data/t-0: files were replaced or deleted; continues at offset 6',
    'baseOffset: 1',
    'baseOffset: 10'
  ])
})

it('follow continues after the deletion of old segments, shown or not', () => {
  const log = new Log().append()
  log.look()
  const first = log.path()
  log.append().roll()
  const second = log.path()
  log.append().roll().append()
  log.storage.removeNow(first)
  log.storage.removeNow(second)
  expect(log.look()).toEqual([
    'data/t-0: offsets 1 to 2 were deleted before they were read',
    `Dumping ${log.path()}`,
    'Log starting offset: 3',
    'baseOffset: 3'
  ])
  for (const { name } of log.storage.list(log.folder)) log.storage.removeNow(`${log.folder}/${name}`)
  expect(log.look()).toEqual([])
})

it('follow finds its offset again in segments that compaction has replaced', () => {
  const log = new Log().append().append().append()
  log.look()
  const old = log.path()
  const rest = [log.bytes(), log.bytes()]
  log.roll().append()
  // The first three batches are gone; the two that were not shown stay.
  log.storage.removeNow(old)
  log.storage.append(old, Buffer.concat(rest))
  expect(log.look().slice(0, 4)).toEqual([
    'data/t-0: files were replaced or deleted; continues at offset 3',
    'baseOffset: 3',
    'baseOffset: 4',
    `Dumping ${log.path()}`
  ])
})

it('follow shows only the requested batches, as JSON too', () => {
  const log = new Log(options({ print: true, filter: { fromOffset: 2n, key: 'k' } }), new MemoryStorage())
    .append()
    .append()
  expect(log.look()).toEqual([])
  log.append()
  expect(log.look()).toHaveLength(4)
  const other = new Log().append()
  for (const item of new Follower(['data'], options({ print: true })).round(other.storage)) JSON.parse(jsonOf(item))
})

it('follow shows every batch once, in any order of polls, appends and rolls', () => {
  const random = seededRandom(3)
  const log = new Log()
  const seen: string[] = []
  let written = 0
  for (let step = 0; step < 2000; step++) {
    const choice = random.below(5)
    if (choice === 0) seen.push(...log.look().filter(line => line.startsWith('baseOffset')))
    else if (choice === 1 && log.storage.exists(log.path())) log.roll()
    else {
      log.append()
      written++
    }
  }
  seen.push(...log.look().filter(line => line.startsWith('baseOffset')))
  expect(seen).toEqual(Array.from({ length: written }, (_, offset) => `baseOffset: ${offset}`))
})
