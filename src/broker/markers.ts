/**
 * Transaction markers on their way into partitions: those of users' topics take them as they are, and with that of a
 * partition of `__consumer_offsets` the offsets that the transaction committed come to count, or go.
 */
import type { GroupCoordinator } from '../group/coordinator.ts'
import { GROUP_METADATA_TOPIC_NAME } from '../metadata/topic-names.ts'
import type { Catalog } from '../replica/catalog.ts'
import type { Clock } from '../runtime/clock.ts'
import type { MarkerPort } from '../txn/markers.ts'

/** Where the partitions are. */
export interface MarkerWorld {
  readonly catalog: Catalog
  readonly groups: GroupCoordinator
  readonly clock: Clock
}

export function markerPort({ catalog, groups, clock }: MarkerWorld): MarkerPort {
  return {
    write: (topic, index, marker) => {
      catalog.checkInSync(topic, index)
      const partition = catalog.partition(topic, index)
      const { result: type, transactionVersion, ...said } = marker
      partition.end({ ...said, type, timestamp: BigInt(clock.now()) }, transactionVersion)
      if (topic === GROUP_METADATA_TOPIC_NAME) groups.endTransaction(index, marker.producerId, type === 'COMMIT')
      return partition.log.settled()
    },
    hasOpen: (topic, index, producerId) => {
      // Nothing is open where there is nothing.
      if (index >= catalog.partitionCount(topic) || !catalog.hasLog(topic, index)) return false
      return catalog.partition(topic, index).hasOpenTransaction(producerId)
    }
  }
}
