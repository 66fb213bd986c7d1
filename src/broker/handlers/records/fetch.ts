/**
 * Fetch: records of many partitions, with a wait for `fetch.min.bytes` (KIP-74, KIP-227, KIP-320, KIP-392, KIP-516).
 * - Partitions are read in order until the response is full. The first batch of the first non-empty partition is always returned
 *   whole, so that consumers with small limits make progress.
 * - With fewer bytes than the minimum and no error, the request is delayed until enough bytes arrive or `fetch.max.wait.ms` is
 *   over. For read_committed consumers bytes arrive when they are below the last stable offset, possibly at the end of a
 *   transaction (KIP-98).
 * - A fetch from a full segment is not delayed. Unknown partitions come last in the response and do not end the delay.
 * - Incremental fetch sessions since version 7; topic ids since version 13.
 */

import { rows } from '../../../config/view.ts'
import { type ErrorName, KafkaError } from '../../../protocol/errors.ts'
import { isIsolationLevel, READ_COMMITTED } from '../../../protocol/isolation-level.ts'
import { ZERO_UUID } from '../../../protocol/wire/bytes.ts'
import type { FetchResult, RequestedPartition } from '../../../replica/fetch-session.ts'
import { ANY_EPOCH, type Partition } from '../../../replica/partition.ts'
import { type Call, handler, type Request, type Response } from '../../context.ts'
import { distinct, each, type Failure } from '../../per-partition.ts'

type PartitionData = Response<'Fetch'>['responses'][number]['partitions'][number]

interface PartitionResult extends FetchResult {
  readonly data: PartitionData
}

interface Read extends PartitionResult {
  /** The partition to watch for more bytes; undefined if the read failed. */
  readonly partition: Partition | undefined
  /** The end of the readable offsets: high watermark or last stable offset. */
  readonly upTo: bigint
}

const TOPIC_IDS_SINCE = 13
/** Since this version a consumer may fetch from a follower (KIP-392). */
const FOLLOWERS_SINCE = 11

const FETCH_ROWS = rows({ maxBytes: 'fetch.max.bytes' })

const PARTS = ['replicas', 'metadata', 'settings', 'fetchSessions', 'purgatory', 'clocks', 'events'] as const
type FetchCall = Call<'Fetch', typeof PARTS>

export const fetch = handler('Fetch', PARTS, async (request, parts, context) => {
  const call = { request, parts, context }
  const startedMs = parts.clocks.loop.now()
  const round = openSession(call)
  if ('errorCode' in round) return round
  const unknown = round.partitions.flatMap(requested => unknownPartition(requested, call) ?? [])
  const isUnknown = new Set(unknown.map(({ requested }) => requested))
  const existing = round.partitions.filter(requested => !isUnknown.has(requested))
  if (existing.length > 0 && !isIsolationLevel(request.isolationLevel)) {
    throw new KafkaError(
      'UNKNOWN_SERVER_ERROR',
      `the isolation level ${request.isolationLevel} is unknown; valid are 0 and 1`
    )
  }
  const maxBytes = Math.min(request.maxBytes, parts.settings.view(FETCH_ROWS).maxBytes)
  let reads = readAll(existing, maxBytes, call)
  const missing = Math.min(request.minBytes, maxBytes) - reads.reduce((sum, read) => sum + read.recordBytes, 0)
  if (missing > 0 && request.maxWaitMs > 0 && reads.length > 0 && !reads.some(mustRespond)) {
    const watchers = request.isolationLevel === READ_COMMITTED ? 'committedFetchWatchers' : 'fetchWatchers'
    const waiting = reads.flatMap(({ partition }) => (partition ? [partition[watchers]] : []))
    context.buffers.release()
    await parts.purgatory.wait(waiting, missing, startedMs + request.maxWaitMs, context.connection.closed)
    reads = readAll(existing, maxBytes, call)
  }
  try {
    const { sessionId, results } = round.respond<PartitionResult>([...reads, ...unknown], parts.clocks.deadline.now())
    return { sessionId, responses: byTopic(results) }
  } catch (error) {
    return sessionError(error, request.sessionId)
  }
})

/** True if the fetch is not delayed: after an error, for a diverging log, or if the end of the segment is readable. */
function mustRespond({ partition, requested: { fetchOffset }, upTo, diverges }: Read): boolean {
  if (!partition || diverges) return true
  return fetchOffset < upTo && !partition.log.reader.areInOneSegment(fetchOffset, upTo)
}

