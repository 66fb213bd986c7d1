/** Clients with transactions and sequential requests: a producer of either generation, and a reader of committed records. */

import { CloseConnection } from '../../src/net/dispatch.ts'
import type { ErrorName } from '../../src/protocol/errors.ts'
import { batchesIn, type RecordBatch } from '../../src/protocol/records/batch.ts'
import { readEndTxnMarker } from '../../src/protocol/records/control.ts'
import { recordsOf } from '../../src/protocol/records/record.ts'
import { batchOf, type Harness } from '../../src/testing/harness.ts'

export interface TopicName {
  readonly name: string
  readonly topicId: string
}

/**
 * The protocol of a producer: it adds partitions itself (classic), or Produce adds them and every end bumps the epoch (KIP-890).
 */
export type Generation = 'classic' | 'KIP-890'

const VERSIONS = {
  classic: { AddPartitionsToTxn: 3, AddOffsetsToTxn: 4, TxnOffsetCommit: 4, Produce: 11, EndTxn: 4 },
  'KIP-890': { AddPartitionsToTxn: 3, AddOffsetsToTxn: 4, TxnOffsetCommit: 5, Produce: 13, EndTxn: 5 }
} as const

/** The longest time that a broker needs to end one transaction. */
const MOST_TRIES = 10

/** Errors that a client retries. */
const RETRIED: ReadonlySet<string> = new Set<ErrorName>([
  'CONCURRENT_TRANSACTIONS',
  'COORDINATOR_NOT_AVAILABLE',
  'NOT_COORDINATOR',
  'NOT_ENOUGH_REPLICAS'
])

/** Thrown for an error that a client does not expect. */
export class Refused extends Error {
  readonly code: string

  constructor(operation: string, code: string) {
    super(`${operation}: ${code}`)
    this.code = code
  }
}

export interface ProducerOptions {
  readonly generation?: Generation
  readonly timeoutMs?: number
  /** Called with every response first: throws if the response counts as lost. */
  readonly heard?: () => void
}

export class TransactionalProducer {
  readonly transactionalId: string
  producerId = -1n
  producerEpoch = -1
  #harness: Harness
  readonly #generation: Generation
  readonly #timeoutMs: number
  readonly #heard: () => void
  readonly #sequences = new Map<string, number>()
  readonly #added = new Set<string>()

  constructor(harness: Harness, transactionalId: string, options: ProducerOptions = {}) {
    const { generation = 'KIP-890', timeoutMs = 60_000, heard = () => {} } = options
    this.#harness = harness
    this.transactionalId = transactionalId
    this.#generation = generation
    this.#timeoutMs = timeoutMs
    this.#heard = heard
  }

  /** Continues with the next process of the broker. */
  reconnect(harness: Harness): void {
    this.#harness = harness
  }

