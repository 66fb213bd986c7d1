/**
 * Verification of transactional writes (KIP-890): the first batch of a transaction in a partition is appended only if the
 * transaction coordinator has the partition in the ongoing transaction. Since version 12 Produce adds the partition itself; older
 * clients have sent AddPartitionsToTxn before.
 */
import { rows } from '../../../config/view.ts'
import { acceptedBatch, type ProducedRecords } from '../../../log/partition-log/validator.ts'
import { type ErrorName, KafkaError } from '../../../protocol/errors.ts'
import type { RecordBatch } from '../../../protocol/records/batch.ts'
import { TRANSACTIONS_V2 } from '../../../protocol/transaction-version.ts'
import type { Partition } from '../../../replica/partition.ts'
import type { TxnPartitions } from '../../../txn/txn.ts'
import type { Parts, RequestContext } from '../../context.ts'
import { failureOf, type PartitionRef } from '../../per-partition.ts'

/** The first request versions that add partitions implicitly, and whose clients know TRANSACTION_ABORTABLE. */
export interface TransactionVersions {
  readonly addsSince: number
  readonly abortableSince: number
}

const PRODUCE_VERSIONS: TransactionVersions = { addsSince: 12, abortableSince: 11 }
export const TXN_OFFSET_COMMIT_VERSIONS: TransactionVersions = { addsSince: 5, abortableSince: 4 }

type WriteParts = Pick<Parts, 'txns' | 'settings' | 'clocks'>
type JoinParts = WriteParts & Pick<Parts, 'replicas' | 'events'>

/** A request that writes in a transaction. */
export interface TransactionalWrite {
  readonly parts: WriteParts
  readonly transactionalId: string
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly apiVersion: number
  readonly versions: TransactionVersions
}

/**
 * Adds partitions to the transaction if this request version does so. Then waits for the flush of the transaction's state, if
 * `flush.messages` asks for it: a crash must not leave records without their transaction. Throws the KafkaError of the response.
 */
export async function addToTransaction(write: TransactionalWrite, partitions: TxnPartitions): Promise<void> {
  const { parts, transactionalId, apiVersion, versions } = write
  if (partitions.size === 0) return
  try {
    if (apiVersion < versions.addsSince) await parts.txns.settled(transactionalId)
    else await parts.txns.addPartitions(transactionalId, write, partitions, TRANSACTIONS_V2)
  } catch (error) {
    throw verificationError(error, write)
  }
}

/** Throws the KafkaError of the response if the partition is not in the open transaction of the producer. */
export function checkInTransaction(write: TransactionalWrite, topic: string, index: number): void {
  const { parts, transactionalId } = write
  try {
    if (parts.txns.verify(transactionalId, write, topic, index)) return
  } catch (error) {
    throw verificationError(error, write)
  }
  throw verificationError(
    new KafkaError('TRANSACTION_ABORTABLE', `${topic}-${index} is not in the transaction of ${transactionalId}`),
    write
  )
}

/** The records of a Produce request for one partition. */
export interface ProducedPartition extends PartitionRef {
  readonly records: ProducedRecords
}

/** A transactional batch whose partition may have to be added to the transaction. */
interface Admission {
  readonly produced: ProducedPartition
  readonly batch: RecordBatch
  readonly partition: Partition
}

/** Kafka's error for a batch that is not appended. */
export interface Refusal {
  readonly errorCode: ErrorName
  readonly errorMessage: string | null
}

/**
 * Adds the partitions that are new to the client's transaction, if this version of Produce does so. Returns the refusals of the
 * partitions that cannot be added; refuses all partitions if their batches are of several producers.
 */
export async function joinTransaction(
  transactionalId: string,
  partitions: readonly ProducedPartition[],
  parts: JoinParts,
  context: RequestContext
): Promise<ReadonlyMap<ProducedPartition, Refusal>> {
  const admissions = partitions.flatMap(produced => admissionOf(produced, parts.replicas) ?? [])
  const [first] = admissions
  if (!first) return new Map()
  if (admissions.some(({ batch }) => !isSameProducer(batch, first.batch))) {
    const errorMessage = 'Transactional records contained more than one producer ID'
    return new Map(partitions.map(produced => [produced, { errorCode: 'INVALID_PRODUCER_ID_MAPPING', errorMessage }]))
  }
  const added = admissions.filter(admission => needsAdding(transactionalId, admission, parts, context))
  try {
    await addToTransaction(writeOf(transactionalId, first.batch, parts, context), partitionsOf(added))
    return new Map()
  } catch (error) {
    const refusal = { errorCode: failureOf(error, parts.events).errorCode, errorMessage: errorMessageOf(error) }
    return new Map(added.map(({ produced }) => [produced, refusal]))
  }
}

