/**
 * Two transactional producers, one of each generation. Each transaction reads a record, writes it to two partitions and commits
 * the input offset. The checks must hold after a crash at any operation.
 */
import { expect } from 'vitest'
import { verify } from '../../src/dump/checks/verify.ts'
import { textOf } from '../../src/dump/items.ts'
import { yieldToEventLoop } from '../../src/runtime/pace.ts'
import type { Random } from '../../src/runtime/random.ts'
import type { MemoryStorage } from '../../src/storage/memory-storage.ts'
import { Harness, type HarnessOptions } from '../../src/testing/harness.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import {
  committedOffset,
  type Generation,
  Refused,
  readCommitted,
  type TopicName,
  TransactionalProducer
} from '../broker/transactional.ts'
import { foldersOf, options } from '../dump/folder.ts'

const GROUP = 'copiers'
const INPUT = 'in'
const OUTPUT = 'out'
const PARTITIONS = [0, 1]
/** Every third transaction is aborted once before it commits. */
const ABORTED_EVERY = 3
const TIMEOUT_MS = 60_000
/** The clock of the next broker is later. */
const LATER_MS = 1_700_001_000_000
/** The final number of transactions of each producer. */
export const TOTAL = 6

const CONFIG = {
  'log.cleaner.backoff.ms': 20_000,
  'offsets.topic.num.partitions': 1,
  'transaction.state.log.num.partitions': 1,
  'log.segment.delete.delay.ms': 1000
}

/** The responses to one producer. */
export interface History {
  /** The number of its acknowledged transactions. */
  committed: number
  readonly epochs: { readonly producerId: bigint; readonly producerEpoch: number }[]
}

/** The state of the producers, over all processes of the broker. */
export class Ledger {
  readonly #histories = new Map<string, History>()

  of(transactionalId: string): History {
    const history = this.#histories.get(transactionalId) ?? { committed: 0, epochs: [] }
    this.#histories.set(transactionalId, history)
    return history
  }
}

/** One copier: it reads numbers from its own partition of the input. */
export class Copier {
  readonly name: string
  /** The number that the next transaction copies. */
  next = 0
  readonly #generation: Generation
  readonly #index: number
  readonly #application: CopyApplication
  readonly #history: History
  #producer: TransactionalProducer
  #attempts = 0

  constructor(application: CopyApplication, index: number, generation: Generation) {
    this.name = `copier ${generation}`
    this.#generation = generation
    this.#index = index
    this.#application = application
    this.#history = application.ledger.of(this.name)
    this.#producer = this.#newProducer()
  }

  #newProducer(): TransactionalProducer {
    const { harness, heard } = this.#application
    return new TransactionalProducer(harness, this.name, {
      generation: this.#generation,
      timeoutMs: TIMEOUT_MS,
      heard
    })
  }

  /** Begins as a new instance: fences the previous one and continues at its committed offset. */
  async begin(): Promise<void> {
    this.#producer = this.#newProducer()
    await this.#producer.init()
    this.#note(true)
    const offset = await committedOffset(this.#application.harness, GROUP, INPUT, this.#index)
    this.#application.heard()
    if (typeof offset === 'string') throw new Refused('OffsetFetch', offset)
    this.next = Math.max(0, Number(offset))
    expect(this.next, `what ${this.name} was told is committed`).toBeGreaterThanOrEqual(this.#history.committed)
  }

  /** The steps of one transaction. */
  *transaction(): Generator<() => Promise<void>> {
    const value = [`${this.name} ${this.next}`]
    for (const partition of PARTITIONS) yield () => this.#producer.send(this.#application.output, partition, value)
    yield () => this.#producer.sendOffset(GROUP, INPUT, this.#index, BigInt(this.next + 1))
    yield () => this.#end()
  }

  async #end(): Promise<void> {
    this.#attempts++
    if (this.#attempts % ABORTED_EVERY === 0) {
      await this.#producer.abort()
    } else {
      await this.#producer.commit()
      this.next++
      this.#history.committed = this.next
    }
    this.#note(false)
  }

  /**
   * A fenced instance cannot commit. For a KIP-890 producer the error only says that its open transaction was aborted, because
   * its own abort would have led to the same epoch.
   */
  async checkFenced(): Promise<void> {
    const code = await this.#producer.tryEnd(true)
    this.#application.heard()
    expect(code, `${this.name} commits`).toBe(this.#generation === 'classic' ? 'PRODUCER_FENCED' : 'INVALID_TXN_STATE')
  }

  /** Epochs never decrease, and a new instance has an unused epoch. */
  #note(isNew: boolean): void {
    const { producerId, producerEpoch } = this.#producer
    const { epochs } = this.#history
    const last = epochs.at(-1)
    if (last?.producerId === producerId) {
      const least = last.producerEpoch + (isNew ? 1 : 0)
      expect(producerEpoch, `the epoch of ${this.name}`).toBeGreaterThanOrEqual(least)
    } else {
      expect(epochs.map(epoch => epoch.producerId)).not.toContain(producerId)
    }
    epochs.push({ producerId, producerEpoch })
  }
}

