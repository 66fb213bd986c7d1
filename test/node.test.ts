/** A whole node on a manual clock: sockets, broker and disk. */
import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { resolve } from '../src/config/resolve.ts'
import { fromObject } from '../src/config/sources.ts'
import { EventHistory } from '../src/events/history.ts'
import { type RunningNode, startNode } from '../src/node.ts'
import { decodeResponse, encodeRequest } from '../src/protocol/api.ts'
import { ApiVersions } from '../src/protocol/messages/api-versions.ts'
import { IncrementalAlterConfigs } from '../src/protocol/messages/configs.ts'
import { CreateTopics } from '../src/protocol/messages/topics.ts'
import { silentLogger } from '../src/runtime/logger.ts'
import { seededRandom } from '../src/runtime/random.ts'
import type { MonotonicClock } from '../src/runtime/time.ts'
import { send } from '../src/testing/in-process.ts'
import { ManualClock } from '../src/testing/manual-clock.ts'
import { RecordingLogger } from '../src/testing/recording-logger.ts'
import { Client } from './net/client.ts'

const BROKER = 4
const SET = 0
const HEADER = { correlationId: 1, clientId: 'test' }

let clock: ManualClock
let directory: string
const running: RunningNode[] = []

beforeEach(() => {
  clock = new ManualClock()
  directory = mkdtempSync(join(tmpdir(), 'node-'))
})
afterEach(async () => {
  for (const node of running.splice(0)) await node.stop()
  rmSync(directory, { recursive: true })
})

async function start(
  config: Record<string, string | number> = {},
  dataDir: string | null = null,
  history?: EventHistory
): Promise<RunningNode> {
  const { settings } = resolve(fromObject({ listeners: 'PLAINTEXT://127.0.0.1:0', ...config }))
  const ports = { clocks: clock, random: seededRandom(1), logger: silentLogger }
  const node = await startNode({ settings, dataDir, history, ...ports })
  running.push(node)
  return node
}

function portOf({ bootstrapServers }: RunningNode): number {
  return Number(bootstrapServers.split(':').at(-1))
}

/** A client that has received a response, so the server has accepted it. */
async function served(node: RunningNode): Promise<Client> {
  const client = await Client.connect(portOf(node))
  await greet(client)
  return client
}

async function greet(client: Client): Promise<string | undefined> {
  client.write(Buffer.concat(encodeRequest(ApiVersions, 0, HEADER, {})))
  return client.receive()
}

async function setOfBroker(client: Client, name: string, value: string): Promise<void> {
  const resources = [{ resourceType: BROKER, resourceName: '', configs: [{ name, configOperation: SET, value }] }]
  client.write(Buffer.concat(encodeRequest(IncrementalAlterConfigs, 1, HEADER, { resources })))
  const answer = Buffer.from((await client.receive()) ?? '', 'latin1')
  const { response } = decodeResponse(IncrementalAlterConfigs, 1, answer)
  expect(response.responses.map(({ errorCode }) => errorCode)).toEqual(['NONE'])
}

it('a node limits the connections of an address by the current max.connections.per.ip and its overrides', async () => {
  const node = await start({ 'max.connections.per.ip': 5, 'max.connections.per.ip.overrides': '127.0.0.1:2' })
  const clients = [await served(node), await served(node)]
  const third = await Client.connect(portOf(node))
  await third.closedByServer()
  await setOfBroker(clients[0] ?? third, 'max.connections.per.ip.overrides', '127.0.0.1:3')
  clients.push(await served(node))
  for (const client of [...clients, third]) client.socket.destroy()
})

it('a client above max.connections waits until another client disconnects', async () => {
  const node = await start({ 'max.connections': 1 })
  const first = await served(node)
  const second = await Client.connect(portOf(node))
  const greeted = greet(second)
  await greet(first)
  first.socket.destroy()
  expect(await greeted).toBeDefined()
  second.socket.destroy()
})

it('a node closes a connection after connections.max.idle.ms without a byte', async () => {
  const node = await start({ 'connections.max.idle.ms': 5000 })
  const client = await served(node)
  clock.advance(5000)
  await client.closedByServer()
  client.socket.destroy()
})

it('a node closes the connection of a request above socket.request.max.bytes', async () => {
  const node = await start({ 'socket.request.max.bytes': 100 })
  const client = await served(node)
  client.send('x'.repeat(101))
  await client.closedByServer()
  client.socket.destroy()
})

it.each([
  ['PLAINTEXT://:0', /^localhost:\d+$/],
  ['PLAINTEXT://0.0.0.0:0', /^localhost:\d+$/],
  ['PLAINTEXT://localhost:0', /^localhost:\d+$/],
  ['PLAINTEXT://127.0.0.1:0,INNER://localhost:0', /^127\.0\.0\.1:\d+,localhost:\d+$/]
])(
  'a node with the listener %s lists addresses that clients on this machine can reach',
  async (listeners, bootstrapServers) => {
    const map = 'PLAINTEXT:PLAINTEXT,INNER:PLAINTEXT'
    const node = await start({ listeners, 'listener.security.protocol.map': map })
    expect(node.bootstrapServers).toMatch(bootstrapServers)
  }
)

it('a node that cannot start frees its port and data directory', async () => {
  const other = await start()
  const dataDir = join(directory, 'data')
  const taken = { listeners: `PLAINTEXT://127.0.0.1:${portOf(other)}` }
  await expect(start(taken, dataDir)).rejects.toThrow('is taken by another process')
  expect(readdirSync(dataDir)).toEqual([])
  await start({}, dataDir)
})

it('a failed start reports its own error, and logs errors of the cleanup', async () => {
  const dataDir = join(directory, 'data')
  await (await start({}, dataDir)).stop()
  const broken: MonotonicClock = {
    now: () => clock.loop.now(),
    at: () => {
      throw new Error('the clock is broken')
    }
  }
  const logger = new RecordingLogger()
  const { settings } = resolve(fromObject({ listeners: 'PLAINTEXT://127.0.0.1:0', 'node.id': 2 }))
  const starting = startNode({ settings, dataDir, clocks: { ...clock, loop: broken }, random: seededRandom(1), logger })
  await expect(starting).rejects.toThrow('the data directory belongs to node.id 1')
  expect(logger.lines.filter(({ level }) => level === 'error')).toMatchObject([
    { bindings: { err: new Error('the clock is broken') } }
  ])
})

it('a node with a history keeps the events of each subject, with node and time', async () => {
  const history = new EventHistory()
  const node = await start({ 'node.id': 3 }, null, history)
  const topics = [{ name: 'orders', numPartitions: 2, replicationFactor: 1 }]
  await send(node.dispatch, CreateTopics, { topics, timeoutMs: 1000 }, { correlationId: 1 })
  expect(history.of('topic', 'orders')).toMatchObject([
    { nodeId: 3, timestampMs: clock.wall.now(), event: { type: 'TopicCreated', partitions: 2 } }
  ])
})

it('a stopped node frees port and data directory and has no pending alarm', async () => {
  const dataDir = join(directory, 'data')
  const first = await start({}, dataDir)
  const client = await served(first)
  void client.closedByServer().then(() => client.socket.destroy())
  await first.stop()
  expect(clock.pendingAlarms).toBe(0)
  expect(existsSync(join(dataDir, 'meta.properties'))).toBe(true)
  await start({ listeners: `PLAINTEXT://127.0.0.1:${portOf(first)}` }, dataDir)
})
