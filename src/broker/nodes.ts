/** The nodes of the cluster, with the addresses for clients of a connection. */
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
