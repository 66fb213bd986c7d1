import { describe, expect, test } from 'vitest'
import { MemoryStorage } from '../../src/log/memory-storage.ts'
import { appendWhole, StorageError } from '../../src/log/storage.ts'

describe('rehearsed faults', () => {
  test('power loss takes what was not synced, file by file', () => {
    const storage = new MemoryStorage()
    storage.append('a', Buffer.from('safe'))
    storage.syncNow('a')
    storage.append('a', Buffer.from(' lost'))
    storage.append('b', Buffer.from('lost'))
    storage.loseUnsynced()
    expect(storage.read('a', 0, 100).toString()).toBe('safe')
    expect(storage.size('b')).toBe(0)
  })

  test('a cut file is never longer after power loss than it was cut', () => {
    const storage = new MemoryStorage()
    storage.append('a', Buffer.from('safe'))
    storage.syncNow('a')
    storage.truncate('a', 2)
    storage.append('a', Buffer.from('xyz'))
    storage.loseUnsynced()
    expect(storage.read('a', 0, 100).toString()).toBe('sa')
  })

  test('the last append can be torn', () => {
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

  test('an append that fails part way leaves its part, and appendWhole takes it away again', () => {
    const full = new StorageError('full', 'no room')
    const storage = new MemoryStorage({
      fault: ({ name, path }) => (name === 'append' && path === 'b' ? { error: full, writtenBytes: 2 } : undefined)
    })
    expect(() => storage.append('b', Buffer.from('abcd'))).toThrow(full)
    expect(storage.size('b')).toBe(2)
    expect(() => appendWhole(storage, 'b', 0, Buffer.from('abcd'))).toThrow(full)
    expect(storage.size('b')).toBe(0)
  })

  test('a file that cannot be cut back after a failed append is a failed one', () => {
    const full = new StorageError('full', 'no room')
    const storage = new MemoryStorage({
      fault: ({ name }) => (name === 'read' ? undefined : { error: full, writtenBytes: 1 })
    })
    expect(() => appendWhole(storage, 'b', 0, Buffer.from('abcd'))).toThrow(expect.objectContaining({ kind: 'failed' }))
  })

  test('a full storage takes what fits, and has room again after a removal', () => {
    const storage = new MemoryStorage({ capacityBytes: 10 })
    storage.append('a', Buffer.alloc(8))
    expect(() => storage.append('b', Buffer.alloc(4))).toThrow(expect.objectContaining({ kind: 'full' }))
    expect(storage.size('b')).toBe(2)
    storage.removeNow('a')
    storage.append('b', Buffer.alloc(8))
    expect(storage.size('b')).toBe(10)
  })
})
