/**
 * Fetch: records from many partitions, with a wait for enough of them (KIP-74, KIP-227, KIP-320, KIP-392, KIP-516).
 * - Partitions are served in order until the answer is full; the first batch of the first partition that has one
 *   always goes out whole, so that a consumer with small limits makes progress.
 * - Too few bytes, and no error: the request waits until they have arrived, woken by the append, or its time is over.
 * - Incremental sessions from version 7 on; topic ids from version 13 on.
 */

import { ZERO_UUID } from '../../protocol/bytes.ts'
import { KafkaError } from '../../protocol/errors.ts'
import type { Handler, Request, RequestContext, Response } from '../context.ts'
import type { FetchResult, WantedPartition } from '../fetch-sessions.ts'
import type { Partition } from '../partition.ts'
import { each, type Failure } from '../per-partition.ts'

type PartitionData = Response<'Fetch'>['responses'][number]['partitions'][number]

interface Read extends FetchResult {
  readonly data: PartitionData
  /** The partition that was read, when there is one: where to wait for more. */
  readonly partition: Partition | undefined
}

const FIRST_VERSION_WITH_IDS = 13
const READ_COMMITTED = 1
/** A debugging consumer reads from any replica. */
const CONSUMERS: ReadonlySet<number> = new Set([-1, -2])

export const fetch: Handler<'Fetch'> = async (request, context) => {
  const { parts, apiVersion, connection } = context
  const round = parts.fetchSessions.open(sessionRequest(request, apiVersion), parts.clock.now())
  const startedMs = parts.clock.now()
  const maxBytes = Math.min(request.maxBytes, parts.settings.get('fetch.max.bytes'))
  let reads = readAll(round.wanted, request, context, maxBytes)
  const missing = Math.min(request.minBytes, maxBytes) - reads.reduce((sum, read) => sum + read.recordBytes, 0)
  const waiting = reads.flatMap(({ partition }) => (partition ? [partition.waiting] : []))
  if (missing > 0 && request.maxWaitMs > 0 && waiting.length > 0 && !reads.some(mustAnswer)) {
    await parts.parking.wait(waiting, missing, startedMs + request.maxWaitMs, connection.closed)
    reads = readAll(round.wanted, request, context, maxBytes)
  }
  const { sessionId, results } = round.answer(reads, parts.clock.now())
  return { sessionId, responses: byTopic(results) }
}

/** An unknown topic does not end the wait of the others; any other error does, and a log that has diverged. */
function mustAnswer({ partition, errorCode, diverges }: Read): boolean {
  return diverges || (errorCode !== 'NONE' && partition !== undefined)
}

function sessionRequest(request: Request<'Fetch'>, apiVersion: number) {
  const wanted = request.topics.flatMap(({ topic, topicId, partitions }) =>
    partitions.map(data => ({ ...data, topic, topicId }))
  )
  const forgotten = request.forgottenTopicsData.flatMap(({ topic, topicId, partitions }) =>
    partitions.map(partition => ({ topic, topicId, partition }))
  )
  const { sessionId, sessionEpoch } = request
  return { sessionId, sessionEpoch, usesTopicIds: apiVersion >= FIRST_VERSION_WITH_IDS, wanted, forgotten }
}

function readAll(
  wanted: readonly WantedPartition[],
  request: Request<'Fetch'>,
  context: RequestContext,
  maxBytes: number
): Read[] {
  let bytesLeft = maxBytes
  let minOneBatch = true
  return each(
    wanted,
    context.parts,
    one => {
      const result = readOne(one, request, context, { bytesLeft, minOneBatch })
      bytesLeft = Math.max(0, bytesLeft - result.recordBytes)
      if (result.recordBytes > 0) minOneBatch = false
      return result
    },
    (one, failure) => failed(one, failure, context)
  )
}

