/** Error answers that several APIs share: the shapes of Kafka's `AbstractRequest.getErrorResponse`. */
import type { ApiError, ErrorName } from '../errors.ts'

/** The error code of a response, at the top or of an item. */
interface ErrorFields {
  readonly errorCode: ErrorName
  readonly errorMessage: string | null
}

/** Error code and message. As in Kafka, UNKNOWN_SERVER_ERROR goes without its message, which is about the server alone. */
export function errorFields({ code, message }: ApiError): ErrorFields {
  return { errorCode: code, errorMessage: code === 'UNKNOWN_SERVER_ERROR' ? null : message }
}

/** Refuses a request of an API whose response has one error code for the whole and defaults for the rest. */
export function topLevelError(_request: unknown, { code }: ApiError): { readonly errorCode: ErrorName } {
  return { errorCode: code }
}

interface NamedTopic {
  readonly name: string
  readonly topicId?: string
  readonly partitions: readonly { readonly partitionIndex: number }[]
}

/** The topics of a request, each partition with the error code and defaults for the rest. */
export function errorOfEachPartition<Topic extends NamedTopic>(topics: readonly Topic[], errorCode: ErrorName) {
  return topics.map(topic => ({
    ...topic,
    partitions: topic.partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode }))
  }))
}
