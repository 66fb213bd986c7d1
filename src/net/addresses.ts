/** Socket addresses of a connection. */
import type { ConnectionContext } from './dispatch.ts'

type Addresses = Pick<ConnectionContext, 'remoteAddress' | 'remotePort' | 'localAddress' | 'localPort'>

/** The remote and local address of a socket. They are empty after the peer has disconnected. */
export function addressesOf(socket: { readonly [K in keyof Addresses]?: Addresses[K] | undefined }): Addresses {
  return {
    remoteAddress: plainAddress(socket.remoteAddress),
    remotePort: socket.remotePort ?? 0,
    localAddress: plainAddress(socket.localAddress),
    localPort: socket.localPort ?? 0
  }
}

/** The address in IPv4 form if it is an IPv4-mapped IPv6 address. Empty after the peer has disconnected. */
export function plainAddress(address: string | undefined): string {
  return (address ?? '').replace(/^::ffff:(?=\d+\.)/i, '')
}
