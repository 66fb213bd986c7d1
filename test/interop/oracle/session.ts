// A transcript in progress on one broker: its connections by name, and the response of each step.
import { inspect } from 'node:util'
import {
  type Api,
  type DecodedResponseOf,
  decodeResponse,
  type EncodableRequestOf,
  encodeRequest
} from '../../../src/protocol/api.ts'
import type { Shape } from '../../../src/protocol/wire/schema.ts'
import { type Connection, connect, type Received } from './connection.ts'
import { Masks } from './masks.ts'

const CLIENT_ID = 'oracle'
const REPEAT_LIMIT_MS = 120_000

/** A response, or the reason why none arrived. */
export type Answer<A> = DecodedResponseOf<A> | 'closed' | 'silent'

export class Session {
  readonly bootstrapServers: string
  readonly masks = new Masks()
  readonly #connections = new Map<string, Promise<Connection>>()
  readonly #answers = new Map<unknown, unknown>()
  #correlationId = 0

  constructor(bootstrapServers: string) {
    this.bootstrapServers = bootstrapServers
  }

  /** The connection of that name; a new one if there is none or the broker has closed it. */
  connection(name: string): Promise<Connection> {
    const open = this.#connections.get(name)
    if (open !== undefined) return open
    const fresh = connect(this.bootstrapServers)
    this.#connections.set(name, fresh)
    return fresh
  }

  async close(name: string): Promise<void> {
    const connection = await this.#connections.get(name)
    this.#connections.delete(name)
    connection?.close()
  }

  async closeAll(): Promise<void> {
    for (const name of [...this.#connections.keys()]) await this.close(name)
  }

  /** Sends a request; returns a function that waits for the response. */
  async send<A extends Api<Shape, Shape>>(
    api: A,
    version: number,
    request: EncodableRequestOf<A>,
    on = 'main'
  ): Promise<() => Promise<Answer<A>>> {
    const correlationId = ++this.#correlationId
    const connection = await this.connection(on)
    connection.send(encodeRequest(api, version, { correlationId, clientId: CLIENT_ID }, request))
    return async () => {
      const frame = await this.receive(on)
      if (typeof frame === 'string') return frame
      const answer = decodeResponse(api, version, frame)
      if (answer.correlationId !== correlationId) throw new Error(`${api.name}: an answer to another request`)
      return answer.response as DecodedResponseOf<A>
    }
  }

  /** Sends a request and waits for the response. */
  async sendRequest<A extends Api<Shape, Shape>>(
    api: A,
    version: number,
    request: EncodableRequestOf<A>,
    on = 'main'
  ): Promise<Answer<A>> {
    return (await this.send(api, version, request, on))()
  }

  /**
   * Repeats a request until `accepts` is true for the response: Kafka's metadata reaches its components one after
   * another.
   */
  async requestUntil<A extends Api<Shape, Shape>>(
    api: A,
    version: number,
    request: EncodableRequestOf<A>,
    accepts: (answer: DecodedResponseOf<A>) => boolean
  ): Promise<DecodedResponseOf<A>> {
    for (const deadline = Date.now() + REPEAT_LIMIT_MS; ; ) {
      const answer = await this.sendRequest(api, version, request, 'until')
      if (typeof answer !== 'string' && accepts(answer as DecodedResponseOf<A>)) return answer as DecodedResponseOf<A>
      if (Date.now() > deadline) throw new Error(`${api.name} never became as wanted: ${inspect(answer, { depth: 9 })}`)
    }
  }

  /** The next frame of a connection. A connection that is closed or stays silent is abandoned. */
  async receive(on = 'main'): Promise<Received> {
    const frame = await (await this.connection(on)).receive()
    if (typeof frame === 'string') await this.close(on)
    return frame
  }

  remember(step: unknown, answer: unknown): void {
    this.#answers.set(step, answer)
  }

  /** The response to an earlier step. */
  recall(step: unknown): unknown {
    if (!this.#answers.has(step)) throw new Error('that step was not played, or failed')
    return this.#answers.get(step)
  }
}
