import { once } from 'node:events'
import { connect } from 'node:net'
import { inspect } from 'node:util'
import { afterEach, describe, expect, it } from 'vitest'
import { suiteKafka } from '../../../src/testing/adapters/suite-kafka.ts'
// Adapters load the broker on first use. Here it is loaded before the tests, whose time is limited.
import { MiniKafka } from '../../../src/testing/fixture.ts'

/** The hooks of a test runner, which the tests run explicitly. */
class Hooks {
  readonly #starts: (() => Promise<void>)[] = []
  readonly #stops: (() => Promise<void>)[] = []

  readonly beforeAll = (start: () => Promise<void>): void => void this.#starts.push(start)
  readonly afterAll = (stop: () => Promise<void>): void => void this.#stops.push(stop)

  async start(): Promise<void> {
    for (const start of this.#starts.splice(0)) await start()
  }

  async stop(): Promise<void> {
    for (const stop of this.#stops.splice(0)) await stop()
  }
}

const hooks = new Hooks()
afterEach(() => hooks.stop())

describe('the broker of useKafka', () => {
  it('the broker of useKafka runs from beforeAll to afterAll', async () => {
    const kafka = suiteKafka(hooks, { topics: ['orders'] })
    await hooks.start()
    expect(kafka.clientConfig('kafkajs')).toEqual({ brokers: kafka.bootstrapServerList })
    expect(inspect(kafka)).toMatch(/^MiniKafka .*'orders'.*'running'/s)
    await hooks.stop()
    expect(inspect(kafka)).toContain("'stopped'")
  })

  it('the broker of useKafka throws a sentence if it is read before its start', () => {
    const kafka = suiteKafka(hooks, {})
    expect(() => kafka.bootstrapServers).toThrow(
      'the broker of useKafka has not started: bootstrapServers can be read in tests and in hooks that run after its own'
    )
  })

  it('the broker of useKafka is an instance of MiniKafka and has its members after its start', async () => {
    const kafka = suiteKafka(hooks, {})
    expect([kafka instanceof MiniKafka, 'stop' in kafka]).toEqual([false, false])
    await hooks.start()
    expect([kafka instanceof MiniKafka, 'stop' in kafka, 'start' in kafka]).toEqual([true, true, false])
    expect(kafka.constructor).toBe(MiniKafka)
  })

  it('the broker of useKafka can be printed and awaited before its start', async () => {
    const kafka = suiteKafka(hooks, {})
    expect(await kafka).toBe(kafka)
    expect(inspect(kafka)).toBe('MiniKafka (not started)')
  })

  it('the broker of useKafka stays stopped after a failed start', async () => {
    suiteKafka(hooks, { topics: ['no spaces'] })
    await expect(hooks.start()).rejects.toThrow('topic no spaces cannot be created')
    await hooks.stop()
  })

  it("useKafka with failOn: 'leak' fails in afterAll if clients are still connected", async () => {
    const kafka = suiteKafka(hooks, { failOn: 'leak' })
    await hooks.start()
    const client = connect(Number(kafka.bootstrapServers.split(':').at(-1)), 'localhost')
    await once(client, 'connect')
    await expect(hooks.stop()).rejects.toThrow('kafka.stop() found clients that are still connected')
    client.destroy()
  })
})

it('useKafka refuses an unknown option before anything starts', () => {
  const options = { topics: ['orders'], prot: 9092 }
  expect(() => suiteKafka(hooks, options)).toThrow('useKafka has no option prot')
})