function openSession(call: FetchCall) {
  const { fetchSessions, clocks } = call.parts
  try {
    return fetchSessions.open(sessionRequest(call), clocks.deadline.now())
  } catch (error) {
    return sessionError(error, 0)
  }
}

/** As in Kafka, the error of a session comes without partitions in every version. */
function sessionError(error: unknown, sessionId: number): Response<'Fetch'> & { readonly errorCode: ErrorName } {
  if (!(error instanceof KafkaError)) throw error
  return { errorCode: error.code, sessionId, responses: [] }
}

function sessionRequest({ request, parts, context }: FetchCall) {
  const { sessionId, sessionEpoch } = request
  const usesTopicIds = context.apiVersion >= TOPIC_IDS_SINCE
  const nameOf = (topicId: string) => parts.metadata.image.topicsById.get(topicId)?.name ?? ''
  const requested = request.topics.flatMap(({ topic, topicId, partitions }) =>
    partitions.map(data => ({ ...data, topic: usesTopicIds ? nameOf(topicId) : topic, topicId }))
  )
  const forgotten = request.forgottenTopicsData.flatMap(({ topic, topicId, partitions }) =>
    partitions.map(partition => ({ topic, topicId, partition }))
  )
  return { sessionId, sessionEpoch, usesTopicIds, nameOf, partitions: distinct(requested), forgotten }
}

function unknownPartition(requested: RequestedPartition, { parts, context }: FetchCall): PartitionResult | undefined {
  const { replicas } = parts
  if (requested.partition >= 0 && requested.partition < replicas.partitionCount(requested.topic)) return undefined
  const hasNoName = requested.topic === '' && context.apiVersion >= TOPIC_IDS_SINCE
  const errorCode = hasNoName ? 'UNKNOWN_TOPIC_ID' : 'UNKNOWN_TOPIC_OR_PARTITION'
  return { ...NOTHING_READ, requested, errorCode, data: nothing(requested.partition, errorCode) }
}

function readAll(partitions: readonly RequestedPartition[], maxBytes: number, call: FetchCall): Read[] {
  let bytesLeft = maxBytes
  let minOneBatch = true
  return each(
    partitions,
    call.parts.events,
    requested => {
      const limits = { bytesLeft, minOneBatch }
      // A negative number of bytes is an error of the first partition; the other partitions get a limit of 0.
      bytesLeft = Math.max(0, bytesLeft)
      const result = readPartition(requested, limits, call)
      bytesLeft = Math.max(0, bytesLeft - result.recordBytes)
      if (result.recordBytes > 0) minOneBatch = false
      return result
    },
    (requested, failure) => failed(requested, failure, call)
  )
}

function readPartition(
  requested: RequestedPartition,
  budget: { bytesLeft: number; minOneBatch: boolean },
  { request, parts: { replicas }, context }: FetchCall
): Read {
  const partition = replicas.partition(requested.topic, requested.partition)
  if (context.apiVersion >= TOPIC_IDS_SINCE && replicas.topic(requested.topic).topicId !== requested.topicId) {
    throw new KafkaError('INCONSISTENT_TOPIC_ID', `topic ${requested.topic} was recreated with another topic id`)
  }
  const currentLeaderEpoch = Math.max(ANY_EPOCH, requested.currentLeaderEpoch)
  if (context.apiVersion >= FOLLOWERS_SINCE && isConsumer(request)) partition.checkLeaderEpoch(currentLeaderEpoch)
  else partition.checkLeads(currentLeaderEpoch)
  if (!isConsumer(request)) refuseFollower(requested)
  const { highWatermark, lastStableOffset, logStartOffset } = partition.log
  const committed = request.isolationLevel === READ_COMMITTED
  const diverging = divergingEpoch(partition, requested)
  const maxBytes = Math.min(requested.partitionMaxBytes, budget.bytesLeft)
  const upTo = committed ? lastStableOffset : highWatermark
  const records = diverging
    ? Buffer.alloc(0)
    : partition.log.read(requested.fetchOffset, {
        maxBytes,
        upTo,
        minOneBatch: budget.minOneBatch,
        buffers: context.buffers
      })
  const data: PartitionData = {
    partitionIndex: requested.partition,
    errorCode: 'NONE',
    highWatermark,
    lastStableOffset,
    logStartOffset,
    abortedTransactions: committed ? abortedIn(partition, requested.fetchOffset, records) : null,
    records,
    ...(diverging && { divergingEpoch: diverging })
  }
  const recordBytes = records.length
  const diverges = diverging !== undefined
  return { requested, partition, data, errorCode: 'NONE', highWatermark, logStartOffset, upTo, recordBytes, diverges }
}

