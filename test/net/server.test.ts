/** The sockets over real TCP, with a dispatcher that echoes, parks or breaks as a test asks. */
import { afterEach, describe, expect, it } from 'vitest'
import { CloseConnection, type ConnectionContext, type Dispatch } from '../../src/net/dispatch.ts'
import { Server, type ServerLimits } from '../../src/net/server.ts'
import { MalformedFrame } from '../../src/protocol/bytes.ts'
import { systemClock } from '../../src/runtime/clock.ts'
import { type Deferred, deferred } from '../../src/runtime/deferred.ts'
import type { Logger } from '../../src/runtime/logger.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { Client, framed } from './client.ts'

const LIMITS: ServerLimits = {
  maxRequestBytes: 1_000_000,
  maxHeldBytes: 100_000_000,
  maxConnections: 1000,
  maxConnectionsOf: () => 1000,
  maxIdleMs: -1,
  backlog: 50
}

const open: { close(): Promise<void> }[] = []

afterEach(async () => {
  for (const server of open.splice(0)) await server.close()
})

interface Rig {
  readonly server: Server
  readonly port: number
  readonly warnings: string[]
  readonly errors: string[]
}

/** Answers every frame with itself. */
const echo: Dispatch = async frame => [framed(frame.toString('latin1'))]

const echoOrFlood: Dispatch = async (frame, connection) =>
  String(frame) === 'flood' ? [Buffer.alloc(50_000_000)] : echo(frame, connection)

async function start(
  dispatch: Dispatch | undefined,
  limits: Partial<ServerLimits> = {},
  clock = systemClock
): Promise<Rig> {
  const warnings: string[] = []
  const errors: string[] = []
  const logger: Logger = {
    debug: () => {},
    info: () => {},
    warn: (_, message) => warnings.push(message),
    error: (_, message) => errors.push(message),
    child: () => logger
  }
  const listeners = [{ name: 'PLAINTEXT', host: '127.0.0.1', port: 0 }]
  const server = await Server.bind({ listeners, limits: { ...LIMITS, ...limits }, clock, logger })
  open.push(server)
  if (dispatch !== undefined) server.serve(dispatch)
  return { server, port: server.endpoints[0]?.port ?? 0, warnings, errors }
}

/** Parks every request until the test answers it. */
function parking() {
  const requests: { body: string; answer: Deferred<Buffer[]>; connection: ConnectionContext }[] = []
  let arrived: Deferred<void> = deferred()
  const dispatch: Dispatch = (frame, connection) => {
    const answer = deferred<Buffer[]>()
    requests.push({ body: frame.toString('latin1'), answer, connection })
    arrived.resolve()
    arrived = deferred()
    return answer.promise
  }
  const next = async (index: number) => {
    for (;;) {
      const request = requests[index]
      if (request !== undefined) return request
      await arrived.promise
    }
  }
  return { dispatch, requests, next }
}

