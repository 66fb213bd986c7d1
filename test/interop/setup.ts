/**
 * Global setup of the suites: bundles the sources, packs the tarball, and provides the shared real Kafka, which starts
 * on first use and stops after the last suite.
 */
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestProject } from 'vitest/node'
import build from '../build.ts'
import { coordinating } from './kafka/coordinators.ts'
import { type RunningKafka, startKafka } from './kafka/kafka.ts'

/**
 * Settings of shared brokers: short sessions are allowed, the first rebalance of a group has no delay, and transactions
 * soon time out.
 */
export const SHARED_CONFIG = {
  'group.initial.rebalance.delay.ms': 0,
  'group.min.session.timeout.ms': 1000,
  'group.consumer.min.session.timeout.ms': 1000,
  'group.consumer.min.heartbeat.interval.ms': 500,
  'group.consumer.heartbeat.interval.ms': 500,
  'transaction.abort.timed.out.transaction.cleanup.interval.ms': 100
}

declare module 'vitest' {
  interface ProvidedContext {
    /** Returns the bootstrap servers of the shared Kafka. */
    sharedKafka: string
    /** Path of the packed tarball. */
    tarball: string
  }
}

export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  build()
  const packed = mkdtempSync(join(tmpdir(), 'minikafka-packed-'))
  project.provide('tarball', pack(packed))
  let kafka: Promise<RunningKafka> | undefined
  const server = createServer((_, response) => {
    kafka ??= startKafka({ config: SHARED_CONFIG }).then(coordinating)
    kafka.then(
      ({ bootstrapServers }) => response.end(bootstrapServers),
      error => response.writeHead(500).end(`${error}`)
    )
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('no port for the suites')
  project.provide('sharedKafka', `http://127.0.0.1:${address.port}`)
  return async () => {
    rmSync(packed, { recursive: true })
    server.close()
    // If the start failed, the suites that use Kafka have failed with its error.
    const running = await kafka?.catch(() => undefined)
    await running?.stop()
  }
}

/** Packs the build; returns the path of the tarball. */
function pack(destination: string): string {
  const env = { ...process.env, MINIKAFKA_DIST: 'built' }
  const options = { cwd: join(import.meta.dirname, '../..'), env, encoding: 'utf8' } as const
  const output = execFileSync('npm', ['pack', '--json', '--pack-destination', destination], options)
  const [{ filename }] = JSON.parse(output) as [{ filename: string }]
  return join(destination, filename)
}