/** The aborted transactions of the records. Empty at or after the last stable offset: transactions there are not decided. */
function abortedIn({ log }: Partition, fetchOffset: bigint, records: Buffer) {
  return fetchOffset < log.lastStableOffset ? log.reader.abortedWithin(fetchOffset, records.length) : []
}

/** Negative ids are consumers: -1, and -2 for debugging. They are also used for a replica that moves within its broker. */
function isConsumer({ replicaId, replicaState }: Request<'Fetch'>): boolean {
  return replicaId < 0 && replicaState.replicaId < 0
}

/** As in Kafka, replicas that are not in the assignment are refused. No partition has followers. */
function refuseFollower({ currentLeaderEpoch }: RequestedPartition): never {
  const code = currentLeaderEpoch >= 0 ? 'UNKNOWN_LEADER_EPOCH' : 'NOT_LEADER_OR_FOLLOWER'
  throw new KafkaError(code, 'the replica is not in the assignment of the partition')
}

/** The end offset of the epoch at which the client's log diverges, if its last fetched epoch shows this (KIP-595). */
function divergingEpoch(
  { log }: Partition,
  { lastFetchedEpoch, fetchOffset }: RequestedPartition
): { epoch: number; endOffset: bigint } | undefined {
  if (lastFetchedEpoch < 0) return undefined
  const end = log.endOffsetForEpoch(lastFetchedEpoch)
  if (!end) throw new KafkaError('OFFSET_OUT_OF_RANGE', `the end offset of leader epoch ${lastFetchedEpoch} is unknown`)
  if (fetchOffset < log.logStartOffset)
    throw new KafkaError(
      'OFFSET_OUT_OF_RANGE',
      `offset ${fetchOffset} is below the log start offset ${log.logStartOffset}`
    )
  const { epoch, endOffset } = end
  return epoch < lastFetchedEpoch || endOffset < fetchOffset ? { epoch, endOffset } : undefined
}

/** Older clients get NOT_LEADER_OR_FOLLOWER and refresh their metadata. */
const STORAGE_ERROR_SINCE = 6
/** Since this version the response to a client with the wrong leader has the current leader (KIP-951). */
const CURRENT_LEADER_SINCE = 16
const LEADER_ERRORS: ReadonlySet<ErrorName> = new Set<ErrorName>(['NOT_LEADER_OR_FOLLOWER', 'FENCED_LEADER_EPOCH'])
const NOTHING_READ = {
  partition: undefined,
  highWatermark: -1n,
  logStartOffset: -1n,
  upTo: -1n,
  recordBytes: 0,
  diverges: false
}

function failed(requested: RequestedPartition, failure: Failure, { parts, context }: FetchCall): Read {
  const { apiVersion } = context
  const hidden = failure.errorCode === 'KAFKA_STORAGE_ERROR' && apiVersion < STORAGE_ERROR_SINCE
  const errorCode = hidden ? 'NOT_LEADER_OR_FOLLOWER' : failure.errorCode
  const namesLeader = apiVersion >= CURRENT_LEADER_SINCE && LEADER_ERRORS.has(errorCode)
  const { topic: name, topicId, partition } = requested
  const currentLeader = namesLeader ? parts.replicas.currentLeader({ name, topicId }, partition) : {}
  const data = { ...nothing(requested.partition, errorCode), abortedTransactions: null, currentLeader }
  return { ...NOTHING_READ, requested, errorCode, data }
}

function nothing(partitionIndex: number, errorCode: ErrorName): PartitionData {
  const records = Buffer.alloc(0)
  return { partitionIndex, errorCode, highWatermark: -1n, logStartOffset: -1n, abortedTransactions: [], records }
}

/** As in Kafka, the order is kept: a topic whose partitions are not adjacent is repeated. */
function byTopic(responses: readonly PartitionResult[]): Response<'Fetch'>['responses'] {
  const topics: { topic: string; topicId: string; partitions: PartitionData[] }[] = []
  for (const { requested, data } of responses) {
    const { topic, topicId } = requested
    const last = topics.at(-1)
    const isSame = topicId === ZERO_UUID ? last?.topic === topic : last?.topicId === topicId
    if (last && isSame) last.partitions.push(data)
    else topics.push({ topic, topicId, partitions: [data] })
  }
  return topics
}
