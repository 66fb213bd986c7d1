/**
 * OffsetForLeaderEpoch: the end offset of an epoch, by which a consumer detects truncation (KIP-320). An unknown epoch gets epoch
 * -1 and offset -1. The response waits for flushes, because a crash could otherwise truncate the log below the returned offset.
 */
import { handler, type PartsOf, type Request, type Response } from '../../context.ts'
import { each } from '../../per-partition.ts'

const UNKNOWN = { leaderEpoch: -1, endOffset: -1n }

const PARTS = ['replicas', 'events'] as const

export const offsetForLeaderEpoch = handler('OffsetForLeaderEpoch', PARTS, async (request, parts) => {
  await Promise.allSettled(
    request.topics.flatMap(({ topic, partitions }) =>
      partitions.map(async ({ partition }) => parts.replicas.leading(topic, partition).log.settled())
    )
  )
  return { topics: endOffsets(request, parts) }
})

function endOffsets(
  request: Request<'OffsetForLeaderEpoch'>,
  { replicas, events }: PartsOf<typeof PARTS>
): Response<'OffsetForLeaderEpoch'>['topics'] {
  return request.topics.map(({ topic, partitions }) => ({
    topic,
    partitions: each(
      partitions,
      events,
      ({ partition: index, currentLeaderEpoch, leaderEpoch }) => {
        const { log } = replicas.leading(topic, index, currentLeaderEpoch)
        const end = log.endOffsetForEpoch(leaderEpoch)
        const epochEnd = end && { leaderEpoch: end.epoch, endOffset: end.endOffset }
        return { partition: index, errorCode: 'NONE' as const, ...(epochEnd ?? UNKNOWN) }
      },
      ({ partition }, { errorCode }) => ({ partition, errorCode, ...UNKNOWN })
    )
  }))
}
