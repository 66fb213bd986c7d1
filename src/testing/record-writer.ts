/** Writes records by Produce requests in this process, in batches of bounded size. */
import { ConfigError } from '../config/sources.ts'
import type { ErrorName } from '../protocol/errors.ts'
import { Produce } from '../protocol/messages/produce.ts'
import { buildBatch } from '../protocol/records/builder.ts'
import type { NewRecord } from '../protocol/records/encoding.ts'
import type { InProcessClient } from './in-process-client.ts'

/** Limit of bytes in one batch, unless a single record has more. Half of Kafka's default of max.message.bytes. */
const MAX_BATCH_BYTES = 524_288
/** Limit of bytes in unsent batches of all partitions. */
const MAX_PENDING_BYTES = 8_388_608
/** Size of a record without key, value and headers, rounded up. */
const RECORD_OVERHEAD_BYTES = 32
const ALL_IN_SYNC = -1
const TIMEOUT_MS = 60_000
/** Errors after which a producer splits a batch (KIP-126). */
const TOO_LARGE: readonly ErrorName[] = ['MESSAGE_TOO_LARGE', 'RECORD_LIST_TOO_LARGE']

/** A record with its partition. */
export interface AssignedRecord {
  readonly topic: string
  readonly partition: number
  readonly record: NewRecord
  /** The place of the record in the user's input, for error messages. */
  readonly source: string
}

/** The producer of a transaction, with the last version of Produce that its transaction allows. */
export interface TransactionalProducer {
  readonly transactionalId: string
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly produceVersion: number
}

interface PendingBatch {
  readonly records: AssignedRecord[]
  bytes: number
}

/** Collects records by partition. The records of a partition keep their order. */
export class RecordWriter {
  readonly #client: InProcessClient
  readonly #producer: TransactionalProducer | undefined
  readonly #pending = new Map<string, PendingBatch>()
  readonly #nextSequences = new Map<string, number>()
  #pendingBytes = 0

  constructor(client: InProcessClient, producer?: TransactionalProducer) {
    this.#client = client
    this.#producer = producer
  }

  /** Adds a record. Rejects with a ConfigError if the broker refuses this or an earlier record. */
  async write(assigned: AssignedRecord): Promise<void> {
    const key = partitionKey(assigned)
    const bytes = sizeOf(assigned.record)
    if (bytes + (this.#pending.get(key)?.bytes ?? 0) > MAX_BATCH_BYTES) await this.#flushBatch(key)
    const batch = this.#pending.get(key) ?? { records: [], bytes: 0 }
    batch.records.push(assigned)
    batch.bytes += bytes
    this.#pending.set(key, batch)
    this.#pendingBytes += bytes
    if (this.#pendingBytes > MAX_PENDING_BYTES) await this.flush()
  }

  /** Sends all unsent batches. */
  async flush(): Promise<void> {
    for (const key of this.#pending.keys()) await this.#flushBatch(key)
  }

  async #flushBatch(key: string): Promise<void> {
    const batch = this.#pending.get(key)
    if (batch === undefined) return
    this.#pending.delete(key)
    this.#pendingBytes -= batch.bytes
    await this.#produce(key, batch.records)
  }

  async #produce(key: string, records: readonly AssignedRecord[]): Promise<void> {
    const [first] = records
    if (first === undefined) return
    const response = await this.#client.request(Produce, this.#requestFor(key, first, records), this.#version)
    const result = response.responses[0]?.partitionResponses[0]
    if (result === undefined) throw new Error(`the response to Produce lacks partition ${key}`)
    if (TOO_LARGE.includes(result.errorCode) && records.length > 1) {
      const middle = records.length >> 1
      await this.#produce(key, records.slice(0, middle))
      await this.#produce(key, records.slice(middle))
    } else if (result.errorCode !== 'NONE') {
      const [error] = result.recordErrors
      const message = error?.batchIndexErrorMessage ?? result.errorMessage
      throw refusal(records[error?.batchIndex ?? 0] ?? first, result.errorCode, message)
    } else if (this.#producer) {
      this.#nextSequences.set(key, (this.#nextSequences.get(key) ?? 0) + records.length)
    }
  }

  #requestFor(key: string, { topic, partition }: AssignedRecord, records: readonly AssignedRecord[]) {
    const producer = this.#producer
    const batch = buildBatch(
      records.map(({ record }) => record),
      producer && {
        producerId: producer.producerId,
        producerEpoch: producer.producerEpoch,
        baseSequence: this.#nextSequences.get(key) ?? 0,
        isTransactional: true
      }
    )
    return {
      transactionalId: producer?.transactionalId ?? null,
      acks: ALL_IN_SYNC,
      timeoutMs: TIMEOUT_MS,
      topicData: [{ name: topic, partitionData: [{ index: partition, records: batch.bytes }] }]
    }
  }

  get #version(): number {
    return this.#producer?.produceVersion ?? BY_NAME_UNTIL
  }
}

/** The last version of Produce with topic names. Later versions have topic ids. */
export const BY_NAME_UNTIL = 12

function partitionKey({ topic, partition }: AssignedRecord): string {
  return `${topic}/${partition}`
}

function sizeOf({ key, value, headers = [] }: NewRecord): number {
  let bytes = RECORD_OVERHEAD_BYTES + (key?.length ?? 0) + (value?.length ?? 0)
  for (const header of headers) bytes += RECORD_OVERHEAD_BYTES + header.key.length + (header.value?.length ?? 0)
  return bytes
}

function refusal({ topic, record, source }: AssignedRecord, code: ErrorName, message: string | null): ConfigError {
  const size = `it has about ${sizeOf(record)} bytes, more than max.message.bytes or segment.bytes of the topic`
  const reason = TOO_LARGE.includes(code) ? size : message
  return new ConfigError(
    `${source}: topic ${topic} refuses the record: ${code}${reason === null ? '' : ` (${reason})`}`
  )
}