/** The two copiers and their broker. */
export class CopyApplication {
  readonly harness: Harness
  readonly ledger: Ledger
  readonly heard: () => void
  output: TopicName = { name: OUTPUT, topicId: '' }
  copiers: readonly Copier[] = []

  private constructor(harness: Harness, ledger: Ledger, heard: () => void) {
    this.harness = harness
    this.ledger = ledger
    this.heard = heard
  }

  static async start(options: HarnessOptions, ledger: Ledger, heard: () => void = () => {}): Promise<CopyApplication> {
    const harness = await Harness.start({ ...options, config: { ...CONFIG, ...options.config } })
    heard()
    const application = new CopyApplication(harness, ledger, heard)
    await application.#topic(INPUT)
    application.output = { name: OUTPUT, topicId: await application.#topic(OUTPUT) }
    application.copiers = [new Copier(application, 0, 'classic'), new Copier(application, 1, 'KIP-890')]
    return application
  }

  async #topic(name: string): Promise<string> {
    const { topics } = await this.harness.request('Metadata', { topics: [{ name }], allowAutoTopicCreation: false })
    this.heard()
    const [topic] = topics
    if (topic?.errorCode === 'NONE') return topic.topicId
    const configs = { 'internal.segment.bytes': '500', 'index.interval.bytes': '100' }
    const topicId = await this.harness.createTopic(name, PARTITIONS.length, configs)
    this.heard()
    return topicId
  }

  /** Makes the segments of the coordinators' topics so small that they are compacted soon. */
  async shrink(): Promise<void> {
    for (const name of ['__transaction_state', '__consumer_offsets']) {
      const configs = [{ name: 'internal.segment.bytes', configOperation: 0, value: '400' }]
      const resources = [{ resourceType: 2, resourceName: name, configs }]
      const { responses } = await this.harness.request('IncrementalAlterConfigs', { resources })
      this.heard()
      expect(responses[0]?.errorCode).toBe('NONE')
    }
  }

  /** Both copiers copy until `total` transactions are committed, one step each in alternation. */
  async copy(total: number): Promise<void> {
    while (this.copiers.some(({ next }) => next < total)) {
      const steps = this.copiers.filter(({ next }) => next < total).map(copier => copier.transaction())
      for (let isOpen = true; isOpen; ) {
        isOpen = false
        for (const each of steps) {
          const step = each.next()
          if (step.done) continue
          isOpen = true
          await step.value()
        }
      }
    }
  }

  /** Fires timers and lets pending work run. */
  async pass(ms: number): Promise<void> {
    for (let step = 0; step < 4; step++) {
      this.harness.clock.advance(ms / 4)
      for (let turn = 0; turn < 5; turn++) await yieldToEventLoop()
    }
    this.heard()
  }

  /** Each copier has copied each number exactly once to both partitions, and its committed offset confirms that. */
  async checkCopied(total: number): Promise<void> {
    const { topicId } = this.output
    for (const partition of PARTITIONS) {
      const { values, highWatermark, lastStableOffset } = await readCommitted(this.harness, topicId, partition)
      for (const { name } of this.copiers) {
        const expected = Array.from({ length: total }, (_, number) => `${name} ${number}`)
        const copied = values.filter(value => value.startsWith(name))
        expect(copied, `committed in ${OUTPUT}-${partition}`).toEqual(expected)
      }
      expect(lastStableOffset, `nothing is left open in ${OUTPUT}-${partition}`).toBe(highWatermark)
    }
    for (const partition of PARTITIONS) {
      const stable = await committedOffset(this.harness, GROUP, INPUT, partition)
      expect(stable, `the committed offset of ${INPUT}-${partition}`).toBe(BigInt(total))
    }
  }
}

/** Producers continue after the crash, and every record exists once, also after another restart. */
export async function checkExactlyOnce(left: MemoryStorage, ledger: Ledger, random: Random): Promise<void> {
  const clock = new ManualClock(LATER_MS)
  const application = await CopyApplication.start({ storage: left, random, clock }, ledger)
  for (const copier of application.copiers) await copier.begin()
  await application.copy(TOTAL)
  await application.checkCopied(TOTAL)
  await application.harness.stop()
  expect([...verify(left, foldersOf(left), options())].map(textOf)).toEqual([
    expect.stringMatching(/no problems found$/)
  ])
  const again = await CopyApplication.start({ storage: left, random, clock: new ManualClock(clock.wall.now()) }, ledger)
  await again.checkCopied(TOTAL)
  await again.harness.stop()
}
