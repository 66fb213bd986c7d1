/**
 * Binds the sockets of a listener. `localhost` has two sockets, IPv4 and IPv6. A failure is reported in one sentence for the
 * user.
 */
import { createServer, type Server, type Socket } from 'node:net'
import { codeOf } from '../runtime/error-code.ts'

/** Address of a listener. Host '' is every interface, 'localhost' both loopback addresses. Port 0 selects any free port. */
export interface ListenerAddress {
  readonly name: string
  readonly host: string
  readonly port: number
}

/** A requested address cannot be bound. The message is a sentence for the user. */
export class ListenError extends Error {
  override name = 'ListenError'
}

/** The sockets of a listener and the port that they share. */
export interface BoundListener {
  readonly name: string
  readonly host: string
  readonly port: number
  readonly sockets: readonly Server[]
}

/** Events of a bound listener. */
export interface ListenEvents {
  /** A new connection; its socket is paused and allows half-open connections. */
  readonly connected: (socket: Socket) => void
  /** A connection could not be accepted. The usual reason is that the process has no file descriptors left. */
  readonly notAccepted: (error: Error) => void
}

/** Attempts to find a free port: with port 0, the port that is free on IPv4 may be taken on IPv6. */
const FREE_PORT_ATTEMPTS = 20
const NO_IPV6 = ['EADDRNOTAVAIL', 'EAFNOSUPPORT', 'EPROTONOSUPPORT']

/** Binds a listener. Throws ListenError. */
export async function listen(address: ListenerAddress, backlog: number, events: ListenEvents): Promise<BoundListener> {
  const bind = (host: string, port: number) => bindSocket(host, port, backlog, events)
  try {
    for (let attempt = 1; ; attempt++) {
      const sockets = await bindHost(address, bind, attempt < FREE_PORT_ATTEMPTS && address.port === 0)
      if (sockets === undefined) continue
      return { name: address.name, host: address.host, port: portOf(sockets[0]), sockets }
    }
  } catch (error) {
    throw new ListenError(reason(address, codeOf(error)), { cause: error })
  }
}

type Bind = (host: string, port: number) => Promise<Server>

/** Binds the sockets of a host. Undefined if the port of the IPv4 socket is taken on IPv6; the caller then tries another port. */
async function bindHost(
  address: ListenerAddress,
  bind: Bind,
  mayRetry: boolean
): Promise<[Server, ...Server[]] | undefined> {
  if (address.host.toLowerCase() !== 'localhost') return [await bind(address.host, address.port)]
  const ipv4 = await bind('127.0.0.1', address.port)
  try {
    return [ipv4, await bind('::1', portOf(ipv4))]
  } catch (error) {
    if (NO_IPV6.includes(codeOf(error))) return [ipv4]
    await new Promise(resolve => ipv4.close(resolve))
    if (mayRetry && codeOf(error) === 'EADDRINUSE') return undefined
    throw error
  }
}

function bindSocket(host: string, port: number, backlog: number, events: ListenEvents): Promise<Server> {
  const options = { allowHalfOpen: true, pauseOnConnect: true, noDelay: true, keepAlive: true }
  const server = createServer(options, events.connected)
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen({ port, backlog, exclusive: true, ...(host === '' ? {} : { host }) }, () => {
      server.off('error', reject)
      server.on('error', events.notAccepted)
      resolve(server)
    })
  })
}

function portOf(server: Server): number {
  const address = server.address()
  return typeof address === 'object' && address !== null ? address.port : 0
}

function reason(address: ListenerAddress, code: string): string {
  const where = `${address.host === '' ? 'every interface' : address.host}, port ${address.port}`
  switch (code) {
    case 'EADDRINUSE':
      return `Port ${address.port} on ${address.host || 'this machine'} is taken by another process: stop it, or choose another port (0 selects a free one).`
    case 'EACCES':
      return `This user has no permission to listen on ${where}: choose a port above 1023.`
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EINVAL':
      return `${address.host} is not an address of this machine: listen on localhost, on 0.0.0.0, or on one of its own addresses.`
    default:
      return `Cannot listen on ${where} (${code || 'unknown reason'}).`
  }
}
