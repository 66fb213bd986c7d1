/**
 * OffsetForLeaderEpoch: where an epoch ended, so that a consumer sees whether its position was truncated (KIP-320).
 * An epoch that the log does not know is answered with epoch -1 and offset -1.
 */
import type { Handler } from '../context.ts'
import { each } from '../per-partition.ts'

const UNKNOWN = { leaderEpoch: -1, endOffset: -1n }

export const offsetForLeaderEpoch: Handler<'OffsetForLeaderEpoch'> = (request, { parts }) => ({
  topics: request.topics.map(({ topic, partitions }) => ({
    topic,
    partitions: each(
      partitions,
      parts,
      ({ partition: index, currentLeaderEpoch, leaderEpoch }) => {
        const partition = parts.catalog.partition(topic, index)
        partition.checkLeaderEpoch(currentLeaderEpoch)
        const end = partition.log.endOffsetForEpoch(leaderEpoch)
        const known = end && { leaderEpoch: end.epoch, endOffset: end.endOffset }
        return { partition: index, errorCode: 'NONE' as const, ...(known ?? UNKNOWN) }
      },
      ({ partition }, { errorCode }) => ({ partition, errorCode, ...UNKNOWN })
    )
  }))
})
