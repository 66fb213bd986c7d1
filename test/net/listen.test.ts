import { once } from 'node:events'
import { createServer, type Server as NetServer, type Socket } from 'node:net'
import { networkInterfaces } from 'node:os'
import { afterEach, expect, it } from 'vitest'
import { type BoundListener, ListenError, listen } from '../../src/net/listen.ts'
import { yieldToEventLoop } from '../../src/runtime/pace.ts'
import { Client } from './client.ts'

const open: { close(): unknown }[] = []
const notAccepted: Error[] = []
afterEach(() => {
  for (const server of open.splice(0)) server.close()
})

const hasIpv6 = Object.values(networkInterfaces()).some(addresses =>
  addresses?.some(({ address }) => address === '::1')
)

async function bind(host: string, port: number): Promise<BoundListener> {
  const events = {
    connected: (socket: Socket) => socket.end('hi'),
    notAccepted: (error: Error) => notAccepted.push(error)
  }
  const bound = await listen({ name: 'PLAINTEXT', host, port }, 10, events)
  open.push(...bound.sockets)
  return bound
}

async function occupy(host: string, port = 0): Promise<{ server: NetServer; port: number }> {
  const server = createServer().listen(port, host)
  await once(server, 'listening')
  open.push(server)
  const address = server.address()
  return { server, port: typeof address === 'object' && address !== null ? address.port : 0 }
}

/** The number of listening sockets of this process. A free port proves less, because another process may take it. */
async function listening(): Promise<number> {
  // A closed handle disappears one event-loop turn later.
  await yieldToEventLoop()
  await yieldToEventLoop()
  return process.getActiveResourcesInfo().filter(name => name === 'TCPServerWrap').length
}

it('a server for localhost listens on both loopback addresses with the same port', async () => {
  const { port, sockets } = await bind('localhost', 0)
  expect(sockets).toHaveLength(hasIpv6 ? 2 : 1)
  for (const host of hasIpv6 ? ['127.0.0.1', '::1'] : ['127.0.0.1']) {
    const client = await Client.connect(port, host)
    await client.closedByServer()
    client.socket.destroy()
  }
})

it('a server with a named address listens on that address only', async () => {
  const { sockets } = await bind('127.0.0.1', 0)
  expect(sockets).toHaveLength(1)
})

it('a server without a host listens on all addresses', async () => {
  const { port } = await bind('', 0)
  const client = await Client.connect(port)
  await client.closedByServer()
  client.socket.destroy()
})

it('a listener on a taken port fails with one sentence', async () => {
  const { port } = await occupy('127.0.0.1')
  await expect(bind('localhost', port)).rejects.toThrow(
    new ListenError(
      `Port ${port} on localhost is taken by another process: stop it, or choose another port (0 selects a free one).`
    )
  )
})

it.runIf(hasIpv6)('a listener whose port is taken on IPv6 leaves no socket bound on IPv4', async () => {
  const { port } = await occupy('::1')
  const before = await listening()
  await expect(bind('localhost', port)).rejects.toThrow(ListenError)
  expect(await listening()).toBe(before)
})

it.each(['no-such-host.invalid', '192.0.2.1'])(
  'a listener on %s fails because it is not an address of this machine',
  async host => {
    await expect(bind(host, 0)).rejects.toThrow(`${host} is not an address of this machine`)
  }
)

it('a server keeps serving after a connection cannot be accepted', async () => {
  const { port, sockets } = await bind('127.0.0.1', 0)
  const outOfFiles = new Error('accept EMFILE')
  sockets[0]?.emit('error', outOfFiles)
  expect(notAccepted).toEqual([outOfFiles])
  const client = await Client.connect(port)
  await client.closedByServer()
  client.socket.destroy()
})
