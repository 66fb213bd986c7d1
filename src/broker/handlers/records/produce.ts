/**
 * Produce: appends one batch to each of many partitions (KIP-98, KIP-360, KIP-467, KIP-516).
 * - acks=1 and acks=all respond when the batch is in the log, and flushed if `flush.messages` asks for it. This includes
 *   responses to duplicates, and errors that depend on other batches. After the timeout, acks=all gets REQUEST_TIMED_OUT.
 * - acks=0 gets no response. If a partition fails, the connection is closed, so that the client refreshes its metadata.
 * - Errors are per partition. But malformed batches, and transactional records without a transactional id, fail the whole
 *   request. Per-record errors since version 8.
 * - A duplicate of one of the producer's last five batches is not appended and gets the first response again.
 * - If a partition is repeated, its last batch counts.
 */

import type { Events } from '../../../events/event.ts'
import { InvalidRecordsError } from '../../../log/partition-log/record-errors.ts'
import { acceptedBatch, parseProducedRecords, VALIDATION_ROWS } from '../../../log/partition-log/validator.ts'
import { isInternalTopic } from '../../../metadata/topic-names.ts'
import { CloseConnection } from '../../../net/dispatch.ts'
import { type ErrorName, KafkaError } from '../../../protocol/errors.ts'
import { CorruptRecordError } from '../../../protocol/records/batch.ts'
import { ANY_EPOCH, type Partition } from '../../../replica/partition.ts'
import { delayedProduce } from '../../../replica/purgatory.ts'
import { forEachYielding } from '../../../runtime/pace.ts'
import { type Call, handler, type Request, type RequestContext, type Response } from '../../context.ts'
import { byTopic, distinct, failureOf, type PartitionRef } from '../../per-partition.ts'
import { checkAdmitted, errorMessageOf, joinTransaction, type ProducedPartition } from './transactional-produce.ts'

type PartitionResponse = Response<'Produce'>['responses'][number]['partitionResponses'][number]

/** An error, and other fields of its response. */
type Refusal = Pick<PartitionResponse, 'errorCode'> & Partial<PartitionResponse>

interface PartitionResult<Data = PartitionResponse> extends PartitionRef {
  readonly data: Data
}

const NO_REFUSALS: ReadonlyMap<ProducedPartition, Refusal> = new Map()
const TOPIC_IDS_SINCE = 13
const ALL_IN_SYNC = -1
/** As in Kafka, the admin client may write to internal topics, to import offsets. */
const INTERNAL_CLIENT = '__admin_client'

const PARTS = ['replicas', 'txns', 'settings', 'clocks', 'events'] as const
type ProduceCall = Call<'Produce', typeof PARTS>

export const produce = handler('Produce', PARTS, async (request, parts, context) => {
  const call = { request, parts, context }
  const parsed = parsedPartitions(request, context)
  const partitions = distinct(parsed)
  const ofAll = refusalOfAll(request, parsed, context, parts.events)
  const { transactionalId } = request
  const refusals =
    ofAll || transactionalId === null ? NO_REFUSALS : await joinTransaction(transactionalId, partitions, parts, context)
  const results: PartitionResult<PartitionResponse | Promise<PartitionResponse>>[] = []
  // A small compressed batch may have many records to validate.
  await forEachYielding(partitions, parts.clocks.loop, produced => {
    const { topic, topicId, partition } = produced
    const refusal = ofAll ?? refusals.get(produced)
    const data = refusal ? refused(produced, refusal) : produceTo(produced, call)
    results.push({ topic, topicId, partition, data })
  })
  const responded = areDurable(results) ? results : await Promise.all(results.map(durably))
  if (request.acks === 0) return closeIfAnyFailed(responded)
  const responses = byTopic(responded).map(({ topic, topicId, partitions }) => ({
    name: topic,
    topicId,
    partitionResponses: partitions
  }))
  return { responses }
})

