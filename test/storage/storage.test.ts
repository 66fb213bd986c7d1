/** The contract of every implementation of the storage port. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { seededRandom } from '../../src/runtime/random.ts'
import { MemoryStorage } from '../../src/storage/memory-storage.ts'
import { NodeStorage } from '../../src/storage/node-storage.ts'
import { replaceFile, replaceFileSynced, type Storage, StorageError } from '../../src/storage/storage.ts'

const cleanups: (() => void)[] = []
afterEach(() => {
  for (const cleanup of cleanups.splice(0)) cleanup()
})

function onDisk(openFilesLimit: number): NodeStorage {
  const root = mkdtempSync(join(tmpdir(), 'minikafka-storage-'))
  const storage = new NodeStorage(root, openFilesLimit)
  cleanups.push(() => {
    storage.close()
    rmSync(root, { recursive: true })
  })
  return storage
}

const implementations: [string, () => Storage][] = [
  ['node', () => onDisk(512)],
  ['node with room for one open file', () => onDisk(1)],
  ['memory', () => new MemoryStorage()],
  ['memory that can lose power', () => new MemoryStorage({ canLosePower: true })]
]

describe.each(implementations)('storage: %s', (_name, create) => {
  test('a read returns bytes from the position at which they were appended', () => {
    const storage = create()
    storage.append('a', Buffer.from('hello '))
    storage.append('b', Buffer.from('elsewhere'))
    storage.append('a', Buffer.from('world'))
    expect(storage.size('a')).toBe(11)
    expect(storage.read('a', 0, 11).toString()).toBe('hello world')
    expect(storage.read('a', 4, 4).toString()).toBe('o wo')
  })

  test('a read past the end returns the bytes up to the end', () => {
    const storage = create()
    storage.append('a', Buffer.from('hello'))
    expect(storage.read('a', 3, 100).toString()).toBe('lo')
    expect(storage.read('a', 5, 1)).toHaveLength(0)
    expect(storage.read('a', 50, 1)).toHaveLength(0)
  })

  test('a read into a buffer returns a view of it and leaves the rest of it unchanged', () => {
    const storage = create()
    storage.append('a', Buffer.alloc(300, 'x'))
    storage.append('a', Buffer.alloc(3000, 'y'))
    storage.extend('a', 4000)
    const into = Buffer.alloc(5000, 'z')
    const bytes = storage.read('a', 200, 4500, into)
    expect(bytes.buffer).toBe(into.buffer)
    expect(into.toString('latin1')).toBe('x'.repeat(100) + 'y'.repeat(3000) + '\0'.repeat(700) + 'z'.repeat(1200))
    expect(bytes).toHaveLength(3800)
    expect(storage.read('a', 5000, 10, into)).toHaveLength(0)
  })

  test('an appended buffer may be reused by its owner', () => {
    const storage = create()
    const bytes = Buffer.from('before')
    storage.append('a', bytes)
    bytes.fill(0)
    expect(storage.read('a', 0, 6).toString()).toBe('before')
  })

  test('a truncated file is appended to at its new end, and earlier reads keep their bytes', () => {
    const storage = create()
    storage.append('a', Buffer.from('hello world'))
    const earlier = storage.read('a', 0, 11)
    storage.truncate('a', 5)
    storage.truncate('a', 100)
    storage.append('a', Buffer.from(', you'))
    expect(storage.read('a', 0, 100).toString()).toBe('hello, you')
    expect(earlier.toString()).toBe('hello world')
  })

  test('a preallocated file is written at the end of its bytes, and truncated to the used part', () => {
    const storage = create()
    storage.append('a', Buffer.from('he'))
    storage.extend('a', 10)
    storage.extend('a', 5)
    expect(storage.size('a')).toBe(10)
    expect(storage.read('a', 0, 20)).toEqual(Buffer.from('he\0\0\0\0\0\0\0\0'))
    storage.append('a', Buffer.from('llo'), 2)
    expect(storage.size('a')).toBe(10)
    expect(storage.read('a', 1, 6)).toEqual(Buffer.from('ello\0\0'))
    storage.append('a', Buffer.from(' world!'), 5)
    expect(storage.size('a')).toBe(12)
    storage.extend('a', 20)
    storage.truncate('a', 12)
    expect(storage.read('a', 0, 20).toString()).toBe('hello world!')
  })

  test('a file can get the modification time of another file', () => {
    const storage = create()
    storage.append('a', Buffer.from('x'))
    storage.setModified('a', 1_600_000_000_123)
    expect(storage.modifiedMs('a')).toBe(1_600_000_000_123)
    expect(() => storage.modifiedMs('missing')).toThrow(StorageError)
  })

  test('a file equals a plain buffer after random appends, truncations and reads', () => {
    const storage = create()
    const random = seededRandom(7)
    let model = Buffer.alloc(0)
    for (let step = 0; step < 200; step++) {
      const bytes = random.bytes(random.below(700))
      storage.append('f', bytes)
      model = Buffer.concat([model, bytes])
      if (random.below(5) === 0) {
        const size = random.below(model.length + 1)
        storage.truncate('f', size)
        model = model.subarray(0, size)
      }
      const position = random.below(model.length + 10)
      const length = random.below(2000)
      expect(storage.read('f', position, length)).toEqual(model.subarray(position, position + length))
    }
  })

  test('a directory is created with its parents and lists its entries in order', () => {
    const storage = create()
    storage.makeDirectory('t-0/inner')
    storage.makeDirectory('t-0')
    storage.append('t-0/b', Buffer.from('x'))
    storage.append('t-0/a', Buffer.alloc(0))
    expect(storage.list('t-0')).toEqual([
      { name: 'a', kind: 'file' },
      { name: 'b', kind: 'file' },
      { name: 'inner', kind: 'directory' }
    ])
    expect(storage.list('')).toEqual([{ name: 't-0', kind: 'directory' }])
    expect(storage.list('nowhere')).toEqual([])
  })

  test('a renamed directory keeps its files', () => {
    const storage = create()
    storage.makeDirectory('old/deep')
    storage.append('old/f', Buffer.from('data'))
    storage.append('old/deep/f', Buffer.from('below'))
    storage.rename('old', 'new')
    expect(storage.read('new/deep/f', 0, 10).toString()).toBe('below')
    storage.makeDirectory('old')
    storage.append('old/f', Buffer.from('fresh'))
    expect(storage.read('new/f', 0, 10).toString()).toBe('data')
    expect(storage.read('old/f', 0, 10).toString()).toBe('fresh')
  })

  test('a renamed file replaces the file that had the name', () => {
    const storage = create()
    storage.append('from', Buffer.from('new'))
    storage.append('to', Buffer.from('old content'))
    storage.rename('from', 'to')
    expect(storage.read('to', 0, 100).toString()).toBe('new')
    expect(storage.exists('from')).toBe(false)
  })

  test('a removal deletes files and whole directories, and accepts missing ones', async () => {
    const storage = create()
    storage.makeDirectory('d/e')
    storage.append('d/e/f', Buffer.from('x'))
    storage.append('g', Buffer.from('x'))
    storage.removeNow('d')
    await storage.remove('g')
    storage.removeNow('nothing')
    await storage.remove('nothing')
    expect(storage.list('')).toEqual([])
    expect(storage.exists('d/e/f')).toBe(false)
  })

  test('a file does not replace a directory, nor a directory a file', () => {
    const storage = create()
    storage.makeDirectory('d')
    storage.append('f', Buffer.from('x'))
    expect(() => storage.append('d', Buffer.from('x'))).toThrow(StorageError)
    expect(() => storage.append('f/g', Buffer.from('x'))).toThrow(StorageError)
    expect(() => storage.makeDirectory('f')).toThrow(StorageError)
    expect(storage.list('')).toEqual([
      { name: 'd', kind: 'directory' },
      { name: 'f', kind: 'file' }
    ])
  })

  test('a replaced file has the new content and leaves no temporary file', async () => {
    const storage = create()
    replaceFile(storage, 'f', Buffer.from('one'))
    await replaceFileSynced(storage, 'f', Buffer.from('three'))
    expect(storage.read('f', 0, 10).toString()).toBe('three')
    replaceFile(storage, 'f', Buffer.from('2'))
    expect(storage.read('f', 0, 10).toString()).toBe('2')
    expect(storage.list('')).toHaveLength(1)
  })

  test('a file or directory can be synced, also while it is renamed or removed', async () => {
    const storage = create()
    storage.makeDirectory('d')
    storage.append('d/f', Buffer.from('x'))
    storage.syncNow('d/f')
    storage.syncNow('d')
    const syncing = [storage.sync('d/f'), storage.sync('d'), storage.sync('d/f')]
    storage.rename('d', 'e')
    storage.removeNow('e')
    await Promise.all(syncing)
  })

  test.each([
    ['read', (storage: Storage) => storage.read('missing', 0, 1)],
    ['size', (storage: Storage) => storage.size('missing')],
    ['truncate', (storage: Storage) => storage.truncate('missing', 0)],
    ['rename', (storage: Storage) => storage.rename('missing', 'there')],
    ['append', (storage: Storage) => storage.append('missing/file', Buffer.from('x'))],
    ['syncNow', (storage: Storage) => storage.syncNow('missing')]
  ])('operation %s on a missing path throws a StorageError and creates no file', (_operation, act) => {
    const storage = create()
    expect(() => act(storage)).toThrow(StorageError)
    expect(storage.list('')).toEqual([])
  })
})
