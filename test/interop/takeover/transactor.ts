// A transactional producer whose requests are built by the test: it keeps its id, epoch and sequences after a change of
// brokers. It remembers its committed records and their offsets, for the comparison with the log.
import { expect } from 'vitest'
import { APIS } from '../../../src/protocol/messages/index.ts'
import { buildBatch } from '../../../src/protocol/records/builder.ts'
import type { Session } from '../oracle/session.ts'
import { named, request } from '../oracle/transcripts/producing.ts'
import { Transactional } from '../oracle/transcripts/transactional.ts'
import { received } from './cluster-view.ts'

const { AddOffsetsToTxn, AddPartitionsToTxn, EndTxn, InitProducerId, Produce, TxnOffsetCommit } = APIS
/** The default of transaction.max.timeout.ms: no transaction times out while brokers change. */
const TIMEOUT_MS = 900_000
/** Interval between the timestamps of two batches. With `segment.ms=1000` each begins a segment. */
const STEP_MS = 2_000n

/**
 * API versions by `transaction.version`: since level 2, Produce adds its partition to the transaction, and each end
 * increments the epoch.
 */
const OLD = { Produce: 11, TxnOffsetCommit: 4, EndTxn: 4 }
const NEW = { Produce: 12, TxnOffsetCommit: 5, EndTxn: 5 }

/** A committed record as a line. */
export type Line = string

/** Increasing timestamps, shared by all writers. */
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
  readonly #versions: typeof OLD
  readonly #committed: Line[] = []
  #open: Line[] = []
  #producer = { producerId: -1n, producerEpoch: -1 }
  #sequences = new Map<string, number>()
  #written = 0

  constructor(id: string, times: Times, transactionVersion: number) {
    this.id = id
    this.#times = times
    this.#versions = transactionVersion < 2 ? OLD : NEW
  }

  /** The records that are committed so far. */
  get committed(): readonly Line[] {
    return this.#committed
  }

  /** Waits for the coordinator; the first call gets a producer id. */
  async meet(session: Session): Promise<void> {
    await new Transactional(this.id).found().play(session)
    if (this.#producer.producerId !== -1n) return
    const request = { transactionalId: this.id, transactionTimeoutMs: TIMEOUT_MS }
    this.#learn(await session.requestUntil(InitProducerId, 5, request, ({ errorCode }) => errorCode === 'NONE'))
  }

  /** Writes a batch of two records to a partition, as part of the transaction. */
  async write(session: Session, topic: string, partition: number): Promise<void> {
    if (this.#versions === OLD) await this.#add(session, topic, partition)
    const where = `${topic}-${partition}`
    const baseSequence = this.#sequences.get(where) ?? 0
    const values = [0, 1].map(() => `${this.id} ${this.#written++}`)
    const records = values.map(value => ({ ...{ key: null, headers: [] }, timestamp: this.#times.next(), value }))
    const batch = buildBatch(
      records.map(record => ({ ...record, value: Buffer.from(record.value) })),
      { ...this.#producer, baseSequence, isTransactional: true }
    )
    const asked = request([named(topic, batch.bytes, partition)], { transactionalId: this.id })
    // A broker that has just started may lack the coordinator that verifies the transaction.
    const { responses } = await session.requestUntil(
      Produce,
      this.#versions.Produce,
      asked,
      answer => answer.responses[0]?.partitionResponses[0]?.errorCode !== 'NOT_ENOUGH_REPLICAS'
    )
    const { errorCode, baseOffset = -1n } = responses[0]?.partitionResponses[0] ?? {}
    expect({ id: this.id, where, errorCode }).toEqual({ id: this.id, where, errorCode: 'NONE' })
    this.#sequences.set(where, baseSequence + values.length)
    this.#open.push(...values.map((value, index) => `${where} ${baseOffset + BigInt(index)}: ${value}`))
  }

  /** Commits offsets of a group in the transaction. */
  async commitOffsets(session: Session, groupId: string, topic: string, offsets: Readonly<Record<number, bigint>>) {
    const partitions = Object.entries(offsets).map(([index, committedOffset]) => ({
      ...{ partitionIndex: Number(index), committedOffset },
      committedMetadata: `by ${this.id}`
    }))
    const of = { transactionalId: this.id, groupId, ...this.#producer }
    if (this.#versions === OLD)
      expect(received(await session.sendRequest(AddOffsetsToTxn, 4, of)).errorCode).toBe('NONE')
    const asked = { ...of, topics: [{ name: topic, partitions }] }
    const { topics } = received(await session.sendRequest(TxnOffsetCommit, this.#versions.TxnOffsetCommit, asked))
    const codes = topics.flatMap(found => found.partitions.map(({ errorCode }) => errorCode))
    expect(codes).toEqual(partitions.map(() => 'NONE'))
  }

  /**
   * Ends the transaction and waits for its markers. The next transaction uses the epoch of the response, if it has one.
   */
  async end(session: Session, outcome: 'commit' | 'abort'): Promise<void> {
    const { producerId, producerEpoch } = this.#producer
    const asked = { transactionalId: this.id, ...this.#producer, committed: outcome === 'commit' }
    const answer = received(await session.sendRequest(EndTxn, this.#versions.EndTxn, asked))
    const next = this.#versions === OLD ? {} : { producerId, producerEpoch: producerEpoch + 1 }
    expect({ id: this.id, ...answer }).toMatchObject({ id: this.id, errorCode: 'NONE', ...next })
    if (this.#versions === NEW) this.#learn(answer)
    if (outcome === 'commit') this.#committed.push(...this.#open)
    this.#open = []
    await new Transactional(this.id).over().play(session)
  }

  async #add(session: Session, name: string, partition: number): Promise<void> {
    const { producerId, producerEpoch } = this.#producer
    const asked = {
      ...{ v3AndBelowTransactionalId: this.id, v3AndBelowTopics: [{ name, partitions: [partition] }] },
      ...{ v3AndBelowProducerId: producerId, v3AndBelowProducerEpoch: producerEpoch }
    }
    const { resultsByTopicV3AndBelow } = received(await session.sendRequest(AddPartitionsToTxn, 3, asked))
    const codes = resultsByTopicV3AndBelow.flatMap(found => found.resultsByPartition)
    expect({ id: this.id, codes }).toMatchObject({ id: this.id, codes: [{ partitionErrorCode: 'NONE' }] })
  }

  #learn({ producerId, producerEpoch }: { readonly producerId: bigint; readonly producerEpoch: number }): void {
    this.#producer = { producerId, producerEpoch }
    this.#sequences = new Map()
  }
}
