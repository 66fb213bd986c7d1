/** Start and stop of a server with requests in every state. */
import { describe, expect, it } from 'vitest'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { Client, framed } from './client.ts'
import { delaying, echo, start } from './server-fixture.ts'

describe('start and stop', () => {
  it('a stopping server does not wait for the grace period because of unread bytes of a client', async () => {
    const delayed = delaying()
    const { port, server } = await start(delayed.dispatch, {}, new ManualClock())
    const client = await Client.connect(port)
    client.send('park me')
    const { answer } = await delayed.next(0)
    client.write(Buffer.concat(Array.from({ length: 400 }, () => framed('f'.repeat(60_000)))))
    const other = await delayed.twentyRounds(port)
    const closed = server.close(5000)
    answer.resolve([framed('done')])
    expect(await client.receive()).toBe('done')
    client.socket.end()
    other.socket.end()
    await closed
    expect(delayed.requests).toHaveLength(21)
  })

  it('a connection that arrives before the server is ready waits for it', async () => {
    const { port, server } = await start(undefined)
    const client = await Client.connect(port)
    client.send('early')
    server.serve(echo)
    expect(await client.receive()).toBe('early')
  })

  it('a draining server answers requests in progress, begins no other and accepts no connection', async () => {
    const delayed = delaying()
    const { port, server } = await start(delayed.dispatch)
    const client = await Client.connect(port)
    const idle = await Client.connect(port)
    client.send('under way')
    client.send('too late')
    const { answer } = await delayed.next(0)
    server.drain()
    await idle.closedByServer()
    await expect(Client.connect(port)).rejects.toThrow('ECONNREFUSED')
    answer.resolve([framed('done')])
    expect(await client.receive()).toBe('done')
    expect(await client.receive()).toBeUndefined()
    expect(delayed.requests).toHaveLength(1)
    client.socket.end()
    idle.socket.end()
    await server.close(60_000)
    expect(server.connectionCount).toBe(0)
  })

  it('a server closes the remaining connections after the grace period', async () => {
    const clock = new ManualClock()
    const delayed = delaying()
    const { port, server } = await start(delayed.dispatch, {}, clock)
    const client = await Client.connect(port)
    client.send('never answered')
    const { connection } = await delayed.next(0)
    const closed = server.close(5000)
    clock.advance(4999)
    expect(connection.closed.aborted).toBe(false)
    clock.advance(1)
    await closed
    expect(connection.closed.aborted).toBe(true)
    expect(server.connectionCount).toBe(0)
  })

  it('a server can close twice, and before it serves a connection', async () => {
    const { server } = await start(undefined)
    await Promise.all([server.close(), server.close()])
    await server.close()
  })
})
