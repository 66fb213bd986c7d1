/** The steps of a broker between its first start and its last stop, with one kill and one clean restart. */
import { yieldToEventLoop } from '../../src/runtime/pace.ts'
import type { HarnessOptions } from '../../src/testing/harness.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { Client } from './client.ts'
import type { Life } from './death.ts'
import { type Promises, Sent } from './promises.ts'

/** Pending work runs while the clock moves. */
const STEPS = 4
const TURNS = 5

export class Scenario {
  readonly #life: Life
  readonly #promises: Promises
  readonly #config: HarnessOptions['config']
  #clock = new ManualClock()

  constructor(life: Life, promises: Promises, config: HarnessOptions['config']) {
    this.#life = life
    this.#promises = promises
    this.#config = config
  }

  async run(): Promise<void> {
    let client = await this.#start()
    const orders = await client.createTopic('orders', 2)
    const doomed = await client.createTopic('doomed')
    const short = await client.createTopic('short', 1, { 'retention.bytes': '300' })
    const producerId = await client.newProducer()
    const first = this.#track(new Sent(orders, 0, producerId))
    const second = this.#track(new Sent(orders, 1, producerId))
    const gone = this.#track(new Sent(doomed, 0, producerId))
    const kept = this.#track(new Sent(short, 0, producerId, true))
    await this.#send(client, 4, [first, second, first, gone, kept, kept])
    await client.shrinkOffsets()
    for (const offset of [1n, 2n, 3n]) await client.commit('orders', offset)
    await client.setRetention('orders', '700000000')
    await client.deleteRecords(first, 2n)
    await this.#pass(60_000)
    await client.deleteTopic('doomed')
    await client.send(first)
    await this.#pass(1000)
    await client.stop()

    client = await this.#start()
    const again = this.#track(new Sent(await client.createTopic('doomed'), 0, await client.newProducer()))
    await this.#send(client, 3, [first, second, again, kept])
    for (const offset of [4n, 5n]) await client.commit('orders', offset)
    await client.deleteRecords(first, 4n)
    await this.#pass(40_000)
    this.#life.kill()

    client = await this.#start()
    await client.newProducer()
    await this.#send(client, 3, [first, second, again, kept])
    await client.setRetention('orders', '800000000')
    await client.commit('orders', 6n)
    await client.stop()
  }

  async #send(client: Client, rounds: number, logs: readonly Sent[]): Promise<void> {
    for (let round = 0; round < rounds; round++) for (const log of logs) await client.send(log)
  }

  #track(sent: Sent): Sent {
    this.#promises.sent.push(sent)
    return sent
  }

  async #start(): Promise<Client> {
    const { storage, random } = this.#life
    // Timers of the previous process do not fire.
    this.#clock = new ManualClock(this.#clock.wall.now())
    const options = { storage, random, clock: this.#clock, config: this.#config ?? {} }
    return Client.start(options, this.#promises, () => this.#life.mustGoOn())
  }

  /** Timers fire: checkpoints are written, old segments deleted, logs compacted, deleted files removed. */
  async #pass(ms: number): Promise<void> {
    for (let step = 0; step < STEPS; step++) {
      this.#clock.advance(ms / STEPS)
      for (let turn = 0; turn < TURNS; turn++) await yieldToEventLoop()
    }
    this.#life.mustGoOn()
  }
}
