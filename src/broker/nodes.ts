/** The nodes of the cluster, with the addresses by which the clients of one connection reach them. */
import type { ConnectionContext } from '../net/dispatch.ts'
import type { Parts } from './context.ts'

export interface Node {
  readonly nodeId: number
  readonly host: string
  readonly port: number
  readonly rack: string | null
}

/** Without `advertised.listeners` a client is told the address it reached us by: the one that surely works for it. */
export function nodesFor(
  { nodeId, listeners, settings }: Pick<Parts, 'nodeId' | 'listeners' | 'settings'>,
  connection: ConnectionContext
): Node[] {
  const advertised = listeners.find(({ name }) => name === connection.listenerName)?.advertised
  const host = advertised?.host ?? connection.localAddress
  const port = advertised?.port ?? connection.localPort
  return [{ nodeId, host, port, rack: settings.get('broker.rack') }]
}
