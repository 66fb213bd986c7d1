/** Placement of the replicas of a new partition: striped over the brokers, or a checked assignment of the client. */
import { KafkaError } from '../../protocol/errors.ts'
import { type MetadataRecord, metadataRecord } from '../records.ts'

/** A broker that can hold replicas, and the id of the data directory for them. */
export interface BrokerPlace {
  readonly nodeId: number
  readonly directoryId: string
}

/** The brokers of partition `index`. Each partition starts at the next broker, which spreads leaders evenly. */
export function placeReplicas(brokers: readonly BrokerPlace[], index: number, replicationFactor: number): number[] {
  if (replicationFactor > brokers.length) {
    throw new KafkaError(
      'INVALID_REPLICATION_FACTOR',
      `The target replication factor of ${replicationFactor} cannot be reached because only ${brokers.length} ` +
        'broker(s) are registered or some brokers have all their log directories cordoned.'
    )
  }
  return brokers.map((_, turn) => brokers[(index + turn) % brokers.length]?.nodeId ?? -1).slice(0, replicationFactor)
}

/** Throws INVALID_REPLICA_ASSIGNMENT unless the brokers are registered and distinct, and as many as `replicationFactor`. */
export function checkAssignment(
  brokers: readonly BrokerPlace[],
  brokerIds: readonly number[],
  replicationFactor: number | undefined
): void {
  if (brokerIds.length === 0) invalid('The manual partition assignment includes an empty replica list.')
  const sorted = [...brokerIds].sort((a, b) => a - b)
  for (const [index, brokerId] of sorted.entries()) {
    if (!brokers.some(({ nodeId }) => nodeId === brokerId)) {
      invalid(`The manual partition assignment includes broker ${brokerId}, but no such broker is registered.`)
    }
    if (index > 0 && sorted[index - 1] === brokerId) {
      invalid(`The manual partition assignment includes the broker ${brokerId} more than once.`)
    }
  }
  if (replicationFactor !== undefined && sorted.length !== replicationFactor) {
    invalid(
      `The manual partition assignment includes a partition with ${sorted.length} replica(s), but this is not ` +
        `consistent with previous partitions, which have ${replicationFactor} replica(s).`
    )
  }
}

/** The record of a new partition. Its leader is the first replica. */
export function partitionRecord(
  topicId: string,
  partitionId: number,
  replicas: readonly number[],
  brokers: readonly BrokerPlace[]
): MetadataRecord {
  const directoryOf = (id: number) => brokers.find(({ nodeId }) => nodeId === id)?.directoryId
  return metadataRecord('PartitionRecord', {
    partitionId,
    topicId,
    replicas,
    isr: replicas,
    leader: replicas[0] ?? -1,
    leaderEpoch: 0,
    partitionEpoch: 0,
    directories: replicas.flatMap(id => directoryOf(id) ?? [])
  })
}

function invalid(message: string): never {
  throw new KafkaError('INVALID_REPLICA_ASSIGNMENT', message)
}
