/** Helpers for errors and log lines of fenced producers. */
import { KafkaError } from '../protocol/errors.ts'

/**
 * Replaces PRODUCER_FENCED by INVALID_PRODUCER_EPOCH for request versions before `since`. Other errors are returned unchanged.
 */
export function fencedErrorFor(apiVersion: number, since: number, error: unknown): unknown {
  if (apiVersion >= since || !(error instanceof KafkaError) || error.code !== 'PRODUCER_FENCED') return error
  return new KafkaError('INVALID_PRODUCER_EPOCH', error.message)
}

/** The client id and address of a client, for log lines. */
export function clientOf(context: {
  readonly clientId: string | null
  readonly connection: { readonly remoteAddress: string; readonly remotePort: number }
}): string {
  const { clientId, connection } = context
  return `${clientId ?? 'a client'} at ${connection.remoteAddress}:${connection.remotePort}`
}
