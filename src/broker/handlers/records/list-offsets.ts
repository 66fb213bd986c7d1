/**
 * ListOffsets: offsets by timestamp, and special offsets (KIP-79, KIP-320, KIP-405, KIP-734, KIP-1005, KIP-1023).
 * - A timestamp finds the first record at or after it, -1 if there is none below the high watermark or last stable offset.
 * - Special timestamps get UNSUPPORTED_VERSION in versions without them. A repeated partition gets INVALID_REQUEST.
 * - An unknown isolation level gets UNKNOWN_SERVER_ERROR for every partition.
 * - There is no tiered storage: the earliest local offset is the earliest offset, and no offset is tiered or pending upload.
 */

import { KafkaError } from '../../../protocol/errors.ts'
import { isIsolationLevel, READ_COMMITTED } from '../../../protocol/isolation-level.ts'
import { ZERO_UUID } from '../../../protocol/wire/bytes.ts'
import type { Partition } from '../../../replica/partition.ts'
import { handler, type Parts, type Request, type RequestContext, type Response } from '../../context.ts'
import { byTopic, distinct, each, type PartitionRef } from '../../per-partition.ts'

type RequestedOffset = Request<'ListOffsets'>['topics'][number]['partitions'][number]
type Answer = Response<'ListOffsets'>['topics'][number]['partitions'][number]

/** Replica id of a debugging consumer. It may ask a follower. */
const DEBUGGING_REPLICA_ID = -2

const LATEST = -1n
const EARLIEST = -2n
const MAX_TIMESTAMP = -3n
const EARLIEST_LOCAL = -4n
const LATEST_TIERED = -5n
const EARLIEST_PENDING_UPLOAD = -6n

/** The first version of each special timestamp. */
const SPECIAL_SINCE = new Map<bigint, number>([
  [LATEST, 1],
  [EARLIEST, 1],
  [MAX_TIMESTAMP, 7],
  [EARLIEST_LOCAL, 8],
  [LATEST_TIERED, 9],
  [EARLIEST_PENDING_UPLOAD, 11]
])

const NOTHING = { timestamp: -1n, offset: -1n, leaderEpoch: -1 }

const PARTS = ['replicas', 'events'] as const

export const listOffsets = handler('ListOffsets', PARTS, (request, { replicas, events }, context) => {
  const requested = request.topics.flatMap(({ name, partitions }) =>
    partitions.map(requested => ({
      topic: name,
      topicId: ZERO_UUID,
      partition: requested.partitionIndex,
      requested
    }))
  )
  const once = distinct(requested)
  const kept = new Set(once)
  const repeated = new Set(requested.filter(ref => !kept.has(ref)).map(keyOf))
  const results = each(
    once,
    events,
    ref => {
      checkIsolationLevel(request)
      if (repeated.has(keyOf(ref)))
        throw new KafkaError('INVALID_REQUEST', `the request repeats the partition ${keyOf(ref)}`)
      return { ...ref, data: listOffset(ref.topic, ref.requested, request, replicas, context) }
    },
    (ref, { errorCode }) => ({ ...ref, data: { partitionIndex: ref.partition, errorCode, ...NOTHING } })
  )
  return { topics: byTopic(results).map(({ topic, partitions }) => ({ name: topic, partitions })) }
})

function keyOf({ topic, partition }: PartitionRef): string {
  return `${topic}-${partition}`
}

function checkIsolationLevel({ isolationLevel }: Request<'ListOffsets'>): void {
  if (isIsolationLevel(isolationLevel)) return
  throw new KafkaError('UNKNOWN_SERVER_ERROR', `the isolation level ${isolationLevel} is unknown; valid are 0 and 1`)
}

function listOffset(
  topic: string,
  requested: RequestedOffset,
  { isolationLevel, replicaId }: Request<'ListOffsets'>,
  replicas: Parts['replicas'],
  { apiVersion }: RequestContext
): Answer {
  const { partitionIndex, timestamp, currentLeaderEpoch } = requested
  if (timestamp < 0n && (SPECIAL_SINCE.get(timestamp) ?? Number.POSITIVE_INFINITY) > apiVersion) {
    throw new KafkaError('UNSUPPORTED_VERSION', `version ${apiVersion} does not support the timestamp ${timestamp}`)
  }
  const partition = replicas.partition(topic, partitionIndex)
  if (replicaId === DEBUGGING_REPLICA_ID) partition.checkLeaderEpoch(currentLeaderEpoch)
  else partition.checkLeads(currentLeaderEpoch)
  const end = isolationLevel === READ_COMMITTED ? partition.log.lastStableOffset : partition.log.highWatermark
  return { partitionIndex, errorCode: 'NONE', ...find(partition, timestamp, end) }
}

/** The offset for a timestamp or special timestamp, below `end`. */
function find({ log, leaderEpoch }: Partition, timestamp: bigint, end: bigint) {
  switch (timestamp) {
    case LATEST:
      return { timestamp: -1n, offset: end, leaderEpoch }
    case EARLIEST:
    case EARLIEST_LOCAL:
      return {
        timestamp: -1n,
        offset: log.logStartOffset,
        leaderEpoch: log.leaderEpochs.epochAt(log.logStartOffset) ?? -1
      }
    case LATEST_TIERED:
    case EARLIEST_PENDING_UPLOAD:
      return NOTHING
    default: {
      const found =
        timestamp === MAX_TIMESTAMP ? log.reader.maxTimestampOffset() : log.reader.offsetForTimestamp(timestamp)
      return found && found.offset < end ? found : NOTHING
    }
  }
}
