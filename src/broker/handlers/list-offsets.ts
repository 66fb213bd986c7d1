/**
 * ListOffsets: offsets by timestamp, and the special ones (KIP-79, KIP-320, KIP-405, KIP-734, KIP-1005, KIP-1023).
 * - A timestamp finds the first record at or after it, -1 when there is none below what the reader may see.
 * - Special timestamps are UNSUPPORTED_VERSION below the version that brought them; a partition named twice is
 *   INVALID_REQUEST.
 * - There is no tiered storage: the earliest local offset is the earliest one, nothing is tiered or pending upload.
 */
import { KafkaError } from '../../protocol/errors.ts'
import type { Handler, Request, RequestContext, Response } from '../context.ts'
import type { Partition } from '../partition.ts'
import { each } from '../per-partition.ts'

type Topic = Request<'ListOffsets'>['topics'][number]
type Asked = Topic['partitions'][number]
type Answer = Response<'ListOffsets'>['topics'][number]['partitions'][number]

const LATEST = -1n
const EARLIEST = -2n
const MAX_TIMESTAMP = -3n
const EARLIEST_LOCAL = -4n
const LATEST_TIERED = -5n
const EARLIEST_PENDING_UPLOAD = -6n

/** The first version that may ask for each special timestamp. */
const SPECIAL_SINCE = new Map<bigint, number>([
  [LATEST, 1],
  [EARLIEST, 1],
  [MAX_TIMESTAMP, 7],
  [EARLIEST_LOCAL, 8],
  [LATEST_TIERED, 9],
  [EARLIEST_PENDING_UPLOAD, 11]
])

const READ_COMMITTED = 1
const NOTHING = { timestamp: -1n, offset: -1n, leaderEpoch: -1 }

export const listOffsets: Handler<'ListOffsets'> = (request, context) => {
  const repeated = repeatedPartitions(request)
  const topics = request.topics.map(({ name, partitions }) => ({
    name,
    partitions: each(
      partitions,
      context.parts,
      asked => {
        if (repeated.has(`${name}-${asked.partitionIndex}`)) {
          throw new KafkaError('INVALID_REQUEST', `${name}-${asked.partitionIndex} stands twice in the request`)
        }
        return answer(name, asked, request, context)
      },
      ({ partitionIndex }, { errorCode }): Answer => ({ partitionIndex, errorCode, ...NOTHING })
    )
  }))
  return { topics }
}

function repeatedPartitions({ topics }: Request<'ListOffsets'>): Set<string> {
  const seen = new Set<string>()
  const repeated = new Set<string>()
  for (const { name, partitions } of topics) {
    for (const { partitionIndex } of partitions) {
      const key = `${name}-${partitionIndex}`
      if (seen.has(key)) repeated.add(key)
      seen.add(key)
    }
  }
  return repeated
}

function answer(
  topic: string,
  asked: Asked,
  { isolationLevel }: Request<'ListOffsets'>,
  { parts, apiVersion }: RequestContext
): Answer {
  const { partitionIndex, timestamp, currentLeaderEpoch } = asked
  if (timestamp < 0n && (SPECIAL_SINCE.get(timestamp) ?? Number.POSITIVE_INFINITY) > apiVersion) {
    throw new KafkaError('UNSUPPORTED_VERSION', `version ${apiVersion} cannot ask for timestamp ${timestamp}`)
  }
  const partition = parts.catalog.partition(topic, partitionIndex)
  partition.checkLeaderEpoch(currentLeaderEpoch)
  const end = isolationLevel === READ_COMMITTED ? partition.log.lastStableOffset : partition.log.highWatermark
  return { partitionIndex, errorCode: 'NONE', ...find(partition, timestamp, end) }
}

/** The offset for a timestamp, special or not, below `end`: what this reader may see. */
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
      const found = timestamp === MAX_TIMESTAMP ? log.maxTimestampOffset() : log.offsetForTimestamp(timestamp)
      return found && found.offset < end ? found : NOTHING
    }
  }
}
