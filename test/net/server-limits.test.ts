/** The limits of a server for one client and for all clients together. */
import { describe, expect, it } from 'vitest'
import type { Dispatch } from '../../src/net/dispatch.ts'
import { type Deferred, deferred } from '../../src/runtime/deferred.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { Client, framed } from './client.ts'
import { delaying, echo, responding, start } from './server-fixture.ts'

const echoOrFlood: Dispatch = async (frame, connection) =>
  String(frame) === 'flood' ? responding([Buffer.alloc(50_000_000)]) : echo(frame, connection)

describe('limits', () => {
  it('a server begins no further request while the client does not read its responses', async () => {
    let begun = 0
    let tookNext: Deferred<void> = deferred()
    const answer = framed('y'.repeat(4_000_000))
    const { port, server } = await start(async () => {
      begun++
      tookNext.resolve()
      return responding([answer])
    })
    const client = await Client.connect(port)
    client.socket.pause()
    const requests = 500
    client.write(Buffer.concat(Array.from({ length: requests }, () => framed('give'))))
    // The exchanges of another client give the server the chance to begin the first client's next request.
    await tookNext.promise
    const other = await Client.connect(port)
    for (let round = 0; round < 20; round++) {
      other.send('give')
      await other.receive()
    }
    expect(begun - 20).toBeLessThan(10)
    tookNext = deferred()
    client.socket.resume()
    for (let index = 0; index < 10; index++) expect(await client.receive()).toHaveLength(4_000_000)
    expect(server.connectionCount).toBe(2)
  })

  it('a server stops reading requests soon while a response is pending', async () => {
    const delayed = delaying()
    const { port } = await start(delayed.dispatch)
    const client = await Client.connect(port)
    client.send('park me')
    await delayed.next(0)
    const flood = Buffer.concat(Array.from({ length: 1000 }, () => framed('f'.repeat(60_000))))
    const sent = new Promise(resolve => client.socket.write(flood, resolve))
    await delayed.twentyRounds(port)
    expect(client.socket.writableLength).toBe(flood.length)
    client.socket.destroy()
    await sent
  })

  it('a server closes the connection with the most request bytes when all requests exceed the limit', async () => {
    const { port, events } = await start(echo, {
      'socket.request.max.bytes': 100_000_000,
      'queued.max.request.bytes': 3_000_000
    })
    const modest = await Client.connect(port)
    modest.write(framed('m'.repeat(500_000)).subarray(0, -1))
    const greedy = await Client.connect(port)
    const claim = Buffer.alloc(4)
    claim.writeInt32BE(90_000_000)
    greedy.write(claim)
    greedy.write(Buffer.alloc(5_000_000))
    await greedy.closedByServer()
    expect(events.of('ConnectionClosed')).toMatchObject([
      { reason: { cause: 'QueuedBytesExceeded', maxBytes: 3_000_000 } }
    ])
    modest.write('m')
    expect(await modest.receive()).toHaveLength(500_000)
  })

  it('a connection beyond max.connections waits until another connection closes', async () => {
    const { port, server } = await start(echo, { 'max.connections': 2 })
    const first = await Client.connect(port)
    const second = await Client.connect(port)
    for (const client of [first, second]) {
      client.send('in')
      expect(await client.receive()).toBe('in')
    }
    const third = await Client.connect(port)
    third.send('waiting')
    second.send('still served')
    expect(await second.receive()).toBe('still served')
    expect(server.connectionCount).toBe(2)
    first.socket.destroy()
    expect(await third.receive()).toBe('waiting')
  })

  it('a server closes a connection beyond max.connections.per.ip and accepts another after a close', async () => {
    const { port, events } = await start(echo, { 'max.connections.per.ip': 1 })
    const first = await Client.connect(port)
    first.send('in')
    await first.receive()
    const second = await Client.connect(port)
    await second.closedByServer()
    expect(events.all).toMatchObject([
      { type: 'ConnectionRefused', remoteAddress: '127.0.0.1', cause: 'max.connections.per.ip', limit: 1 }
    ])
    first.socket.end()
    await first.closedByServer()
    const third = await Client.connect(port)
    third.send('in again')
    expect(await third.receive()).toBe('in again')
  })

  it('a server closes a connection that is idle for connections.max.idle.ms', async () => {
    const clock = new ManualClock()
    const { port, events } = await start(echo, { 'connections.max.idle.ms': 1000 }, clock)
    const client = await Client.connect(port)
    client.send('hello')
    await client.receive()
    clock.advance(900)
    client.send('active')
    await client.receive()
    clock.advance(900)
    client.send('still open')
    expect(await client.receive()).toBe('still open')
    clock.advance(1000)
    await client.closedByServer()
    expect(events.all).toMatchObject([{ type: 'IdleConnectionClosed', maxIdleMs: 1000 }])
    expect(clock.pendingAlarms).toBe(0)
  })

  it.each([1_800_000, -1_800_000])(
    'an idle connection keeps its deadline when the wall clock steps by %i ms',
    async byMs => {
      const clock = new ManualClock()
      const { port } = await start(echo, { 'connections.max.idle.ms': 1000 }, clock)
      const client = await Client.connect(port)
      client.send('hello')
      await client.receive()
      clock.stepWall(byMs)
      clock.advance(999)
      client.send('still open')
      expect(await client.receive()).toBe('still open')
      clock.advance(1000)
      await client.closedByServer()
    }
  )

  it('a server closes the connection of a client that never reads its responses, with the reason', async () => {
    const clock = new ManualClock()
    const { port, events } = await start(echoOrFlood, { 'connections.max.idle.ms': 1000 }, clock)
    const client = await Client.connect(port)
    client.socket.pause()
    client.send('flood')
    const other = await Client.connect(port)
    for (let round = 0; round < 20; round++) {
      other.send('hello')
      await other.receive()
    }
    clock.advance(1000)
    await other.closedByServer()
    expect(events.of('ConnectionClosed')).toMatchObject([{ reason: { cause: 'ResponseNotRead', maxIdleMs: 1000 } }])
  })
})
