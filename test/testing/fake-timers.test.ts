/** Tests that fake time in the process in which the fixture runs. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, expect, it, vi } from 'vitest'
import { MiniKafka } from '../../src/index.ts'

const CONSUMERS = 3
const HOUR_MS = 3_600_000

afterEach(() => {
  vi.useRealTimers()
})

/** Live consumers in another process, counted by what they tell. */
function consumers(bootstrapServers: string) {
  const script = join(import.meta.dirname, 'consumer-process.js')
  const child = spawn(process.execPath, [script, bootstrapServers, `${CONSUMERS}`], {
    stdio: ['ignore', 'pipe', 'inherit']
  })
  const counts = { joined: 0, heartbeat: 0 }
  const lines = createInterface(child.stdout)
  lines.on('line', word => {
    if (word === 'joined' || word === 'heartbeat') counts[word]++
  })
  return {
    counts,
    /** Resolves when one thing has been told that often. */
    async until(word: keyof typeof counts, count: number): Promise<void> {
      while (counts[word] < count) await once(lines, 'line')
    },
    async [Symbol.asyncDispose](): Promise<void> {
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    }
  }
}

it.each([
  ['Date alone', ['Date']],
  ['Date, timers and performance', undefined]
] as const)('live consumers do not rejoin while the process of the fixture fakes %s', async (_faked, toFake) => {
  await using kafka = await MiniKafka.start({ topics: ['t'] })
  await using clients = consumers(kafka.bootstrapServers)
  await clients.until('joined', CONSUMERS)
  vi.useFakeTimers(toFake && { toFake: [...toFake] })
  for (let hour = 1; hour <= 8; hour++) {
    vi.setSystemTime(Date.now() + HOUR_MS)
    await clients.until('heartbeat', clients.counts.heartbeat + 3 * CONSUMERS)
  }
  expect(clients.counts.joined).toBe(CONSUMERS)
})