function areDurable(
  results: readonly PartitionResult<PartitionResponse | Promise<PartitionResponse>>[]
): results is readonly PartitionResult[] {
  return results.every(({ data }) => !(data instanceof Promise))
}

async function durably({
  data,
  ...ref
}: PartitionResult<PartitionResponse | Promise<PartitionResponse>>): Promise<PartitionResult> {
  return { ...ref, data: await data }
}

/** The partitions in the order of the request, including repeated ones. */
function parsedPartitions({ topicData }: Request<'Produce'>, { apiVersion }: RequestContext): ProducedPartition[] {
  const parsed: ProducedPartition[] = []
  for (const { name: topic, topicId, partitionData } of topicData) {
    for (const { index: partition, records } of partitionData) {
      parsed.push({ topic, topicId, partition, records: parseProducedRecords(records, apiVersion) })
    }
  }
  return parsed
}

/** The error of the whole request. As in Kafka, partitions after the first transactional batch are not checked. */
function refusalOfAll(
  { transactionalId }: Request<'Produce'>,
  parsed: readonly ProducedPartition[],
  context: RequestContext,
  events: Events
): Refusal | undefined {
  for (const { records } of parsed) {
    const { batch, error } = records
    if (!batch && error instanceof CorruptRecordError) {
      refusedRecords(error.code, error.message, undefined, context, events)
      return { errorCode: error.code, errorMessage: error.message }
    }
    if (!batch?.isTransactional) continue
    return transactionalId === null ? { errorCode: 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED' } : undefined
  }
  return undefined
}

function produceTo(produced: ProducedPartition, call: ProduceCall): PartitionResponse | Promise<PartitionResponse> {
  const { request, context } = call
  const { replicas } = call.parts
  try {
    const topic = context.apiVersion < TOPIC_IDS_SINCE ? produced.topic : replicas.topicById(produced.topicId).name
    const partition = replicas.partition(topic, produced.partition)
    const data = append(produced, partition, call)
    const durable = durableAt(partition, request.acks)
    return durable ? onceDurable(durable, data, produced, call) : data
  } catch (error) {
    return refused(produced, { ...refusalOf(error, produced, call), errorMessage: errorMessageOf(error) })
  }
}

/** Resolves when the response may be sent: for acks=1 after a flush that is due, for acks=all below the high watermark. */
function durableAt(partition: Partition, acks: number): Promise<void> | undefined {
  if (acks === 0) return undefined
  return acks === ALL_IN_SYNC ? partition.replicated() : partition.log.settled()
}

/** The response when the records that it depends on are durable. As in Kafka, only acks=all has a timeout. */
async function onceDurable(
  durable: Promise<void>,
  data: PartitionResponse,
  produced: ProducedPartition,
  call: ProduceCall
): Promise<PartitionResponse> {
  const { acks, timeoutMs } = call.request
  const { clocks } = call.parts
  try {
    if (acks !== ALL_IN_SYNC) await durable
    else if (!(await delayedProduce(clocks.deadline.now() + timeoutMs, durable, clocks.deadline))) return timedOut(data)
    return data
  } catch (error) {
    return refused(produced, refusalOf(error, produced, call))
  }
}

/** The record stays in the log. */
function timedOut(data: PartitionResponse): PartitionResponse {
  return data.errorCode === 'NONE' ? { ...data, errorCode: 'REQUEST_TIMED_OUT' } : data
}

/** Throws errors that precede the append; errors of the append itself are returned as a response. */
function append(produced: ProducedPartition, partition: Partition, call: ProduceCall): PartitionResponse {
  const { request, parts, context } = call
  const { acks, transactionalId } = request
  const { replicas, settings, clocks } = parts
  const { topic, log } = partition
  const batch = acceptedBatch(produced.records)
  if (transactionalId !== null) checkAdmitted(transactionalId, batch, partition, parts, context)
  if (acks !== ALL_IN_SYNC && acks !== 0 && acks !== 1)
    throw new KafkaError('INVALID_REQUIRED_ACKS', `acks must be -1, 0 or 1, not ${acks}`)
  if (isInternalTopic(topic) && context.clientId !== INTERNAL_CLIENT) {
    throw new KafkaError('INVALID_TOPIC_EXCEPTION', `clients may not write to the internal topic ${topic}`)
  }
  try {
    partition.checkLeads(ANY_EPOCH)
    if (acks === ALL_IN_SYNC) replicas.checkInSync(topic, produced.partition)
    const rules = settings.topic(topic).view(VALIDATION_ROWS)
    const { baseOffset, logAppendTimeMs } = partition.append(batch, rules, clocks.wall.now())
    const { logStartOffset } = log
    return { index: produced.partition, errorCode: 'NONE', baseOffset, logAppendTimeMs, logStartOffset }
  } catch (error) {
    const refusal = refusalOf(error, produced, call)
    const logStart = WITHOUT_LOG_START.has(refusal.errorCode) ? {} : { logStartOffset: log.logStartOffset }
    if (!(error instanceof InvalidRecordsError)) return refused(produced, { ...refusal, ...logStart })
    const { recordErrors, message: errorMessage } = error
    return refused(produced, { ...refusal, ...logStart, recordErrors, errorMessage })
  }
}

/** Errors of malformed records. They are logged, because the client is broken or hostile. */
const FAULTY_RECORDS: ReadonlySet<ErrorName> = new Set<ErrorName>([
  'CORRUPT_MESSAGE',
  'INVALID_RECORD',
  'INVALID_TIMESTAMP',
  'MESSAGE_TOO_LARGE'
])

/** The error code, and for a client that asked another node the current leader (KIP-951). */
function refusalOf(
  error: unknown,
  { topic, topicId, partition }: ProducedPartition,
  { parts, context }: ProduceCall
): Refusal {
  const { errorCode } = failureOf(error, parts.events)
  if (FAULTY_RECORDS.has(errorCode) && error instanceof Error) {
    refusedRecords(errorCode, error.message, `${topic || topicId}-${partition}`, context, parts.events)
  }
  if (errorCode !== 'NOT_LEADER_OR_FOLLOWER') return { errorCode }
  return { errorCode, currentLeader: parts.replicas.currentLeader({ name: topic, topicId }, partition) }
}

function refusedRecords(
  errorCode: ErrorName,
  detail: string,
  topicPartition: string | undefined,
  { connection }: RequestContext,
  events: Events
): void {
  const { remoteAddress, remotePort, listenerName } = connection
  const peer = { remoteAddress, remotePort, listenerName }
  events.emit({ type: 'RecordsRefused', ...peer, topicPartition, errorCode, detail })
}

/** Errors of the append for which Kafka returns no log start offset. */
const WITHOUT_LOG_START: ReadonlySet<ErrorName> = new Set<ErrorName>([
  'NOT_LEADER_OR_FOLLOWER',
  'MESSAGE_TOO_LARGE',
  'RECORD_LIST_TOO_LARGE',
  'CORRUPT_MESSAGE',
  'KAFKA_STORAGE_ERROR'
])

function refused({ partition: index }: ProducedPartition, { errorCode, ...fields }: Refusal): PartitionResponse {
  return { index, errorCode, baseOffset: -1n, errorMessage: null, ...fields }
}

/** Maximum number of failures in an event. */
const SHOWN_FAILURES = 3

function closeIfAnyFailed(results: readonly PartitionResult[]): undefined {
  const failures = results
    .filter(({ data }) => data.errorCode !== 'NONE')
    .map(({ topic, topicId, partition, data }) => `${topic || topicId}-${partition}: ${data.errorCode}`)
  if (failures.length === 0) return
  throw new CloseConnection({
    cause: 'ProduceFailed',
    failures: failures.slice(0, SHOWN_FAILURES),
    failureCount: failures.length
  })
}