function isSameProducer(batch: RecordBatch, other: RecordBatch): boolean {
  return batch.producerId === other.producerId && batch.producerEpoch === other.producerEpoch
}

/** Undefined for a batch that is not transactional. Errors of the batch or its partition are reported by the append. */
function admissionOf(produced: ProducedPartition, replicas: Parts['replicas']): Admission | undefined {
  try {
    const batch = acceptedBatch(produced.records)
    if (!belongsToTransaction(batch)) return undefined
    const name = replicas.nameOf({ name: produced.topic, topicId: produced.topicId })
    return { produced, batch, partition: replicas.partition(name, produced.partition) }
  } catch (error) {
    if (error instanceof KafkaError) return undefined
    throw error
  }
}

function needsAdding(
  transactionalId: string,
  { batch, partition }: Admission,
  parts: WriteParts,
  context: RequestContext
): boolean {
  try {
    return needsVerification(writeOf(transactionalId, batch, parts, context), partition, batch)
  } catch (error) {
    if (error instanceof KafkaError) return false
    throw error
  }
}

function partitionsOf(admissions: readonly Admission[]): TxnPartitions {
  const partitions = new Map<string, Set<number>>()
  for (const { partition } of admissions) {
    partitions.set(partition.topic, (partitions.get(partition.topic) ?? new Set()).add(partition.index))
  }
  return partitions
}

/**
 * Throws the KafkaError of the response if the batch must not be appended. There must be no await between this check and the
 * append.
 */
export function checkAdmitted(
  transactionalId: string,
  batch: RecordBatch,
  partition: Partition,
  parts: WriteParts,
  context: RequestContext
): void {
  if (!belongsToTransaction(batch)) return
  const write = writeOf(transactionalId, batch, parts, context)
  if (needsVerification(write, partition, batch)) checkInTransaction(write, partition.topic, partition.index)
}

/** As in Kafka, batches without a producer id are not verified. */
function belongsToTransaction({ isTransactional, producerId }: RecordBatch): boolean {
  return isTransactional && producerId >= 0n
}

function needsVerification(write: TransactionalWrite, partition: Partition, batch: RecordBatch): boolean {
  return (
    isVerificationEnabled(write) &&
    partition.needsVerification(batch, bumpsEpochs(write), write.parts.clocks.wall.now())
  )
}

const VERIFICATION_ROWS = rows({ isEnabled: 'transaction.partition.verification.enable' })

/** True if transactional writes are verified. `transaction.partition.verification.enable` can disable it for older clients. */
export function isVerificationEnabled(write: TransactionalWrite): boolean {
  return bumpsEpochs(write) || write.parts.settings.view(VERIFICATION_ROWS).isEnabled
}

function bumpsEpochs({ apiVersion, versions }: TransactionalWrite): boolean {
  return apiVersion >= versions.addsSince
}

function writeOf(
  transactionalId: string,
  { producerId, producerEpoch }: RecordBatch,
  parts: WriteParts,
  { apiVersion }: RequestContext
): TransactionalWrite {
  return { parts, transactionalId, producerId, producerEpoch, apiVersion, versions: PRODUCE_VERSIONS }
}

/** Errors for which Kafka returns a message. */
const ERRORS_WITH_MESSAGE: ReadonlySet<ErrorName> = new Set<ErrorName>(['INVALID_TXN_STATE', 'NOT_ENOUGH_REPLICAS'])

/** Kafka's message for a batch that is refused, or null. */
export function errorMessageOf(error: unknown): string | null {
  return error instanceof KafkaError && ERRORS_WITH_MESSAGE.has(error.code) ? error.message : null
}

/** Retriable coordinator errors; returned as NOT_ENOUGH_REPLICAS. */
const RETRIABLE_COORDINATOR_ERRORS: ReadonlySet<ErrorName> = new Set<ErrorName>([
  'COORDINATOR_LOAD_IN_PROGRESS',
  'COORDINATOR_NOT_AVAILABLE',
  'NOT_COORDINATOR'
])

function verificationError(error: unknown, { apiVersion, versions }: TransactionalWrite): unknown {
  if (!(error instanceof KafkaError)) return error
  const { code, message } = error
  if (code === 'PRODUCER_FENCED') return new KafkaError('INVALID_PRODUCER_EPOCH', message)
  if (code === 'TRANSACTION_ABORTABLE' && apiVersion < versions.abortableSince) {
    return new KafkaError('INVALID_TXN_STATE', 'Partition was not added to the transaction')
  }
  const isRetriable =
    RETRIABLE_COORDINATOR_ERRORS.has(code) || (code === 'CONCURRENT_TRANSACTIONS' && apiVersion < versions.addsSince)
  if (!isRetriable) return error
  const why = 'Unable to verify the partition has been added to the transaction. Underlying error: '
  return new KafkaError('NOT_ENOUGH_REPLICAS', why + code)
}
