/**
 * Checks that a single node with a single data directory can serve a metadata log, which another broker may have written. A log
 * that fails a check stays unchanged.
 */
import { METADATA_FOLDER, parseFolder } from '../../log/partition-folder.ts'
import type { Storage } from '../../storage/storage.ts'
import type { MetadataImage, PartitionState } from '../image/image.ts'
import { MetadataError } from '../metadata-error.ts'
import { type MetadataRecord, metadataRecord } from '../records.ts'
import type { Quorum } from './quorum.ts'

/** Identity of this node. */
export interface AdoptingNode {
  readonly nodeId: number
  /** The id of the data directory. */
  readonly directoryId: string
}

/** Kafka's directory ids UNASSIGNED and MIGRATING. They match any directory. */
const ANY_DIRECTORY: readonly string[] = ['AAAAAAAAAAAAAAAAAAAAAQ', 'AAAAAAAAAAAAAAAAAAAAAA']

/** Throws MetadataError if another node is a voter, an unfenced broker or a replica, or if another directory has a replica. */
export function checkAlone(image: MetadataImage, { voterIds }: Quorum, node: AdoptingNode): void {
  const { nodeId } = node
  if (voterIds?.some(id => id !== nodeId)) {
    throw new MetadataError(
      `the metadata belongs to a quorum of the nodes ${voterIds.join()}, but only a quorum of node ${nodeId} alone is supported`
    )
  }
  for (const record of image.others.values()) {
    if (record.type !== 'RegisterBrokerRecord' || record.brokerId === nodeId || record.fenced) continue
    throw new MetadataError(
      `broker ${record.brokerId} is registered in the metadata and may be alive, but only broker ${nodeId} may be registered`
    )
  }
  for (const { name, partitions } of image.topicsById.values()) {
    for (const partition of partitions) checkPartition(name, partition, node)
  }
}

/**
 * Throws MetadataError if a new cluster would begin in a data directory with partitions. In that case the metadata log is
 * lost, and all these partitions would count as stray.
 */
export function checkUnused(storage: Storage): void {
  const isPartition = (name: string) => name !== METADATA_FOLDER && typeof parseFolder(name) === 'object'
  const partition = storage.list('').find(({ name, kind }) => kind === 'directory' && isPartition(name))
  if (!partition) return
  throw new MetadataError(
    `${METADATA_FOLDER} is empty or missing, but the data directory has partitions such as ${partition.name}: restore ${METADATA_FOLDER}, or remove the partitions`
  )
}

function checkPartition(topic: string, partition: PartitionState, { nodeId, directoryId }: AdoptingNode): void {
  const { partitionId, replicas, directories } = partition
  if (replicas.some(id => id !== nodeId)) {
    throw new MetadataError(
      `partition ${topic}-${partitionId} has replicas on the brokers ${replicas.join()}, but must have only one on broker ${nodeId}`
    )
  }
  const elsewhere = directories.find(id => id !== directoryId && !ANY_DIRECTORY.includes(id))
  if (elsewhere === undefined) return
  throw new MetadataError(
    `partition ${topic}-${partitionId} is in the data directory with id ${elsewhere}, but this directory has id ${directoryId}`
  )
}

/**
 * Records that fence the brokers of a Kafka that stopped without a controlled shutdown. Without them, a later Kafka would
 * consider these brokers alive for some seconds and could not register.
 */
export function fenceStaleBrokers(image: MetadataImage): MetadataRecord[] {
  return [...image.others.values()].flatMap(record => {
    if (record.type !== 'RegisterBrokerRecord' || record.fenced) return []
    const { brokerId, brokerEpoch } = record
    return [metadataRecord('BrokerRegistrationChangeRecord', { brokerId, brokerEpoch, fenced: 1 })]
  })
}
