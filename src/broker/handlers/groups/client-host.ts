/** Where a client is, as Java prints an address without a name: members of groups are recorded and described with it. */
import type { ConnectionContext } from '../../../net/dispatch.ts'

const GROUPS = 8

/** `/127.0.0.1`, `/0:0:0:0:0:0:0:1`: Java leaves out no zeros of an IPv6 address. */
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
