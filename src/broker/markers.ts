/**
 * Writes transaction markers to partitions. A marker in a partition of `__consumer_offsets` also commits or drops the pending
 * transactional offsets of the producer.
 */
import type { GroupCoordinator } from '../group/coordinator.ts'
import { GROUP_METADATA_TOPIC_NAME } from '../metadata/topic-names.ts'
import type { Replicas } from '../replica/replicas.ts'
import type { Clocks } from '../runtime/time.ts'
import type { MarkerPort } from '../txn/markers.ts'

/** The parts that this module uses. */
export interface MarkerWorld {
  readonly replicas: Replicas
  readonly groups: GroupCoordinator
  readonly clocks: Clocks
}

export function markerPort({ replicas, groups, clocks }: MarkerWorld): MarkerPort {
  return {
    write: (topic, index, marker) => {
      const partition = replicas.leading(topic, index)
      replicas.checkInSync(topic, index)
      partition.end({ ...marker, timestamp: BigInt(clocks.wall.now()) }, marker.transactionVersion)
      if (topic === GROUP_METADATA_TOPIC_NAME) groups.endTransaction(index, marker.producerId, marker.result)
      return partition.replicated()
    },
    hasOpen: (topic, index, producerId) => {
      if (index >= replicas.partitionCount(topic)) return false
      // Only the leader knows the open transactions.
      if (!replicas.leads(topic, index)) return true
      return replicas.hasLog(topic, index) && replicas.leading(topic, index).hasOpenTransaction(producerId)
    }
  }
}
