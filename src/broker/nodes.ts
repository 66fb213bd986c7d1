/** The nodes of the cluster, with the addresses for clients of a connection. */
import type { PartitionState } from '../metadata/image/image.ts'
import type { ConnectionContext } from '../net/dispatch.ts'
import type { Parts } from './context.ts'

export interface Node {
  readonly nodeId: number
  readonly host: string
  readonly port: number
  readonly rack: string | null
}

/**
 * The nodes with their advertised addresses. Without `advertised.listeners`, a client gets the local address of its own
 * connection, which is reachable for it.
 */
export function nodesFor(
  { nodeId, listeners, settings }: Pick<Parts, 'nodeId' | 'listeners' | 'settings'>,
  connection: ConnectionContext
): Node[] {
  const advertised = listeners.find(({ name }) => name === connection.listenerName)?.advertised
  const host = advertised?.host ?? connection.localAddress
  const port = advertised?.port ?? connection.localPort
  return [{ nodeId, host, port, rack: settings.get('broker.rack') }]
}

const NO_LEADER_ID = -1
const NONE: readonly number[] = []

/** The leader of a partition, -1 if it is not among the nodes, and the replicas that are not. */
export function availability(
  { leader, replicas }: Pick<PartitionState, 'leader' | 'replicas'>,
  nodes: readonly Node[]
): { readonly leaderId: number; readonly offlineReplicas: readonly number[] } {
  const isAlive = (id: number) => nodes.some(({ nodeId }) => nodeId === id)
  return {
    leaderId: isAlive(leader) ? leader : NO_LEADER_ID,
    offlineReplicas: replicas.every(isAlive) ? NONE : replicas.filter(id => !isAlive(id))
  }
}
