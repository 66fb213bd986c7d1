/** Who leads after a start: Kafka leaves its partitions without a leader when it stops in good order. */
import type { MetadataImage, PartitionState } from './image.ts'
import { type MetadataRecord, metadataRecord } from './records.ts'

/** What gives every partition without a leader one again: the first of its in-sync replicas. */
export function electLeaders(image: MetadataImage): MetadataRecord[] {
  return [...image.topicsById.values()].flatMap(({ topicId, partitions }) =>
    partitions.filter(needsLeader).map(({ partitionId, isr }) => {
      const [leader] = isr
      return metadataRecord('PartitionChangeRecord', { partitionId, topicId, leader })
    })
  )
}

function needsLeader({ leader, isr }: PartitionState): boolean {
  return leader === -1 && isr.length > 0
}
