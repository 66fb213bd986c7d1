// Waits for the group coordinators of a Kafka. It creates __consumer_offsets on the first request for a coordinator,
// and loads the partitions one after the other. Until then librdkafka returns COORDINATOR_NOT_AVAILABLE to its caller,
// while the Java clients retry.
import { partitionFor } from '../../../src/coordinator/partitioner.ts'
import { APIS } from '../../../src/protocol/messages/index.ts'
import { Session } from '../oracle/session.ts'

const { FindCoordinator, OffsetFetch } = APIS
/** The default of offsets.topic.num.partitions. */
const PARTITIONS = 50
const CANDIDATES = Array.from({ length: 1000 }, (_, number) => `group-${number}`)
/** A group id for each partition of __consumer_offsets. */
const GROUPS = [...new Map(CANDIDATES.map(groupId => [partitionFor(groupId, PARTITIONS), groupId])).values()]

/** Resolves with the broker when the coordinator of each partition responds. */
export async function coordinating<Broker extends { readonly bootstrapServers: string }>(
  broker: Broker
): Promise<Broker> {
  const session = new Session(broker.bootstrapServers)
  const isAllWell = (answers: readonly { readonly errorCode: string }[]) =>
    answers.length === PARTITIONS && answers.every(({ errorCode }) => errorCode === 'NONE')
  await session.requestUntil(FindCoordinator, 4, { coordinatorKeys: GROUPS }, ({ coordinators }) =>
    isAllWell(coordinators)
  )
  const groups = GROUPS.map(groupId => ({ groupId, topics: [] }))
  await session.requestUntil(OffsetFetch, 8, { groups }, answer => isAllWell(answer.groups))
  await session.closeAll()
  return broker
}
