/** The address of a client in Java's format, which is stored and described as the client host of group members. */
import type { ConnectionContext } from '../../../net/dispatch.ts'

const GROUPS = 8

/** The address as `/127.0.0.1` or `/0:0:0:0:0:0:0:1`: Java does not abbreviate IPv6 addresses. */
export function clientHost({ remoteAddress }: Pick<ConnectionContext, 'remoteAddress'>): string {
  const [address = '', zone] = remoteAddress.split('%')
  const whole = address.includes(':') ? inFull(address) : address
  return zone === undefined ? `/${whole}` : `/${whole}%${zone}`
}

function inFull(address: string): string {
  const [head = '', tail] = address.split('::')
  const first = groupsOf(head)
  const last = groupsOf(tail ?? '')
  const zeros = tail === undefined ? 0 : GROUPS - first.length - last.length
  return [...first, ...Array.from({ length: zeros }, () => '0'), ...last].join(':')
}

function groupsOf(part: string): string[] {
  return part === '' ? [] : part.split(':')
}
