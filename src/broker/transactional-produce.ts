/**
 * What lets a transactional batch of a client in (KIP-890): the first of its transaction in a partition only when the
 * coordinator has the partition in the open transaction. Clients from Produce version 12 on have that added by the
 * produce itself, older ones have asked before.
 */
import { type ErrorName, KafkaError } from '../protocol/errors.ts'
import type { RecordBatch } from '../protocol/records/batch.ts'
import type { TxnPartitions } from '../txn/txn.ts'
import type { Parts } from './context.ts'
import type { Partition } from './partition.ts'

/** First versions of a request: with which partitions are added implicitly, and clients know TRANSACTION_ABORTABLE. */
export interface TransactionVersions {
  readonly addsSince: number
  readonly abortableSince: number
}

export const PRODUCE_VERSIONS: TransactionVersions = { addsSince: 12, abortableSince: 11 }
export const TXN_OFFSET_COMMIT_VERSIONS: TransactionVersions = { addsSince: 5, abortableSince: 4 }

/** A request that writes within a transaction. */
export interface TransactionalWrite {
  readonly parts: Pick<Parts, 'txns' | 'settings' | 'clock'>
  readonly transactionalId: string
  readonly producerId: bigint
  readonly producerEpoch: number
  readonly apiVersion: number
  readonly versions: TransactionVersions
}

/**
 * Adds partitions to the transaction, where that is the write's own to do. What was added before is on the disk then, where
 * that is wanted: no record is written that a crash would leave without its transaction. Throws what the client is told.
 */
export async function addToTransaction(write: TransactionalWrite, partitions: TxnPartitions): Promise<void> {
  const { parts, transactionalId, apiVersion, versions } = write
  if (partitions.size === 0) return
  try {
    if (apiVersion < versions.addsSince) await parts.txns.settled(transactionalId)
    else await parts.txns.addPartitions(transactionalId, write, partitions, 2)
  } catch (error) {
    throw toldAs(error, write)
  }
}

/** Whether the coordinator has to be asked before a batch is appended to a partition. Throws INVALID_PRODUCER_EPOCH. */
export function mustAsk(write: TransactionalWrite, partition: Partition, batch: RecordBatch): boolean {
  const { parts, apiVersion, versions } = write
  const bumpsEpochs = apiVersion >= versions.addsSince
  if (!bumpsEpochs && !parts.settings.get('transaction.partition.verification.enable')) return false
  return partition.mustAsk(batch, bumpsEpochs, parts.clock.now())
}

/** Throws what the client is to be told when the partition is not in the open transaction of the producer. */
export function checkInTransaction(write: TransactionalWrite, topic: string, index: number): void {
  const { parts, transactionalId } = write
  try {
    if (parts.txns.verify(transactionalId, write, topic, index)) return
  } catch (error) {
    throw toldAs(error, write)
  }
  throw toldAs(
    new KafkaError('TRANSACTION_ABORTABLE', `${topic}-${index} is not in the transaction of ${transactionalId}`),
    write
  )
}

/** The coordinator's trouble is not the client's: it tries again. */
const TRIED_AGAIN: ReadonlySet<ErrorName> = new Set<ErrorName>([
  'COORDINATOR_LOAD_IN_PROGRESS',
  'COORDINATOR_NOT_AVAILABLE',
  'NOT_COORDINATOR'
])

function toldAs(error: unknown, { apiVersion, versions }: TransactionalWrite): unknown {
  if (!(error instanceof KafkaError)) return error
  const { code, message } = error
  if (code === 'PRODUCER_FENCED') return new KafkaError('INVALID_PRODUCER_EPOCH', message)
  if (code === 'TRANSACTION_ABORTABLE' && apiVersion < versions.abortableSince) {
    return new KafkaError('INVALID_TXN_STATE', message)
  }
  const isTriedAgain = TRIED_AGAIN.has(code) || (code === 'CONCURRENT_TRANSACTIONS' && apiVersion < versions.addsSince)
  if (!isTriedAgain) return error
  const why = 'Unable to verify the partition has been added to the transaction. Underlying error: '
  return new KafkaError('NOT_ENOUGH_REPLICAS', why + code)
}
