/**
 * Many producers and consumers of topics with flush.messages=1 on a slow disk, until a power failure. Acknowledged and consumed
 * records survive, and retried batches exist once.
 */
import { expect, test } from 'vitest'
import { batchesIn } from '../../src/protocol/records/batch.ts'
import { recordsOf } from '../../src/protocol/records/record.ts'
import { yieldToEventLoop } from '../../src/runtime/pace.ts'
import { type Random, seededRandom } from '../../src/runtime/random.ts'
import type { MemoryStorage } from '../../src/storage/memory-storage.ts'
import { batchOf, Harness } from '../../src/testing/harness.ts'
import { HeldStorage } from '../log/partition-log/held-storage.ts'

/** The number of seeds grows with MINIKAFKA_CRASH_ROUNDS, as the number of crashes does. */
const SEEDS = Math.ceil(60 * Number(process.env.MINIKAFKA_CRASH_ROUNDS ?? 0.25))
const STEPS = 120
const PARTITIONS = 2
const IN_FLIGHT = 3
const CONFIGS = { 'flush.messages': '1', 'internal.segment.bytes': '600' }

/** One idempotent producer with one record per batch and several batches in flight. */
interface Producer {
  readonly id: bigint
  readonly partition: number
  /** Offsets by sequence number; undefined before the response. */
  readonly offsets: (bigint | undefined)[]
}

/** Idempotent producers and readers of one topic; each batch is synced. */
class GroupCommitRun {
  readonly random: Random
  readonly storage = new HeldStorage({ canLosePower: true })
  readonly producers: Producer[]
  /** The consumed records of each partition, by offset. */
  readonly seen: Map<bigint, string>[] = Array.from({ length: PARTITIONS }, () => new Map())
  /** The number of acknowledged requests. */
  acknowledged = 0

  constructor(seed: number) {
    this.random = seededRandom(seed)
    this.storage.hasSynced = () => this.random.below(2) === 0
    this.producers = Array.from({ length: 6 }, (_, index) => {
      return { id: BigInt(index), partition: index % PARTITIONS, offsets: [] }
    })
  }

  /** Random steps; some requests wait for their response at the end. */
  async steps(): Promise<string> {
    const broker = await Harness.start({ storage: this.storage, random: this.random })
    const topicId = await broker.createTopic('t', PARTITIONS, CONFIGS)
    this.storage.hold()
    const steps = this.random.below(STEPS)
    for (let step = 0; step < steps; step++) {
      const choice = this.random.below(10)
      if (choice < 5) this.#produce(broker, topicId)
      else if (choice < 8) await this.storage.release()
      else await this.read(broker, topicId, this.random.below(PARTITIONS))
      await yieldToEventLoop()
    }
    return topicId
  }

  #produce(broker: Harness, topicId: string): void {
    const producer = this.producers[this.random.below(this.producers.length)]
    if (!producer || producer.offsets.filter(offset => offset === undefined).length >= IN_FLIGHT) return
    // Sometimes a batch is retried before its response.
    const isAgain = producer.offsets.length > 0 && this.random.below(4) === 0
    const sequence = isAgain ? producer.offsets.length - 1 : producer.offsets.length
    if (!isAgain) producer.offsets.push(undefined)
    this.send(broker, topicId, producer, sequence)
  }

  async send(broker: Harness, topicId: string, producer: Producer, sequence: number): Promise<void> {
    const { id, partition, offsets } = producer
    const batch = batchOf([textOf(producer, sequence)], { producerId: id, producerEpoch: 0, baseSequence: sequence })
    const { errorCode, baseOffset } = await broker.produce(topicId, batch, { index: partition })
    // As in Kafka, a snapshot has only the last batch of a producer: an older one that exists is refused.
    if (errorCode === 'OUT_OF_ORDER_SEQUENCE_NUMBER' && this.isThere(producer, sequence)) return
    expect(errorCode).toBe('NONE')
    const before = offsets[sequence]
    if (before !== undefined) expect(baseOffset).toBe(before)
    offsets[sequence] = baseOffset
    this.acknowledged++
  }

  /** True if a consumer has read the batch. */
  isThere(producer: Producer, sequence: number): boolean {
    return [...(this.seen[producer.partition]?.values() ?? [])].includes(textOf(producer, sequence))
  }

  /** Reads all available records of a partition. */
  async read(broker: Harness, topicId: string, partition: number): Promise<void> {
    const seen = this.seen[partition] ?? new Map<bigint, string>()
    for (let offset = 0n, isMore = true; isMore; ) {
      const answer = await broker.request('Fetch', broker.fetchRequest(topicId, offset, {}, partition))
      const data = answer.responses[0]?.partitions[0]
      expect(data?.errorCode).toBe('NONE')
      const records = [...batchesIn(data?.records ?? Buffer.alloc(0))].flatMap(recordsOf)
      for (const record of records) {
        expect(String(record.value)).toBe(seen.get(record.offset) ?? String(record.value))
        seen.set(record.offset, String(record.value))
        offset = record.offset + 1n
      }
      isMore = records.length > 0
    }
  }
}

