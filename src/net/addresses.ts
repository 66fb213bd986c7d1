/** Which addresses a connection is known by. */
import type { ConnectionContext } from './dispatch.ts'

type Addresses = Pick<ConnectionContext, 'remoteAddress' | 'remotePort' | 'localAddress' | 'localPort'>

/** Those of both ends. A socket has none once the peer has gone. */
export function addressesOf(socket: { readonly [K in keyof Addresses]?: Addresses[K] | undefined }): Addresses {
  return {
    remoteAddress: plainAddress(socket.remoteAddress),
    remotePort: socket.remotePort ?? 0,
    localAddress: plainAddress(socket.localAddress),
    localPort: socket.localPort ?? 0
  }
}

/** A socket's address without the IPv6 wrapping of an IPv4 one. Empty when the peer has already gone. */
export function plainAddress(address: string | undefined): string {
  return (address ?? '').replace(/^::ffff:(?=\d+\.)/i, '')
}
