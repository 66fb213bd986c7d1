// What a transcript is made of. A step plays something against a session and tells what came of it; both brokers must
// tell the same. Most steps are one request and its answer.
import type { Api, DecodedResponseOf, EncodableRequestOf } from '../../../src/protocol/api.ts'
import type { Shape } from '../../../src/protocol/wire/schema.ts'
import type { Answer, Session } from './session.ts'

export interface Step {
  readonly name: string
  /** The outcome, as it is compared: names of arrays in `subset` may be longer in Kafka's. */
  play(session: Session): Promise<unknown>
  readonly subset?: readonly string[]
  /** The release of Kafka from which on it answers as ours does; before older ones the step is left out. */
  readonly since?: string
}

/** A request and its answer; later steps may look at the answer with `answerTo`. */
export interface Call<A> extends Step {
  answerTo(session: Session): DecodedResponseOf<A>
}

type Request<A> = EncodableRequestOf<A> | ((session: Session) => EncodableRequestOf<A>)

interface CallOptions<A> {
  /** The connection's name; each broker has one `main` connection a transcript. */
  readonly on?: string
  /** Picks what is compared. */
  readonly compare?: (answer: DecodedResponseOf<A>, session: Session) => unknown
  /** Arrays (by field name) of which ours may have fewer elements: APIs, settings. */
  readonly subset?: readonly string[]
  /** As in a step: the release that brought what is asked for. No later step may look at the answer. */
  readonly since?: string
}

interface VersionsOptions<A> extends Omit<CallOptions<A>, 'since'> {
  readonly first?: number
  readonly since?: Readonly<Record<number, string>>
}

/** Sends one request and compares the answers. */
export function call<A extends Api<Shape, Shape>>(
  name: string,
  api: A,
  version: number,
  request: Request<A>,
  options: CallOptions<A> = {}
): Call<A> {
  const step: Call<A> = {
    name: `${name} (${api.name} v${version})`,
    ...(options.subset && { subset: options.subset }),
    ...(options.since && { since: options.since }),
    async play(session) {
      const answer = await session.ask(api, version, requestFor(request, session), options.on)
      session.remember(step, answer)
      return compared(step.name, answer, session, options)
    },
    answerTo: session => session.recall(step) as DecodedResponseOf<A>
  }
  return step
}

/** The same call at each of an API's versions, or at those from `first` on; `since` is told by version. */
export function atEachVersion<A extends Api<Shape, Shape>>(
  name: string,
  api: A,
  request: (version: number) => Request<A>,
  { first, since = {}, ...options }: VersionsOptions<A> = {}
): Call<A>[] {
  const from = first ?? api.versions[0]
  return Array.from({ length: api.versions[1] - from + 1 }, (_, index) => from + index).map(version =>
    call(name, api, version, request(version), { ...options, ...(since[version] && { since: since[version] }) })
  )
}

/** Sends a request that the broker will hold for a while; `answer` is the step that takes the answer in. */
export function delayed<A extends Api<Shape, Shape>>(
  name: string,
  api: A,
  version: number,
  request: Request<A>,
  options: CallOptions<A> & { on: string }
): { sent: Step; answer: Call<A> } {
  const sent: Step = {
    name: `${name}, sent (${api.name} v${version})`,
    async play(session) {
      session.remember(sent, await session.send(api, version, requestFor(request, session), options.on))
    }
  }
  const answer: Call<A> = {
    name: `${name}, answered (${api.name} v${version})`,
    ...(options.subset && { subset: options.subset }),
    async play(session) {
      const received = await (session.recall(sent) as () => Promise<Answer<A>>)()
      session.remember(answer, received)
      return compared(answer.name, received, session, options)
    },
    answerTo: session => session.recall(answer) as DecodedResponseOf<A>
  }
  return { sent, answer }
}

/** Something that must be done on the way and is not compared. */
export function arrange(name: string, act: (session: Session) => Promise<unknown>): Step {
  return {
    name,
    async play(session) {
      await act(session)
    }
  }
}

/** Steps that only answer alike from that release of Kafka on. */
export function since(release: string, steps: readonly Step[]): Step[] {
  return steps.map(step => ({ ...step, since: release }))
}

/** Sends bytes that may be no request at all, on a connection of its own; compares whether a frame comes back. */
export function raw(name: string, bytes: Buffer): Step {
  return {
    name,
    async play(session) {
      const connection = await session.connection(name)
      connection.send([bytes])
      const received = await session.receive(name)
      await session.close(name)
      return typeof received === 'string' ? received : received.subarray(4).toString('hex')
    }
  }
}

function requestFor<A>(request: Request<A>, session: Session): EncodableRequestOf<A> {
  return typeof request === 'function' ? (request as (session: Session) => EncodableRequestOf<A>)(session) : request
}

function compared<A>(step: string, answer: Answer<A>, session: Session, { compare }: CallOptions<A>): unknown {
  if (answer === 'closed' || answer === 'silent') return answer
  const decoded = answer as DecodedResponseOf<A>
  return session.masks.mask(step, compare ? compare(decoded, session) : decoded)
}