  /** Calls InitProducerId as a new instance, which fences the previous ones, or as the same producer (KIP-360). */
  async init(isResumed = false): Promise<void> {
    await this.#insist('FindCoordinator', async () => {
      const keys = { keyType: 1, coordinatorKeys: [this.transactionalId] }
      const { coordinators } = await this.#harness.request('FindCoordinator', keys)
      return coordinators[0]?.errorCode ?? 'NONE'
    })
    await this.#insist('InitProducerId', () => this.tryInit(isResumed))
  }

  async tryInit(isResumed = false): Promise<ErrorName> {
    const { transactionalId } = this
    const { producerId, producerEpoch } = isResumed ? this : { producerId: -1n, producerEpoch: -1 }
    const request = { transactionalId, transactionTimeoutMs: this.#timeoutMs, producerId, producerEpoch }
    const answer = await this.#harness.request('InitProducerId', request, { version: 5 })
    if (answer.errorCode === 'NONE') this.#goOn(answer)
    return answer.errorCode
  }

  /** Sends one batch in the transaction. */
  async send(topic: TopicName, index: number, values: readonly string[]): Promise<void> {
    await this.#add(topic.name, index)
    await this.#insist('Produce', () => this.trySend(topic, index, values))
    const topicPartition = `${topic.name}-${index}`
    this.#sequences.set(topicPartition, (this.#sequences.get(topicPartition) ?? 0) + values.length)
  }

  /** Sends the same batch until `send` succeeds. */
  async trySend({ name, topicId }: TopicName, index: number, values: readonly string[]): Promise<ErrorName> {
    const { transactionalId, producerId, producerEpoch } = this
    const baseSequence = this.#sequences.get(`${name}-${index}`) ?? 0
    const records = batchOf(values, { producerId, producerEpoch, baseSequence, isTransactional: true })
    const topicData = [{ name, topicId, partitionData: [{ index, records }] }]
    const request = { transactionalId, acks: -1, timeoutMs: 1000, topicData }
    const answer = await this.#harness.request('Produce', request, { version: this.#versions.Produce })
    return answer.responses[0]?.partitionResponses[0]?.errorCode ?? 'UNKNOWN_SERVER_ERROR'
  }

  /** Adds a partition to the transaction, as only classic producers do. */
  async #add(topic: string, index: number): Promise<void> {
    if (this.#generation === 'KIP-890' || this.#added.has(`${topic}-${index}`)) return
    await this.#insist('AddPartitionsToTxn', () => this.tryAdd(topic, index))
    this.#added.add(`${topic}-${index}`)
  }

  async tryAdd(topic: string, index: number): Promise<ErrorName> {
    const request = {
      v3AndBelowTransactionalId: this.transactionalId,
      v3AndBelowProducerId: this.producerId,
      v3AndBelowProducerEpoch: this.producerEpoch,
      v3AndBelowTopics: [{ name: topic, partitions: [index] }]
    }
    const version = this.#versions.AddPartitionsToTxn
    const answer = await this.#harness.request('AddPartitionsToTxn', request, { version })
    return answer.resultsByTopicV3AndBelow[0]?.resultsByPartition[0]?.partitionErrorCode ?? 'UNKNOWN_SERVER_ERROR'
  }

  /** Commits an offset of a group in the transaction. */
  async sendOffset(groupId: string, topic: string, partitionIndex: number, committedOffset: bigint): Promise<void> {
    await this.#insist('FindCoordinator', async () => {
      const { coordinators } = await this.#harness.request('FindCoordinator', {
        keyType: 0,
        coordinatorKeys: [groupId]
      })
      return coordinators[0]?.errorCode ?? 'NONE'
    })
    if (this.#generation === 'classic') await this.#insist('AddOffsetsToTxn', () => this.#addOffsets(groupId))
    await this.#insist('TxnOffsetCommit', () => this.trySendOffset(groupId, topic, partitionIndex, committedOffset))
  }

  async #addOffsets(groupId: string): Promise<ErrorName> {
    const { transactionalId, producerId, producerEpoch } = this
    const request = { transactionalId, producerId, producerEpoch, groupId }
    const version = this.#versions.AddOffsetsToTxn
    return (await this.#harness.request('AddOffsetsToTxn', request, { version })).errorCode
  }

  async trySendOffset(groupId: string, topic: string, partitionIndex: number, offset: bigint): Promise<ErrorName> {
    const { transactionalId, producerId, producerEpoch } = this
    const partitions = [{ partitionIndex, committedOffset: offset, committedMetadata: null }]
    const claim = { generationIdOrMemberEpoch: -1, memberId: '', groupInstanceId: null }
    const request = {
      transactionalId,
      groupId,
      producerId,
      producerEpoch,
      ...claim,
      topics: [{ name: topic, partitions }]
    }
    const version = this.#versions.TxnOffsetCommit
    const answer = await this.#harness.request('TxnOffsetCommit', request, { version })
    return answer.topics[0]?.partitions[0]?.errorCode ?? 'UNKNOWN_SERVER_ERROR'
  }

  commit(): Promise<void> {
    return this.#insist('EndTxn', () => this.tryEnd(true))
  }

  abort(): Promise<void> {
    return this.#insist('EndTxn', () => this.tryEnd(false))
  }

  async tryEnd(committed: boolean): Promise<ErrorName> {
    const { transactionalId, producerId, producerEpoch } = this
    const request = { transactionalId, producerId, producerEpoch, committed }
    const answer = await this.#harness.request('EndTxn', request, { version: this.#versions.EndTxn })
    if (answer.errorCode !== 'NONE') return answer.errorCode
    this.#added.clear()
    if (this.#generation === 'KIP-890') this.#goOn(answer)
    return 'NONE'
  }

  #goOn({ producerId, producerEpoch }: { producerId: bigint; producerEpoch: number }): void {
    this.#heard()
    this.producerId = producerId
    this.producerEpoch = producerEpoch
    this.#sequences.clear()
    this.#added.clear()
  }

  get #versions() {
    return VERSIONS[this.#generation]
  }

  /** Retries until the response has no retriable error. Throws Refused. */
  async #insist(operation: string, sendRequest: () => Promise<ErrorName>): Promise<void> {
    for (let tries = 1; ; tries++) {
      const code = await sendRequest().catch(unheard)
      this.#heard()
      if (code === 'NONE') return
      if (!RETRIED.has(code) || tries === MOST_TRIES) throw new Refused(`${operation} of ${this.transactionalId}`, code)
    }
  }
}

