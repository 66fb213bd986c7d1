/** From a decision about metadata to an answer: what was decided is recorded, or its failure is everybody's answer. */
import type { MetadataRecord } from '../metadata/records.ts'
import { type ErrorName, KafkaError } from '../protocol/errors.ts'
import type { Parts } from './context.ts'
import { failureOf } from './per-partition.ts'

/** What a request on topics or settings answers for each of them. */
interface Result {
  readonly errorCode: ErrorName
  readonly errorMessage: string | null
}

/**
 * Appends the records, unless they were only to be validated. If that fails nothing has changed, and every result that
 * was good carries the error.
 */
export function recordChanges<R extends Result>(
  { metadata, reporting }: Pick<Parts, 'metadata' | 'reporting'>,
  { records, results }: { readonly records: readonly MetadataRecord[]; readonly results: readonly R[] },
  { validateOnly }: { readonly validateOnly: boolean }
): readonly R[] {
  if (validateOnly) return results
  try {
    metadata.append(records)
    return results
  } catch (error) {
    const { errorCode } = failureOf(error, reporting)
    const errorMessage = error instanceof KafkaError ? error.message : null
    return results.map(result => (result.errorCode === 'NONE' ? { ...result, errorCode, errorMessage } : result))
  }
}
