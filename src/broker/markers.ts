/**
 * Transaction markers on their way into partitions: those of users' topics take them as they are, and with that of a
 * partition of `__consumer_offsets` the offsets that the transaction committed come to count, or go.
 */
import type { GroupCoordinator } from '../group/coordinator.ts'
import { GROUP_METADATA_TOPIC_NAME } from '../metadata/topic-names.ts'
import type { Replicas } from '../replica/replicas.ts'
import type { Clocks } from '../runtime/time.ts'
import type { MarkerPort } from '../txn/markers.ts'

/** Where the partitions are. */
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
      // Nothing is open where there is nothing.
      if (index >= replicas.partitionCount(topic) || !replicas.hasLog(topic, index)) return false
      return replicas.partition(topic, index).hasOpenTransaction(producerId)
    }
  }
}
