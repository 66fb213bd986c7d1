/** Addresses of nodes in the three responses that contain them. */
import { expect, it } from 'vitest'
import type { ConnectionContext } from '../../src/net/dispatch.ts'
import { Harness, type HarnessOptions } from '../../src/testing/harness.ts'
import { inProcessConnection } from '../../src/testing/in-process.ts'

type Address = { host: string; port: number }

/** The nodes in the responses to Metadata, DescribeCluster and FindCoordinator. */
async function nodesFor(config: NonNullable<HarnessOptions['config']>, connection: ConnectionContext) {
  await using harness = await Harness.start({ config })
  const { brokers } = await harness.request('Metadata', { topics: [] }, { connection })
  const cluster = await harness.request('DescribeCluster', {}, { connection })
  const { coordinators } = await harness.request('FindCoordinator', { coordinatorKeys: ['group'] }, { connection })
  return [brokers, cluster.brokers, coordinators].map(nodes => nodes.map(({ host, port }: Address) => ({ host, port })))
}

it.each(['127.0.0.1', '::1', '192.0.2.7'])(
  'a client that connects to %s gets that address in responses',
  async localAddress => {
    const reached = { host: localAddress, port: 9099 }
    const answers = await nodesFor({}, inProcessConnection({ localAddress, localPort: 9099 }))
    expect(answers).toEqual([[reached], [reached], [reached]])
  }
)

it('a client gets the advertised address of its listener, independent of the address that it connected to', async () => {
  const config = {
    listeners: 'INNER://:9092,OUTER://:9093',
    'listener.security.protocol.map': 'INNER:PLAINTEXT,OUTER:PLAINTEXT',
    'advertised.listeners': 'INNER://kafka:9092,OUTER://kafka.example:19093'
  }
  const inner = { host: 'kafka', port: 9092 }
  expect(await nodesFor(config, inProcessConnection({ listenerName: 'INNER' }))).toEqual([[inner], [inner], [inner]])
  const outer = { host: 'kafka.example', port: 19_093 }
  expect(await nodesFor(config, inProcessConnection({ listenerName: 'OUTER' }))).toEqual([[outer], [outer], [outer]])
})
