/** Who leads after a start: Kafka leaves its partitions without a leader when it stops in good order. */
import type { MetadataImage, PartitionState } from '../image/image.ts'
import { type MetadataRecord, metadataRecord } from '../records.ts'

/**
 * What gives every partition without a leader one again: the first of its in-sync replicas. Where Kafka has left none
 * of them in sync (KIP-966), it is the first replica, which on a node that has all replicas lacks nothing.
 */
export function electLeaders(image: MetadataImage): MetadataRecord[] {
  return [...image.topicsById.values()].flatMap(({ topicId, partitions }) =>
    partitions.filter(needsLeader).map(({ partitionId, isr, replicas }) => {
      const [leader] = isr
      if (leader !== undefined) return metadataRecord('PartitionChangeRecord', { partitionId, topicId, leader })
      const none = { eligibleLeaderReplicas: [], lastKnownElr: [] }
      const inSync = replicas.slice(0, 1)
      return metadataRecord('PartitionChangeRecord', { partitionId, topicId, leader: inSync[0], isr: inSync, ...none })
    })
  )
}

function needsLeader({ leader, replicas }: PartitionState): boolean {
  return leader === -1 && replicas.length > 0
}
