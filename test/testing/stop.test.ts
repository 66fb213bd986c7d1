/** The stop of the fixture: clients that are still connected, repeated stops, errors. */
import { inspect } from 'node:util'
import { Kafka, logLevel } from 'kafkajs'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest'
import { LeakError, MiniKafka, type MiniKafkaOptions } from '../../src/index.ts'
import { type Api, decodeResponse, encodeRequest } from '../../src/protocol/api.ts'
import { APIS } from '../../src/protocol/messages/index.ts'
import type { Decoded, Encodable, Shape } from '../../src/protocol/wire/schema.ts'
import { Client } from '../net/client.ts'

const UNNAMED = { clientSoftwareName: 'raw', clientSoftwareVersion: '1' }
const CONFIG = { 'group.initial.rebalance.delay.ms': 0 }

let warnings: string[]
function noteWarning({ name, message }: Error): void {
  if (name === 'MiniKafkaWarning')
    warnings.push(message.replace(/port \d+/, 'PORT').replace(/ports \d+(, \d+)+/, 'PORTS'))
}
beforeEach(() => {
  warnings = []
  process.on('warning', noteWarning)
})
afterEach(() => process.off('warning', noteWarning))

/** All warnings until now. Node emits them in the next tick. */
async function emitted(): Promise<readonly string[]> {
  await new Promise(resolve => setImmediate(resolve))
  return warnings
}

async function start(options: MiniKafkaOptions = {}): Promise<MiniKafka> {
  const kafka = await MiniKafka.start({ topics: ['orders'], config: CONFIG, ...options })
  onTestFinished(() => kafka.stop())
  return kafka
}

function client(kafka: MiniKafka, clientId: string): Kafka {
  return new Kafka({ ...kafka.clientConfig('kafkajs'), clientId, logLevel: logLevel.NOTHING, retry: { retries: 0 } })
}

/** A consumer that has joined its group and fetches. */
async function consumer(kafka: MiniKafka, clientId: string, groupId: string) {
  const running = client(kafka, clientId).consumer({ groupId })
  await running.connect()
  await running.subscribe({ topic: 'orders' })
  const joined = new Promise<string>(resolve => {
    running.on(running.events.GROUP_JOIN, ({ payload }) => resolve(payload.memberId))
  })
  await running.run({ eachMessage: async () => {} })
  return { running, memberId: await joined }
}

async function producer(kafka: MiniKafka, clientId: string) {
  const running = client(kafka, clientId).producer()
  await running.connect()
  await running.send({ topic: 'orders', messages: [{ value: 'coffee' }] })
  return running
}

/** A connection that sends single requests. */
async function connection(kafka: MiniKafka): Promise<Client> {
  const connected = await Client.connect(Number(kafka.bootstrapServers.split(':')[1]))
  connected.socket.on('end', () => connected.socket.end())
  return connected
}

/** Sends a request and resolves with the response. */
async function request<Req extends Shape, Res extends Shape>(
  to: Client,
  api: Api<Req, Res>,
  body: Encodable<Req>,
  clientId: string | null
): Promise<Decoded<Res>> {
  const [, version] = api.versions
  to.write(Buffer.concat(encodeRequest(api, version, { correlationId: 1, clientId }, body)))
  return decodeResponse(api, version, Buffer.from((await to.receive()) ?? '', 'latin1')).response
}

it('stop warns of each client that is still connected, with its group and member', async () => {
  const kafka = await start()
  const leaked = await consumer(kafka, 'billing', 'bills')
  const forgotten = await producer(kafka, 'shop')
  await kafka.stop()
  expect(await emitted()).toEqual([
    `client billing, member ${leaked.memberId} of group bills, is still connected (3 connections, from PORTS): disconnect it before kafka.stop()`,
    'client shop is still connected (2 connections, from PORTS): disconnect it before kafka.stop()'
  ])
  await Promise.all([leaked.running.disconnect(), forgotten.disconnect()])
})

