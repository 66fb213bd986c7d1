/** Maps errors of the log to the errors that clients of a coordinator expect. */
import { type ErrorName, KafkaError } from '../protocol/errors.ts'

const COORDINATOR_ERRORS: { readonly [Name in ErrorName]?: ErrorName } = {
  UNKNOWN_TOPIC_OR_PARTITION: 'COORDINATOR_NOT_AVAILABLE',
  NOT_ENOUGH_REPLICAS: 'COORDINATOR_NOT_AVAILABLE',
  REQUEST_TIMED_OUT: 'COORDINATOR_NOT_AVAILABLE',
  NOT_LEADER_OR_FOLLOWER: 'NOT_COORDINATOR',
  KAFKA_STORAGE_ERROR: 'NOT_COORDINATOR',
  MESSAGE_TOO_LARGE: 'UNKNOWN_SERVER_ERROR',
  RECORD_LIST_TOO_LARGE: 'UNKNOWN_SERVER_ERROR',
  INVALID_FETCH_SIZE: 'UNKNOWN_SERVER_ERROR'
}

/** The error code for a response. Rethrows any error other than KafkaError. */
export function coordinatorErrorCode(error: unknown): ErrorName {
  if (!(error instanceof KafkaError)) throw error
  return COORDINATOR_ERRORS[error.code] ?? error.code
}

/** The error to throw, mapped as by `coordinatorErrorCode`. Errors other than KafkaError stay as they are. */
export function coordinatorError(error: unknown): unknown {
  const code = error instanceof KafkaError ? COORDINATOR_ERRORS[error.code] : undefined
  return error instanceof KafkaError && code ? new KafkaError(code, error.message) : error
}
