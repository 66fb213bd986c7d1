/**
 * Produce: appends one batch to each of many partitions (KIP-98, KIP-360, KIP-467, KIP-516).
 * - acks=1 and acks=all answer once the batch is in the log; acks=0 gets no answer, but a closed connection when any
 *   partition failed, so that the client looks again.
 * - One partition's failure never touches another; per-record errors from version 8 on.
 * - A retry of one of a producer's last five batches gets the first answer again and appends nothing.
 */

import { checkProducedRecords, InvalidRecordsError } from '../../log/validator.ts'
import { isInternalTopic } from '../../metadata/topic-names.ts'
import { CloseConnection } from '../../net/dispatch.ts'
import { type ErrorName, KafkaError } from '../../protocol/errors.ts'
import type { Handler, Request, RequestContext, Response } from '../context.ts'
import { each, type Failure } from '../per-partition.ts'

type Topic = Request<'Produce'>['topicData'][number]
type PartitionData = Topic['partitionData'][number]
type PartitionResponse = Response<'Produce'>['responses'][number]['partitionResponses'][number]

/** Kafka's own admin client may write to internal topics, to import offsets. */
const INTERNAL_CLIENT = '__admin_client'

export const produce: Handler<'Produce'> = (request, context) => {
  const responses = request.topicData.map(topic => {
    const partitionResponses = each(
      topic.partitionData,
      context.parts,
      data => append(request, topic, data, context),
      (data, failure) => failed(data, failure, topic, context)
    )
    return { name: topic.name, topicId: topic.topicId, partitionResponses }
  })
  if (request.acks !== 0) return { responses }
  closeIfAnyFailed(responses)
  return undefined
}

function append(
  request: Request<'Produce'>,
  topic: Topic,
  { index, records }: PartitionData,
  { parts, apiVersion, clientId }: RequestContext
): PartitionResponse {
  const name = parts.catalog.nameOf(topic)
  const partition = parts.catalog.partition(name, index)
  const batch = checkProducedRecords(records, apiVersion)
  if (batch.isTransactional) refuseTransaction(request)
  if (![-1, 0, 1].includes(request.acks)) {
    throw new KafkaError('INVALID_REQUIRED_ACKS', `acks must be -1, 0 or 1, not ${request.acks}`)
  }
  if (isInternalTopic(name) && clientId !== INTERNAL_CLIENT) {
    throw new KafkaError('INVALID_TOPIC_EXCEPTION', `clients may not write to the internal topic ${name}`)
  }
  const { baseOffset, logAppendTimeMs } = partition.append(
    batch,
    parts.catalog.rulesOf(name),
    parts.clock.now(),
    'client'
  )
  return { index, errorCode: 'NONE', baseOffset, logAppendTimeMs, logStartOffset: partition.log.logStartOffset }
}

/** Transactions come with a later release: until then no transaction can be open. */
function refuseTransaction({ transactionalId }: Request<'Produce'>): never {
  if (transactionalId === null) {
    throw new KafkaError('TRANSACTIONAL_ID_AUTHORIZATION_FAILED', 'transactional records need a transactional id')
  }
  throw new KafkaError('INVALID_TXN_STATE', `no transaction is open for ${transactionalId}`)
}

/** The errors after which Kafka does not tell the log start offset. */
const WITHOUT_LOG_START: ReadonlySet<ErrorName> = new Set<ErrorName>([
  'UNKNOWN_TOPIC_OR_PARTITION',
  'UNKNOWN_TOPIC_ID',
  'NOT_LEADER_OR_FOLLOWER',
  'MESSAGE_TOO_LARGE',
  'RECORD_LIST_TOO_LARGE',
  'CORRUPT_MESSAGE',
  'KAFKA_STORAGE_ERROR',
  'INVALID_REQUIRED_ACKS',
  'INVALID_TOPIC_EXCEPTION'
])

function failed({ index }: PartitionData, { errorCode, error }: Failure, topic: Topic, { parts }: RequestContext) {
  const told = WITHOUT_LOG_START.has(errorCode) ? undefined : parts.catalog.find(topic, index)
  const perRecord = error instanceof InvalidRecordsError ? error : undefined
  return {
    index,
    errorCode,
    baseOffset: -1n,
    logStartOffset: told?.log.logStartOffset ?? -1n,
    recordErrors: perRecord?.recordErrors ?? [],
    errorMessage: perRecord?.message ?? null
  }
}

/** One log line must not grow with the request. */
const SHOWN_FAILURES = 3

function closeIfAnyFailed(responses: Response<'Produce'>['responses']): void {
  const failures = responses.flatMap(({ name, partitionResponses }) =>
    partitionResponses
      .filter(({ errorCode }) => errorCode !== 'NONE')
      .map(({ index, errorCode }) => `${name}-${index}: ${errorCode}`)
  )
  if (failures.length === 0) return
  const more = failures.length > SHOWN_FAILURES ? ` and ${failures.length - SHOWN_FAILURES} more` : ''
  const shown = failures.slice(0, SHOWN_FAILURES).join(', ')
  throw new CloseConnection(`a produce request with acks=0 failed (${shown}${more})`)
}
