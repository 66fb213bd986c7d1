/**
 * The listeners of the broker, from `listeners`, `advertised.listeners` and related settings. `src/net` opens the sockets and
 * decides which addresses "localhost" and an empty host bind.
 */
import { InvalidConfig } from './define.ts'
import type { BrokerSettings } from './values.ts'

/** A host and port as configured. A null host means all addresses, port 0 a free port. */
export interface Endpoint {
  readonly host: string | null
  readonly port: number
}

/** A listener for clients. */
export interface Listener extends Endpoint {
  /** In upper case: Kafka compares listener names without regard to case. */
  readonly name: string
  /** The advertised host and port; null for the address to which the client connected. */
  readonly advertised: { readonly host: string; readonly port: number } | null
}

/** The listeners for clients, in the configured order. Throws InvalidConfig for conflicting or unsupported settings. */
export function listenersOf(settings: BrokerSettings): readonly Listener[] {
  const controllers = new Set(settings.get('controller.listener.names').map(upper))
  const open = parseEndpoints('listeners', settings.get('listeners')).filter(({ name }) => !controllers.has(name))
  if (open.length === 0)
    throw new InvalidConfig('listeners has no listener for clients: all are in controller.listener.names')
  checkProtocols(open, settings)
  checkPorts(open)
  const advertised = advertisedEndpoints(open, controllers, settings)
  return open.map(listener => ({ ...listener, advertised: advertised.get(listener.name) ?? null }))
}

/** The limits of `max.connections.per.ip.overrides`, by address. Invalid pairs are skipped. */
export function connectionOverrides(text: string): ReadonlyMap<string, number> {
  const pairs = text.split(',').map(pair => ADDRESS_AND_COUNT.exec(pair))
  return new Map(pairs.flatMap(match => (match ? [[match[1] ?? '', Number(match[2])] as const] : [])))
}

/** Throws InvalidConfig if `max.connections.per.ip.overrides` is not a list of address:count pairs. */
export function checkConnectionOverrides(text: string): void {
  const wrong = text.split(',').find(pair => pair.trim() !== '' && !ADDRESS_AND_COUNT.test(pair))
  if (wrong === undefined) return
  throw new InvalidConfig(`max.connections.per.ip.overrides has "${wrong}", but must have address:count pairs`)
}

const ADDRESS_AND_COUNT = /^\s*(\S+):(\d+)\s*$/

type Named = Endpoint & { readonly name: string }

function parseEndpoints(setting: string, texts: readonly string[]): readonly Named[] {
  const endpoints = texts.map(text => {
    const match = /^([^:/]+):\/\/\[?([0-9a-zA-Z\-%._:]*?)\]?:(\d{1,5})$/.exec(text)
    const port = Number(match?.[3])
    if (!match || port > 65_535) throw new InvalidConfig(`${setting} has "${text}", but must have NAME://host:port`)
    return { name: upper(match[1] ?? ''), host: match[2] || null, port }
  })
  const names = new Set(endpoints.map(({ name }) => name))
  if (names.size < endpoints.length) throw new InvalidConfig(`${setting} has two listeners with the same name`)
  return endpoints
}

function checkProtocols(listeners: readonly Named[], settings: BrokerSettings): void {
  const map = settings.get('listener.security.protocol.map')
  const protocols = new Map<string, string>()
  for (const pair of map.split(',').filter(text => text.trim() !== '')) {
    const [name, protocol, ...more] = pair.split(':').map(upper)
    if (!name || !protocol || more.length > 0) {
      throw new InvalidConfig(`listener.security.protocol.map has "${pair}", but must have NAME:PROTOCOL`)
    }
    protocols.set(name, protocol)
  }
  for (const { name } of listeners) {
    const protocol = protocols.get(name)
    if (protocol === undefined)
      throw new InvalidConfig(`listener.security.protocol.map has no protocol for the listener ${name}`)
    if (protocol !== 'PLAINTEXT')
      throw new InvalidConfig(`listeners has ${name} with the protocol ${protocol}, but only PLAINTEXT is supported`)
  }
}

/** Checks that listeners have different ports. Only a literal IPv4 and a literal IPv6 address may share a port. */
function checkPorts(listeners: readonly Named[]): void {
  const seen = new Map<number, Named>()
  for (const listener of listeners) {
    const other = seen.get(listener.port)
    if (listener.port !== 0 && other && !(family(listener) !== 0 && family(listener) === -family(other))) {
      throw new InvalidConfig(`listeners ${other.name} and ${listener.name} have the same port ${listener.port}`)
    }
    seen.set(listener.port, listener)
  }
}

/** 1 for a literal IPv6 address, -1 for a literal IPv4 address, 0 for a host name or no host. */
function family({ host }: Endpoint): 1 | -1 | 0 {
  if (host?.includes(':')) return 1
  return host && /^\d+(\.\d+){3}$/.test(host) ? -1 : 0
}

function advertisedEndpoints(open: readonly Named[], controllers: ReadonlySet<string>, settings: BrokerSettings) {
  const advertised = new Map<string, { host: string; port: number }>()
  for (const { name, host, port } of parseEndpoints(
    'advertised.listeners',
    settings.get('advertised.listeners') ?? []
  )) {
    if (controllers.has(name)) continue
    if (!open.some(listener => listener.name === name)) {
      throw new InvalidConfig(`advertised.listeners has ${name}, but listeners has no listener with that name`)
    }
    if (host === '0.0.0.0')
      throw new InvalidConfig('advertised.listeners has 0.0.0.0, but must have a host that clients can connect to')
    if (host !== null) advertised.set(name, { host, port })
  }
  return advertised
}

const upper = (text: string) => text.trim().toUpperCase()
