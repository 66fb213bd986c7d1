import { describe, expect, it } from 'vitest'
import { BufferPool, RequestBuffers } from '../../src/storage/buffer-pool.ts'

const MIB = 1024 * 1024

describe('BufferPool', () => {
  it('a lent buffer shares no memory with other lent buffers', () => {
    const pool = new BufferPool()
    const buffers = [100, 100, 20_000, MIB].map(length => pool.lend(length))
    expect(new Set(buffers.map(({ buffer }) => buffer)).size).toBe(4)
  })

  it('a buffer that was given back is lent again to a read of a similar length', () => {
    const pool = new BufferPool()
    const first = pool.lend(MIB)
    pool.giveBack(first)
    expect(pool.lend(MIB - 1000).buffer).toBe(first.buffer)
    expect(pool.lend(MIB).buffer).not.toBe(first.buffer)
  })

  it('at most a quarter of a lent buffer is unused', () => {
    const pool = new BufferPool()
    for (let length = 16_384; length < 300_000_000; length = Math.ceil(length * 1.07)) {
      const before = pool.lentBytes
      new RequestBuffers(pool).take(length)
      expect(pool.lentBytes - before).toBeGreaterThanOrEqual(length)
      expect(pool.lentBytes - before).toBeLessThanOrEqual(length * 1.25)
    }
  })

  it('the pool keeps free buffers up to its limit, and first drops sizes that are no longer used', () => {
    const pool = new BufferPool({ maxFreeBytes: 3 * MIB })
    const [old, ...others] = [2 * MIB, MIB, MIB, MIB].map(length => pool.lend(length))
    for (const buffer of [old, ...others]) if (buffer) pool.giveBack(buffer)
    expect(pool.freeBytes).toBe(3 * MIB)
    expect(pool.lentBytes).toBe(0)
    expect(others.map(({ buffer }) => buffer)).toContain(pool.lend(MIB).buffer)
    expect(pool.lend(2 * MIB).buffer).not.toBe(old?.buffer)
  })

  it('the tests of this run read overwritten bytes if they keep a view of a buffer that was given back', () => {
    const pool = new BufferPool()
    const buffer = pool.lend(20_000).fill('x')
    pool.giveBack(buffer)
    expect(buffer.every(byte => byte === 0xa5)).toBe(true)
  })
})

describe('RequestBuffers', () => {
  it('a buffer of a request has the requested length', () => {
    expect(new RequestBuffers(new BufferPool()).take(100_001)).toHaveLength(100_001)
  })

  it('a release gives back all buffers of a request once', () => {
    const pool = new BufferPool()
    const first = new RequestBuffers(pool)
    const second = new RequestBuffers(pool)
    first.take(MIB)
    first.take(20_000)
    first.release()
    expect(pool.lentBytes).toBe(0)
    second.take(MIB)
    const { lentBytes } = pool
    first.release()
    expect(pool.lentBytes).toBe(lentBytes)
  })
})
