// A Kafka that coordinates groups: it makes their topic when somebody first asks for a coordinator, and takes its partitions
// over one after the other. Until then librdkafka tells whoever asks that there is none, where Java's clients ask again.
import { partitionFor } from '../../../src/coordinator/partitioner.ts'
import { APIS } from '../../../src/protocol/messages/index.ts'
import { Session } from '../oracle/session.ts'

const { FindCoordinator, OffsetFetch } = APIS
/** offsets.topic.num.partitions, by default. */
const PARTITIONS = 50
const CANDIDATES = Array.from({ length: 1000 }, (_, number) => `group-${number}`)
/** One group in each partition. */
const GROUPS = [...new Map(CANDIDATES.map(groupId => [partitionFor(groupId, PARTITIONS), groupId])).values()]

/** Resolves with the broker when each partition of its groups answers. */
export async function coordinating<Broker extends { readonly bootstrapServers: string }>(
  broker: Broker
): Promise<Broker> {
  const session = new Session(broker.bootstrapServers)
  const isAllWell = (answers: readonly { readonly errorCode: string }[]) =>
    answers.length === PARTITIONS && answers.every(({ errorCode }) => errorCode === 'NONE')
  await session.askUntil(FindCoordinator, 4, { coordinatorKeys: GROUPS }, ({ coordinators }) => isAllWell(coordinators))
  const groups = GROUPS.map(groupId => ({ groupId, topics: [] }))
  await session.askUntil(OffsetFetch, 8, { groups }, answer => isAllWell(answer.groups))
  await session.closeAll()
  return broker
}
