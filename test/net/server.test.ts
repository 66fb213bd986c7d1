/** Sockets over real TCP with a dispatcher that echoes, delays or throws as a test asks. */
import { describe, expect, it } from 'vitest'
import { CloseConnection, type ConnectionContext } from '../../src/net/dispatch.ts'
import { MalformedFrame } from '../../src/protocol/wire/bytes.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { Client, framed } from './client.ts'
import { delaying, echo, responding, start } from './server-fixture.ts'

describe('requests and responses', () => {
  it('a server answers pipelined requests in order and one after the other', async () => {
    let atOnce = 0
    const { port } = await start(async frame => {
      atOnce++
      await new Promise(resolve => setImmediate(resolve))
      expect(atOnce--).toBe(1)
      return responding([framed(frame.toString('latin1'))])
    })
    const client = await Client.connect(port)
    const bodies = Array.from({ length: 200 }, (_, index) => `request ${index}`)
    client.write(Buffer.concat(bodies.map(framed)))
    for (const body of bodies) expect(await client.receive()).toBe(body)
  })

  it('a server sends no bytes for a request without a response', async () => {
    const { port } = await start(async frame =>
      responding(frame.toString() === 'silent' ? undefined : [framed(frame.toString())])
    )
    const client = await Client.connect(port)
    client.send('silent')
    client.send('spoken')
    expect(await client.receive()).toBe('spoken')
  })

  it('a server sends a response of many parts and megabytes completely', async () => {
    const part = Buffer.alloc(700_000, 'z')
    const size = Buffer.alloc(4)
    size.writeInt32BE(part.length * 6)
    const { port } = await start(async () => responding([size, part, part, part, part, part, part]))
    const client = await Client.connect(port)
    client.send('much')
    expect(await client.receive()).toBe('z'.repeat(part.length * 6))
  })

  it('a delayed request delays only its own connection', async () => {
    const delayed = delaying()
    const { port } = await start(delayed.dispatch)
    const [slow, quick] = [await Client.connect(port), await Client.connect(port)]
    slow.send('slow')
    slow.send('behind it')
    await delayed.next(0)
    quick.send('quick')
    const second = await delayed.next(1)
    expect(second.body).toBe('quick')
    second.answer.resolve([framed('quick answer')])
    expect(await quick.receive()).toBe('quick answer')
    delayed.requests[0]?.answer.resolve([framed('slow answer')])
    expect(await slow.receive()).toBe('slow answer')
    expect((await delayed.next(2)).body).toBe('behind it')
    delayed.requests[2]?.answer.resolve([])
  })

  it('the dispatcher gets the client, its address and the listener of a request', async () => {
    const seen: ConnectionContext[] = []
    const { port } = await start(async (frame, connection) => {
      seen.push(connection)
      return responding([frame])
    })
    const client = await Client.connect(port)
    client.send('\0\0\0\0')
    await client.receive()
    expect(seen[0]).toMatchObject({
      id: 1,
      remoteAddress: '127.0.0.1',
      remotePort: client.socket.localPort,
      localAddress: '127.0.0.1',
      localPort: port,
      listenerName: 'PLAINTEXT'
    })
  })

  it('a server drops the delayed requests of a client that disconnects', async () => {
    const delayed = delaying()
    const { port } = await start(delayed.dispatch)
    const client = await Client.connect(port)
    client.send('park me')
    const { connection, answer } = await delayed.next(0)
    expect(connection.closed.aborted).toBe(false)
    const aborted = new Promise(resolve => connection.closed.addEventListener('abort', resolve))
    client.socket.resetAndDestroy()
    await aborted
    answer.resolve([framed('nobody hears this')])
  })

  it('a server answers all requests that arrive before the client ends its side, then closes', async () => {
    const delayed = delaying()
    const { port, events } = await start(delayed.dispatch)
    const client = await Client.connect(port)
    client.send('one')
    client.send('two')
    client.socket.end()
    for (const index of [0, 1]) {
      const request = await delayed.next(index)
      request.answer.resolve([framed(`answer ${request.body}`)])
    }
    expect(await client.receive()).toBe('answer one')
    expect(await client.receive()).toBe('answer two')
    expect(await client.receive()).toBeUndefined()
    expect(events.all).toEqual([])
  })
})

describe('invalid input', () => {
  const tlsHello = Buffer.from('16030100f8010000f40303', 'hex')
  it.each([
    ['an HTTP request', 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n', { protocol: 'HTTP' }],
    ['a TLS hello', tlsHello, { protocol: 'TLS' }],
    ['an SSH client', 'SSH-2.0-OpenSSH_9.2\r\n', { protocol: 'SSH' }],
    ['a frame of 2 GB', Buffer.from('7fffffff00', 'hex'), { frameBytes: 2_147_483_647, maxBytes: 1_000_000 }],
    ['a negative size', Buffer.from('fffffffe00', 'hex'), { frameBytes: -2 }]
  ])('a server closes the connection on %s, with one event that names the peer', async (_, bytes, reason) => {
    const { port, events } = await start(echo)
    const client = await Client.connect(port)
    const other = await Client.connect(port)
    client.write(bytes)
    await client.closedByServer()
    expect(events.all).toMatchObject([
      {
        type: 'ConnectionClosed',
        remoteAddress: '127.0.0.1',
        remotePort: client.socket.localPort,
        reason: { cause: 'InvalidFrameSize', ...reason }
      }
    ])
    other.send('still here')
    expect(await other.receive()).toBe('still here')
  })

  it('a server emits an event for a request that the end of the connection cuts off', async () => {
    const { port, events } = await start(echo)
    const client = await Client.connect(port)
    client.send('whole')
    client.socket.end(framed('torn').subarray(0, 6))
    expect(await client.receive()).toBe('whole')
    await client.closedByServer()
    expect(events.all).toMatchObject([{ type: 'ConnectionClosed', reason: { cause: 'IncompleteRequest' } }])
  })

  it.each([
    [new MalformedFrame('API key 1234 is unknown'), { cause: 'MalformedRequest', detail: 'API key 1234 is unknown' }],
    [new CloseConnection({ cause: 'ResponseDropped' }), { cause: 'ResponseDropped' }]
  ])('a server closes the connection with the reason of the dispatcher (%s)', async (error, reason) => {
    const { port, events } = await start(async () => Promise.reject(error))
    const client = await Client.connect(port)
    client.send('whatever')
    client.send('never read')
    await client.closedByServer()
    expect(events.all).toMatchObject([{ type: 'ConnectionClosed', reason }])
  })

  it('a server closes the connection and emits ConnectionFailed when the dispatcher throws', async () => {
    const { port, events } = await start(() => {
      throw new TypeError('our bug')
    })
    const client = await Client.connect(port)
    client.send('whatever')
    await client.closedByServer()
    expect(events.all).toMatchObject([{ type: 'ConnectionFailed', error: new TypeError('our bug') }])
  })
})

it('a server yields to other connections between buffered requests that take long', async () => {
  const clock = new ManualClock()
  const order: string[] = []
  const { port } = await start(
    async frame => {
      if (order.length === 0) setImmediate(() => order.push('someone else'))
      order.push(frame.toString('latin1'))
      clock.advance(1000)
      return responding([framed('done')])
    },
    {},
    clock
  )
  const client = await Client.connect(port)
  client.write(Buffer.concat(['1', '2', '3'].map(framed)))
  for (let count = 0; count < 3; count++) await client.receive()
  expect(order).toEqual(['1', 'someone else', '2', '3'])
  client.socket.end()
  await client.closedByServer()
})
