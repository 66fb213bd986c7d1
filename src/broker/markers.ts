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
      replicas.checkInSync(topic, index)
      const partition = replicas.partition(topic, index)
      partition.end({ ...marker, timestamp: BigInt(clocks.wall.now()) }, marker.transactionVersion)
      if (topic === GROUP_METADATA_TOPIC_NAME) groups.endTransaction(index, marker.producerId, marker.result)
      return partition.log.settled()
    },
    hasOpen: (topic, index, producerId) => {
      // A partition that does not exist or has no log has no open transactions.
      if (index >= replicas.partitionCount(topic) || !replicas.hasLog(topic, index)) return false
      return replicas.partition(topic, index).hasOpenTransaction(producerId)
    }
  }
}