/** A client retries the same request after its connection breaks. */
function unheard(error: unknown): ErrorName {
  if (error instanceof CloseConnection) return 'NOT_COORDINATOR'
  throw error
}

/** The records of a partition for a consumer. */
export interface Read {
  readonly values: string[]
  readonly highWatermark: bigint
  readonly lastStableOffset: bigint
}

const READ_COMMITTED = 1

/** Reads a partition from its start to the last stable offset and skips aborted records. */
export async function readCommitted(harness: Harness, topicId: string, partition = 0): Promise<Read> {
  const values: string[] = []
  for (let offset = 0n; ; ) {
    const changes = { isolationLevel: READ_COMMITTED }
    const answer = await harness.request('Fetch', harness.fetchRequest(topicId, offset, changes, partition))
    const data = answer.responses[0]?.partitions[0]
    if (data?.errorCode !== 'NONE') throw new Error(`fetch failed: ${data?.errorCode}`)
    const batches = [...batchesIn(data.records ?? Buffer.alloc(0))]
    values.push(...committedValues(batches, data.abortedTransactions ?? []))
    const { highWatermark, lastStableOffset } = data
    offset = batches.at(-1)?.nextOffset ?? offset
    if (batches.length === 0 || offset >= lastStableOffset) return { values, highWatermark, lastStableOffset }
  }
}

/** As in consumers: the records of a producer are skipped from the first offset of its aborted transaction to its marker. */
function committedValues(
  batches: readonly RecordBatch[],
  aborted: readonly { readonly producerId: bigint; readonly firstOffset: bigint }[]
): string[] {
  const waiting = [...aborted].sort((a, b) => (a.firstOffset < b.firstOffset ? -1 : 1))
  const open = new Set<bigint>()
  const values: string[] = []
  for (const batch of batches) {
    for (let next = waiting[0]; next && next.firstOffset <= batch.lastOffset; next = waiting[0]) {
      open.add(next.producerId)
      waiting.shift()
    }
    if (batch.isControl) {
      if (readEndTxnMarker(batch)?.result === 'ABORT') open.delete(batch.producerId)
    } else if (!(batch.isTransactional && open.has(batch.producerId))) {
      values.push(...recordsOf(batch).map(({ value }) => String(value)))
    }
  }
  return values
}

/** The committed offset of a group, only a stable one on request; an error code if there is none. */
export async function committedOffset(
  harness: Harness,
  groupId: string,
  topic: string,
  partition = 0,
  requireStable = true
): Promise<bigint | ErrorName> {
  await harness.request('FindCoordinator', { keyType: 0, coordinatorKeys: [groupId] })
  const groups = [{ groupId, memberId: null, topics: [{ name: topic, partitionIndexes: [partition] }] }]
  const answer = await harness.request('OffsetFetch', { groups, requireStable }, { version: 9 })
  const [group] = answer.groups
  if (group?.errorCode !== 'NONE') return group?.errorCode ?? 'UNKNOWN_SERVER_ERROR'
  const found = group.topics[0]?.partitions[0]
  return found?.errorCode === 'NONE' ? found.committedOffset : (found?.errorCode ?? 'UNKNOWN_SERVER_ERROR')
}