function textOf({ id }: Producer, sequence: number): string {
  return `${id}/${sequence}`
}

/** Retries in order, from the first batch without a response. */
async function sendAgain(run: GroupCommitRun, broker: Harness, topicId: string): Promise<void> {
  for (const producer of run.producers) {
    const first = producer.offsets.indexOf(undefined)
    for (let sequence = first; first >= 0 && sequence < producer.offsets.length; sequence++) {
      await run.send(broker, topicId, producer, sequence)
    }
    const last = producer.offsets.length - 1
    if (last >= 0) await run.send(broker, topicId, producer, last)
  }
}

/** A process dies and the next one starts, whose records the consumers read. */
async function succeed(run: GroupCommitRun, topicId: string): Promise<MemoryStorage> {
  const storage = run.storage.die({ canLosePower: true })
  const broker = await Harness.start({ storage, random: run.random })
  for (let partition = 0; partition < PARTITIONS; partition++) await run.read(broker, topicId, partition)
  return storage
}

test.each(['the last', 'any'] as const)(
  'acknowledged and consumed records survive a power failure that takes %s of the names',
  { timeout: 600_000 },
  async lost => {
    let acknowledged = 0
    for (let seed = 0; seed < SEEDS; seed++) {
      const run = new GroupCommitRun(seed)
      const topicId = await run.steps()
      acknowledged += run.acknowledged
      const last = seed % 2 === 0 ? run.storage : await succeed(run, topicId)
      const storage = last.losePower(run.random, lost, { canLosePower: true })
      await using broker = await Harness.start({ storage, random: run.random })
      for (const [partition, seen] of run.seen.entries()) {
        const before = new Map(seen)
        await run.read(broker, topicId, partition)
        seen.clear()
        await run.read(broker, topicId, partition)
        for (const [offset, value] of before) expect(seen.get(offset), `seed ${seed}: offset ${offset}`).toBe(value)
      }
      for (const producer of run.producers) {
        for (const [sequence, offset] of producer.offsets.entries()) {
          if (offset === undefined) continue
          expect(run.seen[producer.partition]?.get(offset), `seed ${seed}`).toBe(textOf(producer, sequence))
        }
      }
      await sendAgain(run, broker, topicId)
      for (const [partition, seen] of run.seen.entries()) {
        await run.read(broker, topicId, partition)
        const sent = run.producers.filter(producer => producer.partition === partition)
        const expected = sent.flatMap(producer => producer.offsets.map((_, sequence) => textOf(producer, sequence)))
        expect([...seen.values()].sort(), `seed ${seed}: each once`).toEqual(expected.sort())
      }
    }
    expect(acknowledged).toBeGreaterThan(SEEDS * 5)
  }
)

test('the number of syncs per producer decreases with the number of waiting producers', async () => {
  const storage = new HeldStorage()
  const broker = await Harness.start({ storage })
  const topicId = await broker.createTopic('t', 1, { 'flush.messages': '1' })
  await broker.produce(topicId, batchOf(['first']))
  storage.hold()
  const rounds = 10
  for (let round = 0; round < rounds; round++) {
    const answers = Array.from({ length: 30 }, () => broker.produce(topicId, batchOf(['x'])))
    await yieldToEventLoop()
    await storage.release()
    await storage.release()
    await Promise.all(answers)
  }
  // The first request of each round begins a sync, and the next sync serves all others.
  expect(storage.asked).toHaveLength(2 * rounds)
  await storage.flow()
  await broker.stop()
})
