/** Clients that are still connected when the fixture stops, as findings. */
import type { ClientIdentity, GroupMember, OpenConnection } from '../net/dispatch.ts'
import type { Finding } from './findings.ts'

const MOST_PORTS_SHOWN = 5
const REMEDY = 'disconnect it before kafka.stop()'
const LONGEST_TEXT_SHOWN = 100
const PLAIN_TEXT = /^[\w.@:/-]+$/

/** A finding for each client. Connections with the same client id, library and group member count as one client. */
export function findLeaks(connections: readonly OpenConnection[]): Finding[] {
  const portsByClient = new Map<string, number[]>()
  for (const { client, remotePort } of withMembers(connections)) {
    const name = clientName(client)
    const ports = portsByClient.get(name)
    if (ports) ports.push(remotePort)
    else portsByClient.set(name, [remotePort])
  }
  return [...portsByClient].map(([name, ports]) => ({
    severity: 'leak',
    subject: name,
    message: `${name} is still connected (${shownPorts(ports)})`,
    remedy: REMEDY
  }))
}

/**
 * A consumer joins its group on one of its connections and fetches on others. The other connections count as those of the
 * member if their client id and library have a single member.
 */
function withMembers(connections: readonly OpenConnection[]): OpenConnection[] {
  const membersByLibrary = new Map<string, Map<string, GroupMember>>()
  for (const { client } of connections) {
    if (client.member === undefined) continue
    const library = libraryName(client)
    const members = membersByLibrary.get(library) ?? new Map<string, GroupMember>()
    membersByLibrary.set(library, members.set(memberName(client.member), client.member))
  }
  return connections.map(({ client, remotePort }) => {
    const members = [...(membersByLibrary.get(libraryName(client))?.values() ?? [])]
    return {
      client: { ...client, member: client.member ?? (members.length === 1 ? members[0] : undefined) },
      remotePort
    }
  })
}

function clientName(client: ClientIdentity): string {
  return client.member ? `${libraryName(client)}, ${memberName(client.member)},` : libraryName(client)
}

/** For example `client billing (apache-kafka-java 4.3.1)`. */
function libraryName({ id, software }: ClientIdentity): string {
  const client = id === undefined ? 'a client that has sent no request' : `client ${shownText(id)}`
  return software ? `${client} (${software.name} ${software.version})` : client
}

/** For example `member m-1 of group g`. */
function memberName({ groupId, memberId }: GroupMember): string {
  return `${memberId === '' ? 'joining' : `member ${shownText(memberId)} of`} group ${shownText(groupId)}`
}

/** The text on one line, with a limited length. */
function shownText(text: string | null): string {
  if (text === null) return 'without a client id'
  const shown = text.length > LONGEST_TEXT_SHOWN ? `${text.slice(0, LONGEST_TEXT_SHOWN)}...` : text
  return PLAIN_TEXT.test(shown) ? shown : JSON.stringify(shown)
}

function shownPorts(ports: readonly number[]): string {
  if (ports.length === 1) return `from port ${ports[0]}`
  const shown = ports.slice(0, MOST_PORTS_SHOWN).join(', ')
  return `${ports.length} connections, from ports ${shown}${ports.length > MOST_PORTS_SHOWN ? ', ...' : ''}`
}