it('stop warns once of several connections with the same client id, library and member', async () => {
  const kafka = await start()
  for (let count = 0; count < 2; count++) {
    const software = { clientSoftwareName: 'made-up', clientSoftwareVersion: '1.2' }
    await request(await connection(kafka), APIS.ApiVersions, software, 'a\nb')
  }
  await kafka.stop()
  expect(await emitted()).toEqual([
    'client "a\\nb" (made-up 1.2) is still connected (2 connections, from PORTS): disconnect it before kafka.stop()'
  ])
})

it('stop warns of connections that have sent no request, or no client id', async () => {
  const kafka = await start()
  await connection(kafka)
  await request(await connection(kafka), APIS.ApiVersions, UNNAMED, null)
  await kafka.stop()
  expect(await emitted()).toEqual([
    'a client that has sent no request is still connected (from PORT): disconnect it before kafka.stop()',
    'client without a client id (raw 1) is still connected (from PORT): disconnect it before kafka.stop()'
  ])
})

it('stop names the member of a consumer group until it has left', async () => {
  const kafka = await start()
  const heartbeat = { groupId: 'g', rebalanceTimeoutMs: 1000, subscribedTopicNames: ['orders'], topicPartitions: [] }
  await request(await connection(kafka), APIS.FindCoordinator, { coordinatorKeys: ['g'] }, 'finder')
  const [staying, leaving] = [await connection(kafka), await connection(kafka)]
  const join = (memberId: string) => ({ ...heartbeat, memberId, memberEpoch: 0 })
  const leave = { ...heartbeat, memberId: 'm-1', memberEpoch: -1 }
  const responses = [
    await request(staying, APIS.ConsumerGroupHeartbeat, join('m-0'), 'stays'),
    await request(leaving, APIS.ConsumerGroupHeartbeat, join('m-1'), 'leaves'),
    await request(leaving, APIS.ConsumerGroupHeartbeat, leave, 'leaves')
  ]
  expect(responses).toMatchObject(responses.map(() => ({ errorCode: 'NONE' })))
  await kafka.stop()
  expect(await emitted()).toEqual([
    'client finder is still connected (from PORT): disconnect it before kafka.stop()',
    'client stays, member m-0 of group g, is still connected (from PORT): disconnect it before kafka.stop()',
    'client leaves is still connected (from PORT): disconnect it before kafka.stop()'
  ])
})

it('stop names the member of a classic group while it joins, and not after it has left', async () => {
  const kafka = await start({ config: { 'group.initial.rebalance.delay.ms': 60_000 } })
  await request(await connection(kafka), APIS.FindCoordinator, { coordinatorKeys: ['g'] }, 'finder')
  const protocols = [{ name: 'range', metadata: Buffer.alloc(0) }]
  const join = {
    groupId: 'g',
    sessionTimeoutMs: 10_000,
    rebalanceTimeoutMs: 10_000,
    protocolType: 'consumer',
    protocols
  }
  const [joining, leaving] = [await connection(kafka), await connection(kafka)]
  const newcomer = { ...join, memberId: '', groupInstanceId: null, reason: null }
  const { memberId } = await request(joining, APIS.JoinGroup, newcomer, 'joins')
  const delayed = request(joining, APIS.JoinGroup, { ...newcomer, memberId }, 'joins')
  const other = await request(leaving, APIS.JoinGroup, newcomer, 'leaves')
  const members = [{ memberId: other.memberId, groupInstanceId: null, reason: null }]
  await request(leaving, APIS.LeaveGroup, { groupId: 'g', members }, 'leaves')
  await kafka.stop()
  expect(await delayed).toMatchObject({ errorCode: 'NOT_COORDINATOR' })
  expect(await emitted()).toEqual([
    'client finder is still connected (from PORT): disconnect it before kafka.stop()',
    `client joins, member ${memberId} of group g, is still connected (from PORT): disconnect it before kafka.stop()`,
    'client leaves is still connected (from PORT): disconnect it before kafka.stop()'
  ])
})

