// Steps of transcripts. A step acts on a session and returns an outcome, which must be equal for both brokers. Most
// steps are a request with its response.
import type { Api, DecodedResponseOf, EncodableRequestOf } from '../../../src/protocol/api.ts'
import type { Shape } from '../../../src/protocol/wire/schema.ts'
import type { Answer, Session } from './session.ts'

export interface Step {
  readonly name: string
  /** Runs the step; returns the outcome that is compared. */
  play(session: Session): Promise<unknown>
  readonly subset?: readonly string[]
  /** The first release of Kafka with the same behavior as minikafka. The step is skipped with older releases. */
  readonly since?: string
}

/** A request with its response. Later steps read the response by `answerTo`. */
export interface Call<A> extends Step {
  answerTo(session: Session): DecodedResponseOf<A>
}

type Request<A> = EncodableRequestOf<A> | ((session: Session) => EncodableRequestOf<A>)

interface CallOptions<A> {
  /** Name of the connection; by default `main`, of which a transcript has one to each broker. */
  readonly on?: string
  /** Selects the compared part of a response. */
  readonly compare?: (answer: DecodedResponseOf<A>, session: Session) => unknown
  /** Arrays (by field name) that may have fewer elements in minikafka: APIs, configs. */
  readonly subset?: readonly string[]
  /** As in a step: the release that introduced the requested feature. Later steps must not read the response. */
  readonly since?: string
}

interface VersionsOptions<A> extends Omit<CallOptions<A>, 'since'> {
  readonly first?: number
  readonly since?: Readonly<Record<number, string>>
}

/** Sends a request and compares the responses. */
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
      const answer = await session.sendRequest(api, version, requestFor(request, session), options.on)
      session.remember(step, answer)
      return compared(step.name, answer, session, options)
    },
    answerTo: session => session.recall(step) as DecodedResponseOf<A>
  }
  return step
}

/** The same request with each version of an API, from `first` on. `since` has the release for each version. */
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

/** Sends a request whose response the broker delays. `answer` is the step that receives the response. */
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

/** A preparation, whose outcome is not compared. */
export function arrange(name: string, act: (session: Session) => Promise<unknown>): Step {
  return {
    name,
    async play(session) {
      await act(session)
    }
  }
}

/** Steps whose outcomes are equal only since that release of Kafka. */
export function since(release: string, steps: readonly Step[]): Step[] {
  return steps.map(step => ({ ...step, since: release }))
}

/** Sends bytes, which may be no valid request, on a new connection. Compares whether a frame is returned. */
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
