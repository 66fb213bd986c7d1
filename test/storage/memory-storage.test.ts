import { describe, expect, test } from 'vitest'
import { seededRandom } from '../../src/runtime/random.ts'
import type { NamesLost } from '../../src/storage/memory-folder.ts'
import { MemoryStorage } from '../../src/storage/memory-storage.ts'
import { appendWhole, replaceFile, replaceFileSynced, StorageError } from '../../src/storage/storage.ts'

describe('simulated faults', () => {
  test('a power loss removes unsynced bytes, file by file', () => {
    const storage = new MemoryStorage()
    storage.append('a', Buffer.from('safe'))
    storage.syncNow('a')
    storage.append('a', Buffer.from(' lost'))
    storage.append('b', Buffer.from('lost'))
    storage.loseUnsynced()
    expect(storage.read('a', 0, 100).toString()).toBe('safe')
    expect(storage.size('b')).toBe(0)
  })

  test('a truncated file is never longer after a power loss than its truncated size', () => {
    const storage = new MemoryStorage()
    storage.append('a', Buffer.from('safe'))
    storage.syncNow('a')
    storage.truncate('a', 2)
    storage.append('a', Buffer.from('xyz'))
    storage.loseUnsynced()
    expect(storage.read('a', 0, 100).toString()).toBe('sa')
  })

  test('a power loss can tear the last append', () => {
    const storage = new MemoryStorage()
    storage.append('a', Buffer.from('whole,'))
    storage.append('a', Buffer.from('torn'))
    storage.tearLastAppend(2)
    expect(storage.read('a', 0, 100).toString()).toBe('whole,to')
  })

  test('any operation can be made to fail by its number', () => {
    const broken = new StorageError('failed', 'broken')
    for (const failing of [1, 2, 3]) {
      const storage = new MemoryStorage({ fault: ({ number }) => (number === failing ? { error: broken } : undefined) })
      const steps = [
        () => storage.append('a', Buffer.from('abc')),
        () => storage.syncNow('a'),
        () => storage.truncate('a', 0)
      ]
      for (const [index, step] of steps.entries()) {
        if (index + 1 === failing) expect(step).toThrow(broken)
        else if (failing > 1) step()
        else break
      }
    }
  })

  test('an append that fails leaves the part that it wrote, and appendWhole removes that part', () => {
    const full = new StorageError('full', 'no room')
    const storage = new MemoryStorage({
      fault: ({ name, path }) => (name === 'append' && path === 'b' ? { error: full, writtenBytes: 2 } : undefined)
    })
    expect(() => storage.append('b', Buffer.from('abcd'))).toThrow(full)
    expect(storage.size('b')).toBe(2)
    expect(() => appendWhole(storage, 'b', 2, Buffer.from('abcd'))).toThrow(full)
    expect(storage.size('b')).toBe(2)
  })

  test('a file that cannot be truncated after a failed append has failed', () => {
    const full = new StorageError('full', 'no room')
    const storage = new MemoryStorage({
      fault: ({ name }) => (name === 'read' ? undefined : { error: full, writtenBytes: 1 })
    })
    expect(() => appendWhole(storage, 'b', 0, Buffer.from('abcd'))).toThrow(expect.objectContaining({ kind: 'failed' }))
  })

  test('a full storage accepts the bytes that fit, and has room again after a removal', () => {
    const storage = new MemoryStorage({ capacityBytes: 10 })
    storage.append('a', Buffer.alloc(8))
    expect(() => storage.append('b', Buffer.alloc(4))).toThrow(expect.objectContaining({ kind: 'full' }))
    expect(storage.size('b')).toBe(2)
    storage.removeNow('a')
    storage.append('b', Buffer.alloc(8))
    expect(storage.size('b')).toBe(10)
  })
})