it('stop warns of no client that has disconnected, in any of many rounds', async () => {
  for (let round = 0; round < 100; round++) {
    const kafka = await MiniKafka.start({ topics: ['orders'], config: CONFIG })
    const { running } = await consumer(kafka, 'billing', 'bills')
    const sender = await producer(kafka, 'shop')
    await sender.disconnect()
    await running.disconnect()
    await kafka.stop({ failOn: 'leak' })
  }
  expect(await emitted()).toEqual([])
})

it('stop warns of no client that disconnects at the same time', async () => {
  const kafka = await start()
  const running = await producer(kafka, 'shop')
  await Promise.all([kafka.stop({ failOn: 'leak' }), running.disconnect()])
  expect(await emitted()).toEqual([])
})

it('stop with failOn leak rejects with the findings after everything has stopped, and only once', async () => {
  const kafka = await start({ dataDir: 'temp' })
  const leaked = await connection(kafka)
  const error: unknown = await kafka.stop({ failOn: 'leak' }).catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(LeakError)
  expect(error).toMatchObject({
    name: 'LeakError',
    message: expect.stringMatching(
      /^kafka\.stop\(\) found clients that are still connected:\na client that has sent no request is still connected \(from port \d+\): disconnect it before kafka\.stop\(\)$/
    ),
    findings: [
      { severity: 'leak', subject: 'a client that has sent no request', remedy: 'disconnect it before kafka.stop()' }
    ]
  })
  await leaked.closedByServer()
  await kafka.stop({ failOn: 'leak' })
  expect(await emitted()).toEqual([])
})

it('a second stop and the disposal wait for the first and warn of nothing', async () => {
  const kafka = await start()
  await connection(kafka)
  await Promise.all([kafka.stop(), kafka.stop({ failOn: 'leak' }), kafka[Symbol.asyncDispose]()])
  expect(await emitted()).toHaveLength(1)
})

it('stop lists the first of many clients and counts the others', async () => {
  const kafka = await start()
  for (let index = 0; index < 25; index++)
    await request(await connection(kafka), APIS.ApiVersions, UNNAMED, `c-${index}`)
  await kafka.stop()
  expect(await emitted()).toHaveLength(21)
  expect(warnings.at(-1)).toBe('5 more findings')
})

describe('a broker whose stop is the function of a hook', () => {
  let kafka: MiniKafka
  beforeAll(async () => {
    kafka = await MiniKafka.start()
    // vitest calls it with the suite.
    afterAll(kafka.stop)
  })
  it('a broker whose stop is the function of a hook runs in the tests', () =>
    expect(inspect(kafka)).toContain("'running'"))
})

it('a detached stop takes its options, or the context of a runner, which it ignores', async () => {
  const { stop } = await start()
  // @ts-expect-error no such option
  await expect(stop({ failon: 'leak' })).rejects.toThrow('kafka.stop has no option failon; did you mean failOn?')
  await stop({ failOn: 'leak' })
  const kafka = await start()
  const hook: (context: object) => Promise<void> = kafka.stop
  await hook({ name: 'suite', type: 'suite', tasks: [] })
  expect(inspect(kafka)).toContain("'stopped'")
})

it('stop rejects wrong options in one sentence and the broker runs on', async () => {
  const kafka = await start()
  // @ts-expect-error no such value
  await expect(kafka.stop({ failOn: 'leaks' })).rejects.toThrow(
    `kafka.stop: failOn is "leaks", but must be "leak"; did you mean leak?`
  )
  // @ts-expect-error no such option
  await expect(kafka.stop({ failon: 'leak' })).rejects.toThrow('kafka.stop has no option failon; did you mean failOn?')
  await request(await connection(kafka), APIS.ApiVersions, UNNAMED, 'raw')
})
