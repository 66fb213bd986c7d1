/** Muted connections over real TCP: the response is sent at once, the next request waits (KIP-219). */
import { expect, it, onTestFinished } from 'vitest'
import type { ConnectionContext, Dispatch } from '../../src/net/dispatch.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import type { Given } from '../config/settings-with.ts'
import { Client, framed } from './client.ts'
import { responding, start } from './server-fixture.ts'

const MUTE_MS = 500

/** A server that mutes the connection of each request that asks for it, and a muted client. */
async function muted(given: Given = {}, response = true) {
  const clock = new ManualClock()
  const served: string[] = []
  const connections: ConnectionContext[] = []
  const dispatch: Dispatch = async (frame, connection) => {
    connections.push(connection)
    const body = frame.toString('latin1')
    served.push(body)
    const isMuting = body.startsWith('mute')
    return responding(response || !isMuting ? [framed(body)] : undefined, isMuting ? MUTE_MS : 0)
  }
  const { port, server } = await start(dispatch, given, clock)
  const client = await Client.connect(port)
  onTestFinished(() => void client.socket.destroy())
  client.send('mute')
  if (response) expect(await client.receive()).toBe('mute')
  return { clock, served, connections, port, server, client }
}

/** Requests of another client. During each of them the server could serve a muted request, which it must not do. */
async function twentyRequests(port: number): Promise<void> {
  const other = await Client.connect(port)
  for (let count = 0; count < 20; count++) {
    other.send('other')
    expect(await other.receive()).toBe('other')
  }
  other.socket.destroy()
}

const ofMuted = (served: readonly string[]) => served.filter(body => body !== 'other')

it('a muted connection serves its next request when the mute ends, and other connections do not wait', async () => {
  const { clock, served, port, client } = await muted()
  client.send('next')
  await twentyRequests(port)
  clock.advance(MUTE_MS - 1)
  await twentyRequests(port)
  expect(ofMuted(served)).toEqual(['mute'])
  clock.advance(1)
  expect(await client.receive()).toBe('next')
})

it('each muting request of a pipeline delays the requests behind it', async () => {
  const { clock, served, port, client } = await muted()
  client.write(Buffer.concat(['mute 2', 'mute 3'].map(framed)))
  clock.advance(MUTE_MS)
  expect(await client.receive()).toBe('mute 2')
  await twentyRequests(port)
  expect(ofMuted(served)).toEqual(['mute', 'mute 2'])
  clock.advance(MUTE_MS)
  expect(await client.receive()).toBe('mute 3')
})

it('a request without a response mutes its connection', async () => {
  const { clock, served, port, client } = await muted({}, false)
  client.send('next')
  await twentyRequests(port)
  expect(ofMuted(served)).toEqual(['mute'])
  clock.advance(MUTE_MS)
  expect(await client.receive()).toBe('next')
})

it('a muted connection closes at once when its client ends it', async () => {
  const { clock, client, server } = await muted()
  client.socket.end()
  await client.closedByServer()
  await server.close()
  expect(clock.pendingAlarms).toBe(0)
})

it('a muted connection whose client ends it still serves the requests that have arrived', async () => {
  const { clock, client } = await muted()
  client.send('last')
  client.socket.end()
  clock.advance(MUTE_MS)
  expect(await client.receive()).toBe('last')
  expect(await client.receive()).toBeUndefined()
})

it('a muted connection closes at once when its client resets it', async () => {
  const { clock, client, connections } = await muted()
  const gone = new Promise(resolve => connections[0]?.closed.addEventListener('abort', resolve))
  client.socket.resetAndDestroy()
  await gone
  expect(clock.pendingAlarms).toBe(0)
})

it.each([0, 60_000])(
  'a server that stops with a grace of %i ms does not wait for a muted connection',
  async graceMs => {
    const { clock, client, server } = await muted()
    client.send('too late')
    const closed = server.close(graceMs)
    expect(await client.receive()).toBeUndefined()
    client.socket.end()
    await closed
    expect(clock.pendingAlarms).toBe(0)
  }
)

it('a connection that is muted for longer than connections.max.idle.ms is closed, as in Kafka', async () => {
  const { clock, client } = await muted({ 'connections.max.idle.ms': MUTE_MS - 1 })
  clock.advance(MUTE_MS - 1)
  await client.closedByServer()
  expect(clock.pendingAlarms).toBe(0)
})
