// An idempotent producer whose requests are built by the test: it can repeat an earlier batch, leave a gap, and
// continue after a change of brokers.
import { expect } from 'vitest'
import type { ErrorName } from '../../../src/protocol/errors.ts'
import { APIS } from '../../../src/protocol/messages/index.ts'
import { type BatchOptions, buildBatch } from '../../../src/protocol/records/builder.ts'
import type { Codec } from '../../../src/protocol/records/compression/codecs.ts'
import type { Session } from '../oracle/session.ts'
import { named, request } from '../oracle/transcripts/producing.ts'
import { received } from './cluster-view.ts'

/** Interval between the timestamps of two batches. */
const STEP_MS = 2_000n
/** Age of the first batch: later batches are not in the future, and the producer state does not expire. */
const FIRST_AGE_MS = 3_600_000
/** More sequence numbers than any batch here uses. */
const GAP = 1000

/** The records of a batch: keys and values. */
export type Pairs = readonly (readonly [key: string | null, value: string | null])[]

interface Sent {
  readonly bytes: Buffer
  readonly offset: bigint
}

export class Writer {
  readonly #topic: string
  readonly #partition: number
  readonly #codec: Codec
  #producer: { readonly producerId: bigint; readonly producerEpoch: number } | undefined
  #sequence = 0
  #timestamp = BigInt(Date.now() - FIRST_AGE_MS)
  #last: Sent | undefined

  constructor(topic: string, partition = 0, codec: Codec = 'none') {
    this.#topic = topic
    this.#partition = partition
    this.#codec = codec
  }

  /** Appends a batch; returns its base offset. */
  async write(session: Session, pairs: Pairs): Promise<bigint> {
    const bytes = this.#batch(pairs, { ...(await this.#identity(session)), baseSequence: this.#sequence })
    const { errorCode, offset } = await this.#send(session, bytes)
    if (errorCode !== 'NONE') throw new Error(`${this.#topic}-${this.#partition} refused a batch: ${errorCode}`)
    this.#sequence += pairs.length
    this.#timestamp += STEP_MS
    this.#last = { bytes, offset }
    return offset
  }

  /** A repeat of the last batch is recognized as a duplicate, and a gap is refused. */
  async expectProducerState(session: Session): Promise<void> {
    if (this.#last === undefined) return
    const { bytes, offset } = this.#last
    const beyond = { ...(await this.#identity(session)), baseSequence: this.#sequence + GAP }
    const where = `${this.#topic}-${this.#partition}`
    expect({ where, ...(await this.#send(session, bytes)) }).toEqual({ where, errorCode: 'NONE', offset })
    const { errorCode } = await this.#send(session, this.#batch([['gap', 'gap']], beyond))
    expect({ where, errorCode }).toEqual({ where, errorCode: 'OUT_OF_ORDER_SEQUENCE_NUMBER' })
  }

  #batch(pairs: Pairs, options: BatchOptions): Buffer {
    const bytes = (text: string | null) => (text === null ? null : Buffer.from(text))
    const records = pairs.map(([key, value], index) => ({
      timestamp: this.#timestamp + BigInt(index),
      key: bytes(key),
      value: bytes(value),
      headers:
        index % 2 === 0
          ? []
          : [
              { key: 'index', value: Buffer.from(`${index}`) },
              { key: 'none', value: null }
            ]
    }))
    return buildBatch(records, { ...options, codec: this.#codec }).bytes
  }

  async #send(session: Session, bytes: Buffer): Promise<{ errorCode: ErrorName | undefined; offset: bigint }> {
    const { responses } = received(
      await session.sendRequest(APIS.Produce, 9, request([named(this.#topic, bytes, this.#partition)]))
    )
    const [answer] = responses[0]?.partitionResponses ?? []
    return { errorCode: answer?.errorCode, offset: answer?.baseOffset ?? -1n }
  }

  async #identity(session: Session) {
    const plain = { transactionalId: null, transactionTimeoutMs: 60_000 }
    this.#producer ??= await session.requestUntil(
      APIS.InitProducerId,
      4,
      plain,
      ({ errorCode }) => errorCode === 'NONE'
    )
    const { producerId, producerEpoch } = this.#producer
    return { producerId, producerEpoch }
  }
}
