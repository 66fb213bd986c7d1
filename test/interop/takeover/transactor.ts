// A transactional producer whose requests are written by hand: it goes on with its id, epoch and sequences at another
// broker as if nothing had happened. It remembers what it has committed and where, to be held against what is read.
import { expect } from 'vitest'
import { APIS } from '../../../src/protocol/messages/index.ts'
import { buildBatch } from '../../../src/protocol/records/builder.ts'
import type { Session } from '../oracle/session.ts'
import { named, request } from '../oracle/transcripts/producing.ts'
import { Transactional } from '../oracle/transcripts/transactional.ts'
import { heard } from './look.ts'

const { EndTxn, InitProducerId, Produce, TxnOffsetCommit } = APIS
/** The longest that brokers allow by default: nothing is aborted while brokers change. */
const TIMEOUT_MS = 900_000
/** Between two batches, so that each begins a segment where segments last for a second. */
const STEP_MS = 2_000n

/** A record that can be read for good, as a line. */
export type Line = string

/** The times of batches, one after the other whoever writes them. */
export class Times {
  #next = BigInt(Date.now())

  next(): bigint {
    this.#next += STEP_MS
    return this.#next
  }
}

export class Transactor {
  readonly id: string
  readonly #times: Times
  readonly #committed: Line[] = []
  #open: Line[] = []
  #producer = { producerId: -1n, producerEpoch: -1 }
  #sequences = new Map<string, number>()
  #written = 0

  constructor(id: string, times: Times) {
    this.id = id
    this.#times = times
  }

  /** What it has committed so far. */
  get committed(): readonly Line[] {
    return this.#committed
  }

  /** Waits for the coordinator; whoever asks first is given an id. */
  async meet(session: Session): Promise<void> {
    await new Transactional(this.id).found().play(session)
    if (this.#producer.producerId !== -1n) return
    const wanted = { transactionalId: this.id, transactionTimeoutMs: TIMEOUT_MS }
    this.#learn(await session.askUntil(InitProducerId, 5, wanted, ({ errorCode }) => errorCode === 'NONE'))
  }

  /** One batch of two records, by which the partition comes into the transaction. */
  async write(session: Session, topic: string, partition: number): Promise<void> {
    const where = `${topic}-${partition}`
    const baseSequence = this.#sequences.get(where) ?? 0
    const values = [0, 1].map(() => `${this.id} ${this.#written++}`)
    const records = values.map(value => ({ ...{ key: null, headers: [] }, timestamp: this.#times.next(), value }))
    const batch = buildBatch(
      records.map(record => ({ ...record, value: Buffer.from(record.value) })),
      { ...this.#producer, baseSequence, isTransactional: true }
    )
    const asked = request([named(topic, batch.bytes, partition)], { transactionalId: this.id })
    // A broker that has just begun may not have its coordinator at hand to verify the transaction with.
    const { responses } = await session.askUntil(
      Produce,
      12,
      asked,
      answer => answer.responses[0]?.partitionResponses[0]?.errorCode !== 'NOT_ENOUGH_REPLICAS'
    )
    const { errorCode, baseOffset = -1n } = responses[0]?.partitionResponses[0] ?? {}
    expect({ id: this.id, where, errorCode }).toEqual({ id: this.id, where, errorCode: 'NONE' })
    this.#sequences.set(where, baseSequence + values.length)
    this.#open.push(...values.map((value, index) => `${where} ${baseOffset + BigInt(index)}: ${value}`))
  }

  /** Offsets of a group, by which the group comes into the transaction. */
  async commitOffsets(session: Session, groupId: string, topic: string, offsets: Readonly<Record<number, bigint>>) {
    const partitions = Object.entries(offsets).map(([index, committedOffset]) => ({
      ...{ partitionIndex: Number(index), committedOffset },
      committedMetadata: `by ${this.id}`
    }))
    const asked = { transactionalId: this.id, groupId, ...this.#producer, topics: [{ name: topic, partitions }] }
    const { topics } = heard(await session.ask(TxnOffsetCommit, 5, asked))
    const codes = topics.flatMap(found => found.partitions.map(({ errorCode }) => errorCode))
    expect(codes).toEqual(partitions.map(() => 'NONE'))
  }

  /** Ends the transaction and waits for its markers; the next one has the epoch that is told. */
  async end(session: Session, outcome: 'commit' | 'abort'): Promise<void> {
    const asked = { transactionalId: this.id, ...this.#producer, committed: outcome === 'commit' }
    const { errorCode, producerId, producerEpoch } = heard(await session.ask(EndTxn, 5, asked))
    expect({ id: this.id, errorCode, producerId, producerEpoch }).toEqual({
      ...{ id: this.id, errorCode: 'NONE', producerId: this.#producer.producerId },
      producerEpoch: this.#producer.producerEpoch + 1
    })
    this.#learn({ producerId, producerEpoch })
    if (outcome === 'commit') this.#committed.push(...this.#open)
    this.#open = []
    await new Transactional(this.id).over().play(session)
  }

  #learn({ producerId, producerEpoch }: { readonly producerId: bigint; readonly producerEpoch: number }): void {
    this.#producer = { producerId, producerEpoch }
    this.#sequences = new Map()
  }
}
