/** Error responses that several APIs share, as in Kafka's `AbstractRequest.getErrorResponse`. */
import type { ApiError, ErrorName } from '../errors.ts'

/** Error code and message of a response or of an item in it. */
interface ErrorFields {
  readonly errorCode: ErrorName
  readonly errorMessage: string | null
}

/** Error code and message. As in Kafka, UNKNOWN_SERVER_ERROR has no message, which could expose internals of the server. */
export function errorFields({ code, message }: ApiError): ErrorFields {
  return { errorCode: code, errorMessage: code === 'UNKNOWN_SERVER_ERROR' ? null : message }
}

/** Error response of an API with a single top-level error code and defaults for the rest. */
export function topLevelError(_request: unknown, { code }: ApiError): { readonly errorCode: ErrorName } {
  return { errorCode: code }
}

interface NamedTopic {
  readonly name: string
  readonly topicId?: string
  readonly partitions: readonly { readonly partitionIndex: number }[]
}

/** The topics of a request. Each partition has the error code and defaults for the rest. */
export function errorOfEachPartition<Topic extends NamedTopic>(topics: readonly Topic[], errorCode: ErrorName) {
  return topics.map(topic => ({
    ...topic,
    partitions: topic.partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode }))
  }))
}
