// The changes of a cluster whose data directory several brokers serve in turn: topics are created, extended and
// deleted, configs change, producers and groups continue, logs are rolled, compacted and truncated by DeleteRecords.
// Each phase does the same.
import { Kafka, logLevel } from 'kafkajs'
import { expect } from 'vitest'
import { APIS } from '../../../src/protocol/messages/index.ts'
import { recordsOf } from '../../../src/protocol/records/record.ts'
import type { Session } from '../oracle/session.ts'
import { CODECS } from '../oracle/transcripts/batches.ts'
import { gone, topic } from '../oracle/transcripts/topic.ts'
import { batchesOf, offsetOf, received, type ViewOptions } from './cluster-view.ts'
import { type Pairs, Writer } from './writer.ts'

const { CreatePartitions, DeleteRecords, DeleteTopics, IncrementalAlterConfigs, OffsetCommit } = APIS
const TOPIC = 2
const BROKER = 4
const GROUP = 32
const NODE = '1'
const PATIENCE_MS = 120_000
const SET = 0
const DELETE = 1
const GROUPED_PARTITIONS = 3
/** Timestamps of a writer's batches are two seconds apart, so each batch begins a segment. */
const ROLLED = { 'segment.ms': '1000', 'index.interval.bytes': '50' }

/** The topic that the Java producer writes to, with its partitions. */
export const PRODUCER_TOPIC = { topic: 'endless', partitions: 3 }

/** The part of the cluster that is compared. */
export const VIEWED: ViewOptions = {
  groups: ['members', 'outsiders'],
  restless: [PRODUCER_TOPIC.topic, '__consumer_offsets']
}

/** Options of a phase. */
export interface PhaseOptions {
  /** Only a clean stop preserves a start offset that DeleteRecords has moved. */
  readonly stopsCleanly: boolean
}

export class ClusterChanges {
  #phases = 0
  readonly #writers: readonly Writer[] = [
    ...CODECS.map((codec, partition) => new Writer('codecs', partition, codec)),
    ...[0, 1, 2].map(partition => new Writer('rolled', partition)),
    new Writer('stamped'),
    new Writer('settled')
  ]
  readonly #idle = new Writer('idle')
  readonly #shortened = new Writer('shortened')
  readonly #aging = new Writer('aging')
  readonly #compacted = new Writer('compacted')
  readonly #grouped = Array.from({ length: GROUPED_PARTITIONS }, (_, index) => new Writer('grouped', index))

  /**
   * Producer state survives: the last batch of each producer is recognized as a duplicate, and a gap is refused. Writes
   * nothing.
   */
  async expectProducerStates(session: Session): Promise<void> {
    const special = [this.#idle, this.#shortened, this.#aging, this.#compacted, ...this.#grouped]
    for (const writer of [...this.#writers, ...special]) await writer.expectProducerState(session)
  }

  /** Runs a phase of the cluster. */
  async runPhase(session: Session, { stopsCleanly }: PhaseOptions): Promise<void> {
    const phase = this.#phases++
    if (phase === 0) await this.#begin(session)
    for (const writer of this.#writers) {
      for (let batch = 0; batch < 3; batch++) await writer.write(session, pairsOf(phase, 10))
    }
    await this.#changeTopics(session, phase)
    await changeSettings(session, phase)
    await this.#commit(session, phase)
    await this.#compact(session, phase)
    await this.#age(session, phase)
    if (stopsCleanly) await this.#shorten(session, phase)
  }

  async #begin(session: Session): Promise<void> {
    await topic('codecs', CODECS.length).play(session)
    await topic('rolled', 3, ROLLED).play(session)
    await topic('stamped', 1, { 'message.timestamp.type': 'LogAppendTime' }).play(session)
    for (const name of ['settled', 'idle', 'shortened']) await topic(name).play(session)
    await topic('grouped', GROUPED_PARTITIONS).play(session)
    await topic('aging', 1, { ...ROLLED, 'retention.bytes': '1' }).play(session)
    const cleaned = { 'cleanup.policy': 'compact', 'min.cleanable.dirty.ratio': '0.01' }
    await topic('compacted', 1, { ...ROLLED, ...cleaned }).play(session)
    await topic(PRODUCER_TOPIC.topic, PRODUCER_TOPIC.partitions).play(session)
    await this.#idle.write(session, pairsOf(0, 1))
  }

  async #changeTopics(session: Session, phase: number): Promise<void> {
    await topic(`life-${phase}`, 2, { 'max.message.bytes': `${1_000_000 + phase}` }).play(session)
    await new Writer(`life-${phase}`, 1).write(session, pairsOf(phase, 1))
    const growth = { topics: [{ name: 'settled', count: phase + 2 }], timeoutMs: 30_000 }
    const { results } = received(await session.sendRequest(CreatePartitions, 3, growth))
    expect(results).toMatchObject([{ errorCode: 'NONE' }])
    const doomed = `doomed-${phase}`
    await topic(doomed).play(session)
    await new Writer(doomed).write(session, pairsOf(phase, 1))
    await session.sendRequest(DeleteTopics, 5, { topicNames: [doomed], timeoutMs: 30_000 })
    await gone(doomed).play(session)
  }

  /** A group reads exactly the new records. A client without membership commits offsets. */
  async #commit(session: Session, phase: number): Promise<void> {
    const written: string[] = []
    for (const [partition, writer] of this.#grouped.entries()) {
      const base = await writer.write(session, pairsOf(phase, 3))
      written.push(...[0n, 1n, 2n].map(index => `${partition}: ${base + index}`))
    }
    expect((await readAsGroup(session.bootstrapServers, written.length)).sort()).toEqual(written.sort())
    const partitions = [{ partitionIndex: 0, committedOffset: BigInt(phase), committedMetadata: `phase ${phase}` }]
    const request = { groupId: 'outsiders', topics: [{ name: 'settled', partitions }] }
    await session.requestUntil(OffsetCommit, 8, request, ({ topics }) => topics[0]?.partitions[0]?.errorCode === 'NONE')
  }

  /**
   * Waits until the cleaner has left one record a key. The last batch is in the active segment, which is not compacted.
   */
  async #compact(session: Session, phase: number): Promise<void> {
    for (let batch = 0; batch < 4; batch++) await this.#compacted.write(session, pairsOf(phase + batch, 10))
    await this.#compacted.write(session, [['deleted', null]])
    const last = await this.#compacted.write(session, [[`phase ${phase}`, 'lived']])
    await until('the cleaner has been there', async () => {
      const batches = await batchesOf(session, 'compacted', 0, 0n, last)
      const keys = batches
        .flatMap(batch => recordsOf(batch))
        .flatMap(({ offset, key }) => (offset < last ? `${key}` : []))
      return new Set(keys).size === keys.length
    })
  }

  /** Waits until retention has deleted all but the active segment. */
  async #age(session: Session, phase: number): Promise<void> {
    for (let batch = 0; batch < 3; batch++) await this.#aging.write(session, pairsOf(phase, 5))
    const last = await this.#aging.write(session, pairsOf(phase, 1))
    await until('old segments are gone', async () => (await offsetOf(session, 'aging', 0)) === last)
  }

  async #shorten(session: Session, phase: number): Promise<void> {
    const base = await this.#shortened.write(session, pairsOf(phase, 10))
    const partitions = [{ partitionIndex: 0, offset: base + 4n }]
    await session.sendRequest(DeleteRecords, 2, { topics: [{ name: 'shortened', partitions }], timeoutMs: 5000 })
    expect(await offsetOf(session, 'shortened', 0)).toBe(base + 4n)
  }
}

