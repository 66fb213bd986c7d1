/** PRODUCER_FENCED in versions that have it, INVALID_PRODUCER_EPOCH in older ones. */
import { KafkaError } from '../protocol/errors.ts'

/** The error that a client of this version understands: INVALID_PRODUCER_EPOCH before `since`, PRODUCER_FENCED from then on. */
export function fencedErrorFor(apiVersion: number, since: number, error: unknown): unknown {
  if (apiVersion >= since || !(error instanceof KafkaError) || error.code !== 'PRODUCER_FENCED') return error
  return new KafkaError('INVALID_PRODUCER_EPOCH', error.message)
}

/** Who asks, for the operator: what the client calls itself, and where it is. */
export function clientOf(context: {
  readonly clientId: string | null
  readonly connection: { readonly remoteAddress: string; readonly remotePort: number }
}): string {
  const { clientId, connection } = context
  return `${clientId ?? 'a client'} at ${connection.remoteAddress}:${connection.remotePort}`
}
