// Calls the Java program with Kafka's generated message classes.
import { join } from 'node:path'
import { type ApiError, ERROR_CODES } from '../../../src/protocol/errors.ts'
import { made } from '../made.ts'
import { JavaConsole, SHORT_LIVED } from './console.ts'

const FOLDER = join(import.meta.dirname, 'codec')
const VERSION = '4.4.0'

export type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json }

/** An API as in Kafka's classes. `headerVersions` begins with the lowest API version. */
export interface KafkaApi {
  readonly key: number
  readonly first: number
  readonly last: number
  readonly requestHeaders: readonly number[]
  readonly responseHeaders: readonly number[]
}

export interface FrameKind {
  readonly key: number
  readonly version: number
  readonly kind: 'request' | 'response'
}

/** A frame (header and body, no size) made by Kafka's classes. The JSON contains int64 as text. */
export interface GeneratedFrame {
  readonly frame: Buffer
  readonly header: { readonly [name: string]: Json }
  readonly body: { readonly [name: string]: Json }
}

/** A request whose handler throws an error. */
export interface FailedRequest {
  readonly key: number
  readonly version: number
  readonly body: Buffer
  readonly error: ApiError
}

export interface KafkaCodec {
  apis(): Promise<Readonly<Record<string, KafkaApi>>>
  /** A random frame. With `unknownTags`, header and body of a flexible version contain unknown tagged fields. */
  generate(kind: FrameKind, seed: number, unknownTags: boolean): Promise<GeneratedFrame>
  /** Decodes the frame with Kafka's classes and encodes it again. */
  roundtrip(kind: FrameKind, frame: Buffer): Promise<Buffer>
  /** The body of Kafka's response to a failed request; undefined if Kafka closes the connection. */
  refuse(request: FailedRequest): Promise<Buffer | undefined>
  stop(): Promise<void>
}

/** Compiles the program if needed, and starts it. */
export async function startKafkaCodec(): Promise<KafkaCodec> {
  const command = ['mvn', '-q', '-B', 'compile', 'dependency:copy-dependencies']
  const target = await made(FOLDER, `target/${VERSION}`, [command])
  const classpath = `${join(target, 'classes')}:${join(target, 'jars', '*')}`
  const program = new JavaConsole([...SHORT_LIVED, '-cp', classpath, 'interop.Codec'])
  const execute = async (request: object): Promise<Record<string, never>> => {
    const answer = (await program.execute(JSON.stringify(request))) as Record<string, never>
    if (answer.error !== undefined) throw new Error(`${JSON.stringify(request)}: ${answer.error}`)
    return answer
  }
  return {
    apis: () => execute({ op: 'apis' }),
    async generate(kind, seed, unknownTags) {
      const { hex, header, body } = await execute({ op: 'generate', ...kind, seed, unknownTags })
      return { frame: Buffer.from(hex ?? '', 'hex'), header: header ?? {}, body: body ?? {} }
    },
    async roundtrip(kind, frame) {
      const { hex } = await execute({ op: 'roundtrip', ...kind, hex: frame.toString('hex') })
      return Buffer.from(hex ?? '', 'hex')
    },
    async refuse({ key, version, body, error: { code, message } }) {
      const error = { code: ERROR_CODES[code], message }
      const { hex } = await execute({ op: 'refuse', key, version, hex: body.toString('hex'), ...error })
      return hex === null ? undefined : Buffer.from(hex ?? '', 'hex')
    },
    stop: () => program.close()
  }
}