/** Polls until the condition holds, because the broker works in the background. */
async function until(condition: string, holds: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + PATIENCE_MS; !(await holds()); ) {
    if (Date.now() > deadline) throw new Error(`gave up waiting until ${condition}`)
  }
}

/** Pairs with ten keys that repeat in each phase and new values. Values grow up to a large one. */
function pairsOf(phase: number, count: number): Pairs {
  return Array.from({ length: count }, (_, index) => [`key ${index % 10}`, `phase ${phase} ${'.'.repeat(index * 30)}`])
}

async function changeSettings(session: Session, phase: number): Promise<void> {
  const set = (name: string, value: number | string) => ({ name, configOperation: SET, value: `${value}` })
  const resources = [
    {
      ...{ resourceType: TOPIC, resourceName: 'settled' },
      configs: [
        set('retention.ms', 1e12 + phase),
        set('compression.type', 'producer'),
        { name: 'flush.messages', configOperation: phase % 2 === 0 ? SET : DELETE, value: '1000' }
      ]
    },
    { resourceType: BROKER, resourceName: NODE, configs: [set('message.max.bytes', 2_000_000 + phase)] },
    { resourceType: BROKER, resourceName: '', configs: [set('log.roll.ms', 600_000_000 + phase)] },
    {
      ...{ resourceType: GROUP, resourceName: 'members' },
      configs: [
        set('consumer.session.timeout.ms', 45_000 + phase),
        { name: 'share.isolation.level', configOperation: phase % 2 === 0 ? SET : DELETE, value: 'read_committed' }
      ]
    }
  ]
  const { responses } = received(await session.sendRequest(IncrementalAlterConfigs, 1, { resources }))
  expect(responses.map(({ errorCode, errorMessage }) => errorMessage ?? errorCode)).toEqual(Array(4).fill('NONE'))
}

/** Joins the group, returns partition and offset of the next records, commits and leaves. */
async function readAsGroup(servers: string, count: number): Promise<string[]> {
  const kafka = new Kafka({ brokers: servers.split(','), logLevel: logLevel.NOTHING })
  const consumer = kafka.consumer({ groupId: 'members', maxWaitTimeInMs: 100 })
  await consumer.connect()
  await consumer.subscribe({ topic: 'grouped', fromBeginning: true })
  const read: string[] = []
  await new Promise<void>((resolve, reject) => {
    const eachMessage = async ({ partition, message }: { partition: number; message: { offset: string } }) => {
      read.push(`${partition}: ${message.offset}`)
      if (read.length === count) resolve()
    }
    consumer.run({ eachMessage }).catch(reject)
  })
  await consumer.disconnect()
  return read
}
