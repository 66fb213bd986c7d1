/** Memory of responses on real sockets: it is used again only when no socket needs it. */
import type { Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import type { Dispatch } from '../../src/net/dispatch.ts'
import { deferred } from '../../src/runtime/deferred.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import { BufferPool, RequestBuffers } from '../../src/storage/buffer-pool.ts'
import { Client } from './client.ts'
import { start } from './server-fixture.ts'

/** The kernel does not take a response of this size for a client that does not read. */
const LARGE_BYTES = 16_000_000

/**
 * Answers a request `LETTER SIZE PARTS` with SIZE letters in PARTS buffers of the pool, as Fetch answers with the records of
 * several partitions.
 */
function lending(pool: BufferPool): Dispatch {
  return async frame => {
    const [letter = '', size = '', parts = ''] = frame.toString('latin1').split(' ')
    const memory = new RequestBuffers(pool)
    const partBytes = Math.ceil(Number(size) / Number(parts))
    const response: Buffer[] = [Buffer.alloc(4)]
    response[0]?.writeInt32BE(Number(size))
    for (let left = Number(size); left > 0; left -= partBytes) {
      response.push(memory.take(Math.min(left, partBytes)).fill(letter))
    }
    return { response, muteMs: 0, memory }
  }
}

function isAll(letter: string, body: string | undefined): boolean {
  return body !== undefined && body === letter.repeat(body.length)
}

/** Reads a response from a paused socket. Returns its number of bytes if all are the letter. */
async function readAll(socket: Socket, letter: string): Promise<number> {
  const expected = Buffer.alloc(65_536, letter)
  let position = 0
  let differs = false
  const { promise, resolve } = deferred<void>()
  socket.removeAllListeners('data')
  socket.on('data', chunk => {
    const body = chunk.subarray(Math.max(0, 4 - position))
    position += chunk.length
    for (let at = 0; at < body.length; at += expected.length) {
      const piece = body.subarray(at, at + expected.length)
      if (!piece.equals(expected.subarray(0, piece.length))) differs = true
    }
    if (position >= 4 + LARGE_BYTES) resolve()
  })
  socket.resume()
  await promise
  return differs ? -1 : position - 4
}

/** Exchanges requests of a few bytes until all memory but `bytes` has returned. */
async function returned(pool: BufferPool, client: Client, bytes = 0): Promise<void> {
  for (let round = 0; round < 10_000; round++) {
    if (pool.lentBytes === bytes) return
    client.send('o 1 1')
    await client.receive()
  }
  throw new Error(`${pool.lentBytes} bytes have not returned`)
}

describe('the memory of a response', () => {
  it.each([1, 7, 100])('stays in use until the client has read a response of %i parts', async parts => {
    const pool = new BufferPool({ overwritesReturned: true })
    const { port } = await start(lending(pool))
    const slow = await Client.connect(port)
    slow.socket.pause()
    slow.send(`s ${LARGE_BYTES} ${parts}`)
    const other = await Client.connect(port)
    for (let round = 0; round < 20; round++) {
      other.send('o 100000 3')
      expect(isAll('o', await other.receive())).toBe(true)
    }
    expect(pool.lentBytes).toBeGreaterThanOrEqual(LARGE_BYTES)
    expect(await readAll(slow.socket, 's')).toBe(LARGE_BYTES)
    await returned(pool, other)
  })

  it('returns when the client disconnects in the middle of the response', async () => {
    const pool = new BufferPool({ overwritesReturned: true })
    const { port } = await start(lending(pool))
    const other = await Client.connect(port)
    for (const parts of [1, 7, 100]) {
      const leaving = await Client.connect(port)
      leaving.socket.pause()
      leaving.send(`l ${LARGE_BYTES} ${parts}`)
      for (let round = 0; round < 20; round++) {
        other.send('o 1000 1')
        await other.receive()
      }
      expect(pool.lentBytes).toBeGreaterThanOrEqual(LARGE_BYTES)
      leaving.socket.destroy()
      await returned(pool, other)
    }
  })

  it('returns when the server closes while clients read nothing', async () => {
    const pool = new BufferPool({ overwritesReturned: true })
    const { port, server } = await start(lending(pool))
    const other = await Client.connect(port)
    const slow = await Client.connect(port)
    slow.socket.pause()
    slow.send(`s ${LARGE_BYTES} 3`)
    while (pool.lentBytes < LARGE_BYTES) {
      other.send('o 1 1')
      await other.receive()
    }
    await server.close()
    expect(pool.lentBytes).toBe(0)
  })

  it('returns when the connection is reset before the response is sent', async () => {
    const pool = new BufferPool({ overwritesReturned: true })
    const lend = lending(pool)
    const begun = deferred<void>()
    const closed = deferred<void>()
    const { port } = await start(async (frame, connection) => {
      if (frame.toString('latin1').startsWith('l')) {
        connection.closed.addEventListener('abort', () => closed.resolve())
        begun.resolve()
        await closed.promise
      }
      return lend(frame, connection)
    })
    const leaving = await Client.connect(port)
    leaving.send('l 1000000 3')
    await begun.promise
    leaving.socket.resetAndDestroy()
    await closed.promise
    await returned(pool, await Client.connect(port))
  })

  it('is never seen by another client while clients read, pause and abort at random', async () => {
    const random = seededRandom(11)
    const pool = new BufferPool({ overwritesReturned: true, maxFreeBytes: 4_000_000 })
    const { port } = await start(lending(pool))
    const round = async (letter: string) => {
      const client = await Client.connect(port)
      for (let request = 0; request < 8; request++) {
        const size = 1 + random.below(request % 4 === 3 ? 500_000 : 70_000)
        client.send(`${letter} ${size} ${1 + random.below(5)}`)
        if (random.below(4) === 0) client.send(`${letter} ${size} 1`)
        if (random.below(12) === 0) return client.socket.destroy()
        if (random.below(3) === 0) client.socket.pause()
        await new Promise(resolve => setImmediate(resolve))
        client.socket.resume()
        expect(isAll(letter, await client.receive())).toBe(true)
      }
      client.socket.destroy()
    }
    for (let rounds = 0; rounds < 4; rounds++) await Promise.all([...'abcdefgh'].map(round))
    await returned(pool, await Client.connect(port))
  })
})
