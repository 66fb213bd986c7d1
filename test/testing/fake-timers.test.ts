/** Tests that fake time in the process of the fixture. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, expect, it, vi } from 'vitest'
import { MiniKafka } from '../../src/index.ts'

const CONSUMERS = 3
const SESSION_MS = 4_000
/** A consumer that has to rejoin does so without delay. */
const CONFIG = { 'group.min.session.timeout.ms': SESSION_MS, 'group.initial.rebalance.delay.ms': 0 }
const HOUR_MS = 3_600_000

afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

/** Live consumers in another process, with counters of the events that they print. */
function consumers(bootstrapServers: string) {
  const script = join(import.meta.dirname, 'consumer-process.js')
  const args = [script, bootstrapServers, `${CONSUMERS}`, `${SESSION_MS}`]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const counts = { joined: 0, heartbeat: 0, outlived: 0 }
  const lines = createInterface(child.stdout)
  lines.on('line', event => {
    counts[event as keyof typeof counts]++
  })
  return {
    counts,
    /** Resolves after the event has been printed `count` times. */
    async until(event: keyof typeof counts, count: number): Promise<void> {
      while (counts[event] < count) await once(lines, 'line')
    },
    async [Symbol.asyncDispose](): Promise<void> {
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    }
  }
}

it('live consumers do not rejoin while Date leaps by an hour at each look in the process of the fixture', async () => {
  await using kafka = await MiniKafka.start({ topics: ['t'], config: CONFIG })
  await using clients = consumers(kafka.bootstrapServers)
  await clients.until('joined', CONSUMERS)
  let nowMs = Date.now()
  vi.spyOn(Date, 'now').mockImplementation(() => {
    nowMs += HOUR_MS
    return nowMs
  })
  await clients.until('outlived', 1)
  vi.restoreAllMocks()
  await clients.until('heartbeat', clients.counts.heartbeat + 3 * CONSUMERS)
  expect(clients.counts.joined).toBe(CONSUMERS)
})

it('live consumers do not rejoin while the process of the fixture fakes Date, timers and performance', async () => {
  await using kafka = await MiniKafka.start({ topics: ['t'], config: CONFIG })
  await using clients = consumers(kafka.bootstrapServers)
  await clients.until('joined', CONSUMERS)
  vi.useFakeTimers()
  for (let hour = 1; hour <= 8; hour++) {
    vi.setSystemTime(Date.now() + HOUR_MS)
    await clients.until('heartbeat', clients.counts.heartbeat + 3 * CONSUMERS)
  }
  expect(clients.counts.joined).toBe(CONSUMERS)
})
