/** Which address clients are told: in all three answers that name nodes. */
import { expect, it } from 'vitest'
import { connection, Harness, type HarnessOptions } from './harness.ts'

type Address = { host: string; port: number }

/** What a client of one connection is told by Metadata, DescribeCluster and FindCoordinator. */
async function told(config: NonNullable<HarnessOptions['config']>, from: ReturnType<typeof connection>) {
  await using harness = await Harness.start({ config })
  const { brokers } = await harness.get('Metadata', { topics: [] }, { from })
  const cluster = await harness.get('DescribeCluster', {}, { from })
  const { coordinators } = await harness.get('FindCoordinator', { coordinatorKeys: ['group'] }, { from })
  return [brokers, cluster.brokers, coordinators].map(nodes => nodes.map(({ host, port }: Address) => ({ host, port })))
}

it.each(['127.0.0.1', '::1', '192.0.2.7'])('a client that came to %s is told to come there', async localAddress => {
  const reached = { host: localAddress, port: 9099 }
  const answers = await told({}, connection({ localAddress, localPort: 9099 }))
  expect(answers).toEqual([[reached], [reached], [reached]])
})

it('a client is told what its own listener advertises, wherever it came to', async () => {
  const config = {
    listeners: 'INNER://:9092,OUTER://:9093',
    'listener.security.protocol.map': 'INNER:PLAINTEXT,OUTER:PLAINTEXT',
    'advertised.listeners': 'INNER://kafka:9092,OUTER://kafka.example:19093'
  }
  const inner = { host: 'kafka', port: 9092 }
  expect(await told(config, connection({ listenerName: 'INNER' }))).toEqual([[inner], [inner], [inner]])
  const outer = { host: 'kafka.example', port: 19_093 }
  expect(await told(config, connection({ listenerName: 'OUTER' }))).toEqual([[outer], [outer], [outer]])
})
