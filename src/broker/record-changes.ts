/** Writes the metadata records that a request has decided, and returns the results for its response. */
import type { MetadataRecord } from '../metadata/records.ts'
import { type ErrorName, KafkaError } from '../protocol/errors.ts'
import type { Parts } from './context.ts'
import { failureOf } from './per-partition.ts'

/** The result of one topic or config resource. */
interface Result {
  readonly errorCode: ErrorName
  readonly errorMessage: string | null
}

/**
 * Appends the records, unless `validateOnly` is set. If the append fails, nothing has changed, and every successful result gets
 * the error.
 */
export function recordChanges<R extends Result>(
  { metadata, events }: Pick<Parts, 'metadata' | 'events'>,
  { records, results }: { readonly records: readonly MetadataRecord[]; readonly results: readonly R[] },
  { validateOnly }: { readonly validateOnly: boolean }
): readonly R[] {
  if (validateOnly) return results
  try {
    metadata.append(records)
    return results
  } catch (error) {
    const { errorCode } = failureOf(error, events)
    const errorMessage = error instanceof KafkaError ? error.message : null
    return results.map(result => (result.errorCode === 'NONE' ? { ...result, errorCode, errorMessage } : result))
  }
}