describe('requests and answers', () => {
  it('answers pipelined requests in order, one at a time', async () => {
    let atOnce = 0
    const { port } = await start(async frame => {
      atOnce++
      await new Promise(resolve => setImmediate(resolve))
      expect(atOnce--).toBe(1)
      return [framed(frame.toString('latin1'))]
    })
    const client = await Client.connect(port)
    const bodies = Array.from({ length: 200 }, (_, index) => `request ${index}`)
    client.write(Buffer.concat(bodies.map(framed)))
    for (const body of bodies) expect(await client.receive()).toBe(body)
  })

  it('sends nothing for a request that wants no answer', async () => {
    const { port } = await start(async frame =>
      frame.toString() === 'silent' ? undefined : [framed(frame.toString())]
    )
    const client = await Client.connect(port)
    client.send('silent')
    client.send('spoken')
    expect(await client.receive()).toBe('spoken')
  })

  it('sends an answer of many parts and megabytes whole', async () => {
    const part = Buffer.alloc(700_000, 'z')
    const size = Buffer.alloc(4)
    size.writeInt32BE(part.length * 6)
    const { port } = await start(async () => [size, part, part, part, part, part, part])
    const client = await Client.connect(port)
    client.send('much')
    expect(await client.receive()).toBe('z'.repeat(part.length * 6))
  })

  it('a parked request holds up its own connection only', async () => {
    const parked = parking()
    const { port } = await start(parked.dispatch)
    const [slow, quick] = [await Client.connect(port), await Client.connect(port)]
    slow.send('slow')
    slow.send('behind it')
    await parked.next(0)
    quick.send('quick')
    const second = await parked.next(1)
    expect(second.body).toBe('quick')
    second.answer.resolve([framed('quick answer')])
    expect(await quick.receive()).toBe('quick answer')
    parked.requests[0]?.answer.resolve([framed('slow answer')])
    expect(await slow.receive()).toBe('slow answer')
    expect((await parked.next(2)).body).toBe('behind it')
    parked.requests[2]?.answer.resolve([])
  })

  it('tells the dispatcher who asks, by which address and listener', async () => {
    const seen: ConnectionContext[] = []
    const { port } = await start(async (frame, connection) => {
      seen.push(connection)
      return [frame]
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

  it('drops what is parked for a client that has vanished', async () => {
    const parked = parking()
    const { port } = await start(parked.dispatch)
    const client = await Client.connect(port)
    client.send('park me')
    const { connection, answer } = await parked.next(0)
    expect(connection.closed.aborted).toBe(false)
    const aborted = new Promise(resolve => connection.closed.addEventListener('abort', resolve))
    client.socket.resetAndDestroy()
    await aborted
    answer.resolve([framed('nobody hears this')])
  })

  it('answers all that a client asked before it closed its own side, then closes', async () => {
    const parked = parking()
    const { port, warnings } = await start(parked.dispatch)
    const client = await Client.connect(port)
    client.send('one')
    client.send('two')
    client.socket.end()
    for (const index of [0, 1]) {
      const request = await parked.next(index)
      request.answer.resolve([framed(`answer ${request.body}`)])
    }
    expect(await client.receive()).toBe('answer one')
    expect(await client.receive()).toBe('answer two')
    expect(await client.receive()).toBeUndefined()
    expect(warnings).toEqual([])
  })
})

describe('what is not Kafka', () => {
  const tlsHello = Buffer.from('16030100f8010000f40303', 'hex')
  it.each([
    ['an HTTP request', 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n', /HTTP request/],
    ['a TLS hello', tlsHello, /TLS on a plaintext listener/],
    ['an SSH client', 'SSH-2.0-OpenSSH_9.2\r\n', /SSH client/],
    ['a frame of 2 GB', Buffer.from('7fffffff00', 'hex'), /2147483647 bytes is larger than the 1000000/],
    ['a negative size', Buffer.from('fffffffe00', 'hex'), /negative size \(-2\)/]
  ])('closes on %s, with one warning that names the peer', async (_, bytes, reason) => {
    const { port, warnings, errors } = await start(echo)
    const client = await Client.connect(port)
    const other = await Client.connect(port)
    client.write(bytes)
    await client.closedByServer()
    expect(warnings).toHaveLength(1)
    expect(warnings[0]).toMatch(reason)
    expect(warnings[0]).toContain(`127.0.0.1:${client.socket.localPort}`)
    expect(errors).toEqual([])
    other.send('still here')
    expect(await other.receive()).toBe('still here')
  })

  it('warns of a request that is cut off by the end of the connection', async () => {
    const { port, warnings } = await start(echo)
    const client = await Client.connect(port)
    client.send('whole')
    client.socket.end(framed('torn').subarray(0, 6))
    expect(await client.receive()).toBe('whole')
    await client.closedByServer()
    expect(warnings).toEqual([expect.stringContaining('in the middle of a request')])
  })

  it.each([new MalformedFrame('API key 1234 is none of Kafka'), new CloseConnection('it would not authenticate')])(
    'closes with the reason that the dispatcher gives (%s)',
    async error => {
      const { port, warnings, errors } = await start(async () => Promise.reject(error))
      const client = await Client.connect(port)
      client.send('whatever')
      client.send('never read')
      await client.closedByServer()
      expect(warnings).toEqual([expect.stringContaining(error.message)])
      expect(errors).toEqual([])
    }
  )

  it('closes and logs an error when the dispatcher itself breaks', async () => {
    const { port, warnings, errors } = await start(() => {
      throw new TypeError('our bug')
    })
    const client = await Client.connect(port)
    client.send('whatever')
    await client.closedByServer()
    expect(warnings).toEqual([])
    expect(errors).toHaveLength(1)
  })
})

it('lets others have their turn between requests that lie ready and take long', async () => {
  const clock = new ManualClock()
  const order: string[] = []
  const { port } = await start(
    async frame => {
      if (order.length === 0) setImmediate(() => order.push('someone else'))
      order.push(frame.toString('latin1'))
      clock.advance(1000)
      return [framed('done')]
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

describe('limits', () => {
  it('begins no further request while the peer does not take its answers', async () => {
    let begun = 0
    let tookNext: Deferred<void> = deferred()
    const answer = framed('y'.repeat(4_000_000))
    const { port, server } = await start(async () => {
      begun++
      tookNext.resolve()
      return [answer]
    })
    const client = await Client.connect(port)
    client.socket.pause()
    const requests = 500
    client.write(Buffer.concat(Array.from({ length: requests }, () => framed('give'))))
    // Another client's exchanges give the server every chance to go on with the first one's requests.
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

  it('reads little more while an answer is pending', async () => {
    const parked = parking()
    const { port } = await start(parked.dispatch)
    const client = await Client.connect(port)
    client.send('park me')
    await parked.next(0)
    const flood = Buffer.concat(Array.from({ length: 1000 }, () => framed('f'.repeat(60_000))))
    const sent = new Promise(resolve => client.socket.write(flood, resolve))
    const other = await Client.connect(port)
    for (let round = 1; round <= 20; round++) {
      other.send('hello')
      const request = await parked.next(round)
      request.answer.resolve([framed('hello')])
      await other.receive()
    }
    expect(client.socket.writableLength).toBe(flood.length)
    client.socket.destroy()
    await sent
  })

  it('closes who holds most when requests together pass the bound', async () => {
    const { port, warnings } = await start(echo, { maxRequestBytes: 100_000_000, maxHeldBytes: 3_000_000 })
    const modest = await Client.connect(port)
    modest.write(framed('m'.repeat(500_000)).subarray(0, -1))
    const greedy = await Client.connect(port)
    const claim = Buffer.alloc(4)
    claim.writeInt32BE(90_000_000)
    greedy.write(claim)
    greedy.write(Buffer.alloc(5_000_000))
    await greedy.closedByServer()
    expect(warnings).toEqual([expect.stringMatching(/held \d+ bytes .* queued\.max\.request\.bytes \(3000000\)/)])
    modest.write('m')
    expect(await modest.receive()).toHaveLength(500_000)
  })

  it('makes connections beyond max.connections wait for their turn', async () => {
    const { port, server } = await start(echo, { maxConnections: 2 })
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

  it('closes connections beyond max.connections.per.ip and frees a place when one goes', async () => {
    const { port, warnings } = await start(echo, { maxConnectionsOf: () => 1 })
    const first = await Client.connect(port)
    first.send('in')
    await first.receive()
    const second = await Client.connect(port)
    await second.closedByServer()
    expect(warnings).toEqual([expect.stringContaining('max.connections.per.ip allows 1')])
    first.socket.end()
    await first.closedByServer()
    const third = await Client.connect(port)
    third.send('in again')
    expect(await third.receive()).toBe('in again')
  })

  it('closes a connection on which nothing has come or gone for connections.max.idle.ms', async () => {
    const clock = new ManualClock()
    const { port, warnings } = await start(echo, { maxIdleMs: 1000 }, clock)
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
    expect(warnings).toEqual([])
    expect(clock.pendingAlarms).toBe(0)
  })

  it('warns when the idle client is one that never takes its answers', async () => {
    const clock = new ManualClock()
    const { port, warnings } = await start(echoOrFlood, { maxIdleMs: 1000 }, clock)
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
    expect(warnings).toEqual([
      expect.stringMatching(/127\.0\.0\.1:\d+: it has taken nothing of its answer for 1000 ms/)
    ])
  })
})

describe('start and stop', () => {
  it('does not wait for the grace because of a client that had sent more than was read', async () => {
    const parked = parking()
    const { port, server } = await start(parked.dispatch, {}, new ManualClock())
    const client = await Client.connect(port)
    client.send('park me')
    const { answer } = await parked.next(0)
    client.write(Buffer.concat(Array.from({ length: 400 }, () => framed('f'.repeat(60_000)))))
    const other = await Client.connect(port)
    for (let round = 1; round <= 20; round++) {
      other.send('hello')
      const request = await parked.next(round)
      request.answer.resolve([framed('hello')])
      await other.receive()
    }
    const closed = server.close(5000)
    answer.resolve([framed('done')])
    expect(await client.receive()).toBe('done')
    client.socket.end()
    other.socket.end()
    await closed
    expect(parked.requests).toHaveLength(21)
  })

  it('keeps early clients waiting until there is someone to serve them', async () => {
    const { port, server } = await start(undefined)
    const client = await Client.connect(port)
    client.send('early')
    server.serve(echo)
    expect(await client.receive()).toBe('early')
  })

  it('answers what is under way when drained, begins nothing more, and takes nobody new', async () => {
    const parked = parking()
    const { port, server } = await start(parked.dispatch)
    const client = await Client.connect(port)
    const idle = await Client.connect(port)
    client.send('under way')
    client.send('too late')
    const { answer } = await parked.next(0)
    server.drain()
    await idle.closedByServer()
    await expect(Client.connect(port)).rejects.toThrow('ECONNREFUSED')
    answer.resolve([framed('done')])
    expect(await client.receive()).toBe('done')
    expect(await client.receive()).toBeUndefined()
    expect(parked.requests).toHaveLength(1)
    client.socket.end()
    idle.socket.end()
    await server.close(60_000)
    expect(server.connectionCount).toBe(0)
  })

  it('closes after the grace what does not go by itself', async () => {
    const clock = new ManualClock()
    const parked = parking()
    const { port, server } = await start(parked.dispatch, {}, clock)
    const client = await Client.connect(port)
    client.send('never answered')
    const { connection } = await parked.next(0)
    const closed = server.close(5000)
    clock.advance(4999)
    expect(connection.closed.aborted).toBe(false)
    clock.advance(1)
    await closed
    expect(connection.closed.aborted).toBe(true)
    expect(server.connectionCount).toBe(0)
  })

  it('may be closed twice, and before it has served anyone', async () => {
    const { server } = await start(undefined)
    await Promise.all([server.close(), server.close()])
    await server.close()
  })
})