describe('a loss of power', () => {
  const SEEDS = 64

  /** Contents of the files after each of many losses of power, in alphabetical order. */
  async function outcomes(
    script: (storage: MemoryStorage) => void | Promise<void>,
    names: NamesLost = 'any'
  ): Promise<string[]> {
    const found = new Set<string>()
    for (let seed = 1; seed <= SEEDS; seed++) {
      const storage = new MemoryStorage({ canLosePower: true })
      await script(storage)
      const left = storage.losePower(seededRandom(seed), names)
      const files = left.list('').map(({ name, kind }) => {
        return kind === 'file' ? `${name}=${left.read(name, 0, 100)}` : `${name}/${left.list(name).map(e => e.name)}`
      })
      found.add(files.join(' '))
    }
    return [...found].sort()
  }

  test('a loss of power truncates each file independently anywhere after its synced bytes', async () => {
    const script = (storage: MemoryStorage) => {
      for (const name of ['a', 'b']) {
        storage.append(name, Buffer.from('S'))
        storage.syncNow(name)
        storage.append(name, Buffer.from('u'))
      }
      storage.syncNow('')
    }
    expect(await outcomes(script)).toEqual(['a=S b=S', 'a=S b=Su', 'a=Su b=S', 'a=Su b=Su'])
  })

  test('a loss of power may restore truncated bytes unless the truncation was synced', async () => {
    const script = (storage: MemoryStorage) => {
      storage.append('a', Buffer.from('good bad'))
      storage.syncNow('a')
      storage.syncNow('')
      storage.truncate('a', 4)
    }
    expect(await outcomes(script)).toEqual(['a=good', 'a=good bad'])
    const synced = (storage: MemoryStorage) => {
      script(storage)
      storage.syncNow('a')
    }
    expect(await outcomes(synced)).toEqual(['a=good'])
  })

  test('a loss of power leaves files that accept appends', async () => {
    for (let seed = 1; seed <= SEEDS; seed++) {
      const storage = new MemoryStorage({ canLosePower: true })
      storage.append('a', Buffer.from('good bad'))
      storage.syncNow('a')
      storage.syncNow('')
      storage.append('a', Buffer.from(' worse'))
      storage.truncate('a', 4)
      const left = storage.losePower(seededRandom(seed), 'any')
      const before = left.read('a', 0, 100).toString()
      expect(['good', 'good bad']).toContain(before)
      left.append('a', Buffer.from(' new'))
      expect(left.read('a', 0, 100).toString()).toBe(`${before} new`)
    }
  })

  test('a loss of power may undo the creation or removal of each name until its directory is synced', async () => {
    const script = (storage: MemoryStorage) => {
      storage.makeDirectory('d')
      storage.append('d/old', Buffer.from('x'))
      storage.syncNow('d')
      storage.syncNow('')
      storage.append('d/new', Buffer.from('x'))
      storage.removeNow('d/old')
    }
    expect(await outcomes(script)).toEqual(['d/', 'd/new', 'd/new,old', 'd/old'])
    expect(await outcomes(script, 'the last')).toEqual(['d/new', 'd/new,old', 'd/old'])
    const synced = (storage: MemoryStorage) => {
      script(storage)
      storage.syncNow('d')
    }
    expect(await outcomes(synced)).toEqual(['d/new'])
  })

  test('a loss of power leaves a rename done or undone as a whole', async () => {
    const script = (storage: MemoryStorage) => {
      replaceFile(storage, 'f', Buffer.from('1'))
      storage.syncNow('f')
      storage.syncNow('')
      storage.append('f.new', Buffer.from('2'))
      storage.syncNow('f.new')
      storage.rename('f.new', 'f')
    }
    expect(await outcomes(script)).toEqual(['f=1', 'f=1 f.new=2', 'f=2'])
  })

  test('a loss of power may empty a file that was renamed before its sync, but not a file that was synced first', async () => {
    expect(await outcomes(storage => replaceFile(storage, 'f', Buffer.from('1')))).toContain('f=')
    expect(await outcomes(storage => replaceFileSynced(storage, 'f', Buffer.from('1')))).toEqual(['f=1'])
  })

  test('a loss of power may remove a directory whose name was not synced, and may leave any part of a removed one', async () => {
    const made = (storage: MemoryStorage) => {
      storage.makeDirectory('d')
      storage.append('d/f', Buffer.from('x'))
      storage.syncNow('d/f')
      storage.syncNow('d')
    }
    expect(await outcomes(made)).toEqual(['', 'd/f'])
    const removed = (storage: MemoryStorage) => {
      made(storage)
      storage.syncNow('')
      storage.removeNow('d')
    }
    expect(await outcomes(removed)).toEqual(['', 'd/', 'd/f'])
  })

  test('a loss of power ends the process: later operations of its code are refused', () => {
    const storage = new MemoryStorage({ capacityBytes: 5 })
    storage.append('a', Buffer.from('abc'))
    const next = storage.die()
    expect(() => storage.append('a', Buffer.from('d'))).toThrow(StorageError)
    expect(next.read('a', 0, 10).toString()).toBe('abc')
    expect(() => next.append('a', Buffer.from('def'))).toThrow(expect.objectContaining({ kind: 'full' }))
  })
})