function readOne(
  wanted: WantedPartition,
  request: Request<'Fetch'>,
  { parts }: RequestContext,
  budget: { bytesLeft: number; minOneBatch: boolean }
): Read {
  const partition = parts.catalog.partition(parts.catalog.nameOf({ ...wanted, name: wanted.topic }), wanted.partition)
  partition.checkLeaderEpoch(wanted.currentLeaderEpoch)
  refuseFollower(wanted, request)
  const { highWatermark, lastStableOffset, logStartOffset } = partition.log
  const committed = request.isolationLevel === READ_COMMITTED
  const diverging = divergingEpoch(partition, wanted)
  const maxBytes = Math.min(wanted.partitionMaxBytes, budget.bytesLeft)
  const upTo = committed ? lastStableOffset : highWatermark
  const records = diverging
    ? Buffer.alloc(0)
    : partition.log.read(wanted.fetchOffset, { maxBytes, upTo, minOneBatch: budget.minOneBatch })
  const data: PartitionData = {
    partitionIndex: wanted.partition,
    errorCode: 'NONE',
    highWatermark,
    lastStableOffset,
    logStartOffset,
    abortedTransactions: committed ? [] : null,
    records,
    ...(diverging && { divergingEpoch: diverging })
  }
  const recordBytes = records.length
  const diverges = diverging !== undefined
  return { wanted, partition, data, errorCode: 'NONE', highWatermark, logStartOffset, recordBytes, diverges }
}

/** There are no followers yet: a replica that asks as one is not in any partition's assignment. */
function refuseFollower(wanted: WantedPartition, { replicaId, replicaState }: Request<'Fetch'>): void {
  if (CONSUMERS.has(replicaId) && CONSUMERS.has(replicaState.replicaId)) return
  const code = wanted.currentLeaderEpoch >= 0 ? 'UNKNOWN_LEADER_EPOCH' : 'NOT_LEADER_OR_FOLLOWER'
  throw new KafkaError(code, 'the fetching replica is not in the assignment of the partition')
}

/** Where the client's log parted from ours, when its last fetched epoch shows that it did (KIP-595). */
function divergingEpoch(
  { log }: Partition,
  { lastFetchedEpoch, fetchOffset }: WantedPartition
): { epoch: number; endOffset: bigint } | undefined {
  if (lastFetchedEpoch < 0) return undefined
  const end = log.endOffsetForEpoch(lastFetchedEpoch)
  if (!end) throw new KafkaError('OFFSET_OUT_OF_RANGE', `the end of epoch ${lastFetchedEpoch} is not known`)
  if (fetchOffset < log.logStartOffset) throw new KafkaError('OFFSET_OUT_OF_RANGE', 'the offset has been deleted')
  const { epoch, endOffset } = end
  return epoch < lastFetchedEpoch || endOffset < fetchOffset ? { epoch, endOffset } : undefined
}

/** Clients before version 6 do not know KAFKA_STORAGE_ERROR, and look for another leader instead. */
const FIRST_VERSION_WITH_STORAGE_ERROR = 6

function failed(wanted: WantedPartition, failure: Failure, { parts, apiVersion }: RequestContext): Read {
  const hidden = failure.errorCode === 'KAFKA_STORAGE_ERROR' && apiVersion < FIRST_VERSION_WITH_STORAGE_ERROR
  const errorCode = hidden ? 'NOT_LEADER_OR_FOLLOWER' : failure.errorCode
  const data: PartitionData = {
    partitionIndex: wanted.partition,
    errorCode,
    highWatermark: -1n,
    lastStableOffset: -1n,
    logStartOffset: -1n,
    abortedTransactions: null,
    records: Buffer.alloc(0)
  }
  const partition = parts.catalog.find({ ...wanted, name: wanted.topic }, wanted.partition)
  return {
    wanted,
    partition,
    data,
    errorCode,
    highWatermark: -1n,
    logStartOffset: -1n,
    recordBytes: 0,
    diverges: false
  }
}

function byTopic(reads: readonly Read[]): Response<'Fetch'>['responses'] {
  const topics = new Map<string, { topic: string; topicId: string; partitions: PartitionData[] }>()
  for (const { wanted, data } of reads) {
    const key = wanted.topicId === ZERO_UUID ? wanted.topic : wanted.topicId
    const known = topics.get(key)
    if (known) known.partitions.push(data)
    else topics.set(key, { topic: wanted.topic, topicId: wanted.topicId, partitions: [data] })
  }
  return [...topics.values()]
}
