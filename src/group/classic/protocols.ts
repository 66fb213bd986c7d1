/**
 * The protocol of a group: one that every member supports. Requests may have many names and groups many members, so names are
 * looked up in sets.
 */
import { assert } from '../../runtime/assert.ts'
import type { ClassicGroup, Protocol } from './group.ts'

/** Maximum number of protocols of a member. Clients use few, and every join compares the protocols of all members. */
export const MAX_PROTOCOLS = 100

/** True if a client with this protocol type and these protocols may join the group. */
export function supportsProtocols(group: ClassicGroup, type: string, protocols: readonly Protocol[]): boolean {
  if (protocols.length > MAX_PROTOCOLS) return false
  if (group.state === 'Empty') return type !== '' && protocols.length > 0
  if (group.protocolType !== type) return false
  const common = commonProtocols(group)
  // A group without members accepts any protocol.
  return protocols.some(({ name }) => common?.has(name) ?? true)
}

/**
 * The protocol of the next generation: of the protocols that all members support, the one preferred by most. Requires members.
 */
export function selectProtocol(group: ClassicGroup): string {
  const votes = new Map<string, number>()
  const common = commonProtocols(group)
  for (const member of group.members.values()) {
    const vote = member.protocols.find(({ name }) => common?.has(name))
    assert(vote, 'all members have a protocol in common')
    votes.set(vote.name, (votes.get(vote.name) ?? 0) + 1)
  }
  const [winner] = [...votes].sort(([, a], [, b]) => b - a)
  assert(winner, 'a group without members selects no protocol')
  return winner[0]
}

/** The names that all members support; undefined without members. */
function commonProtocols(group: ClassicGroup): ReadonlySet<string> | undefined {
  let common: ReadonlySet<string> | undefined
  for (const { protocols } of group.members.values()) {
    const names = protocols.map(({ name }) => name)
    common = new Set(common ? names.filter(name => common?.has(name)) : names)
  }
  return common
}
