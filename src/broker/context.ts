/** The interface of handlers: the parts of the broker that they declare, and the context of a request. */
import type { Listener } from '../config/listeners.ts'
import type { Settings } from '../config/settings.ts'
import type { Events } from '../events/event.ts'
import type { GroupCoordinator } from '../group/coordinator.ts'
import type { ProducerIds } from '../idempotence/producer-ids.ts'
import type { MetadataLog } from '../metadata/log/metadata-log.ts'
import type { ConnectionContext } from '../net/dispatch.ts'
import type { RequestOf, ResponseOf } from '../protocol/api.ts'
import type { APIS, ApiName } from '../protocol/messages/index.ts'
import type { FetchSessions } from '../replica/fetch-sessions.ts'
import type { Purgatory } from '../replica/purgatory.ts'
import type { Replicas } from '../replica/replicas.ts'
import type { Clocks } from '../runtime/time.ts'
import type { Authorize, Principal } from '../security/authorizer.ts'
import type { BufferPool, RequestBuffers } from '../storage/buffer-pool.ts'
import type { TxnCoordinator } from '../txn/coordinator.ts'
import type { MarkerPort } from '../txn/markers.ts'

/** The parts of one broker, which assembly.ts creates. */
export interface Parts {
  readonly nodeId: number
  readonly clusterId: string
  readonly settings: Settings
  readonly listeners: readonly Listener[]
  readonly metadata: MetadataLog
  readonly replicas: Replicas
  readonly groups: GroupCoordinator
  readonly txns: TxnCoordinator
  readonly markers: MarkerPort
  readonly producerIds: ProducerIds
  readonly fetchSessions: FetchSessions
  readonly purgatory: Purgatory
  readonly bufferPool: BufferPool
  readonly clocks: Clocks
  readonly events: Events
}

export interface RequestContext {
  readonly apiVersion: number
  readonly clientId: string | null
  readonly connection: ConnectionContext
  /** Memory for the response. It is used again when the response is sent. */
  readonly buffers: RequestBuffers
  readonly principal: Principal
  /** Returns true if the principal is authorized for an operation. */
  readonly authorize: Authorize
}

/** A decoded request of the API. */
export type Request<Name extends ApiName> = RequestOf<(typeof APIS)[Name]>
/** A response of the API; fields with a default may be omitted. */
export type Response<Name extends ApiName> = ResponseOf<(typeof APIS)[Name]>

/** Responds to a request; undefined sends no response (Produce with acks=0). */
export type Answer<Name extends ApiName> = (
  request: Request<Name>,
  context: RequestContext
) => Response<Name> | undefined | Promise<Response<Name> | undefined>

/** The handler of an API, which binds it to the parts of a broker. */
export type Handler<Name extends ApiName> = (parts: Parts) => Answer<Name>

/** A handler for every API: a missing one does not compile. */
export type Handlers = { readonly [Name in ApiName]: Handler<Name> }

/** Creates the handler of an API. It gets only the parts that it declares. */
export function handler<Name extends ApiName, Part extends keyof Parts>(
  _name: Name,
  partNames: readonly Part[],
  answer: (request: Request<Name>, parts: Pick<Parts, Part>, context: RequestContext) => ReturnType<Answer<Name>>
): Handler<Name> {
  return parts => {
    const declared = Object.fromEntries(partNames.map(name => [name, parts[name]])) as Pick<Parts, Part>
    return (request, context) => answer(request, declared, context)
  }
}

/** The parts with these names. */
export type PartsOf<Names extends readonly (keyof Parts)[]> = Pick<Parts, Names[number]>

/** The arguments of a handler as one object, for handlers that consist of several functions. */
export interface Call<Name extends ApiName, Names extends readonly (keyof Parts)[]> {
  readonly request: Request<Name>
  readonly parts: PartsOf<Names>
  readonly context: RequestContext
}
