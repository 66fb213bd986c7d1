/**
 * The records of `__transaction_state`, byte for byte as Kafka writes them. Each record holds the whole state of a transactional
 * id; the last record is the valid one.
 */

import { type KeyValue, RecordType } from '../protocol/keyed-record.ts'
import { NO_PRODUCER_EPOCH, NO_PRODUCER_ID } from '../protocol/records/batch.ts'
import { TRANSACTIONS_V0 } from '../protocol/transaction-version.ts'
import { ByteReader, MalformedFrame } from '../protocol/wire/bytes.ts'
import { array, int8, int16, int32, int64, string } from '../protocol/wire/schema.ts'
import { NO_PARTITIONS, TXN_STATES, type Txn, type TxnPartitions } from './txn.ts'

/** TransactionLogValue, in Kafka's order of fields. */
const txnValue = {
  producerId: int64,
  previousProducerId: int64.or(NO_PRODUCER_ID).tagged(0, 1),
  nextProducerId: int64.or(NO_PRODUCER_ID).tagged(1, 1),
  producerEpoch: int16,
  nextProducerEpoch: int16.or(NO_PRODUCER_EPOCH).tagged(3, 1),
  transactionTimeoutMs: int32,
  transactionStatus: int8,
  transactionPartitions: array({ topic: string, partitionIds: array(int32) }).nullableSince(0),
  transactionLastUpdateTimestampMs: int64,
  transactionStartTimestampMs: int64,
  clientTransactionVersion: int16.tagged(2, 1)
}

/** The only record type of `__transaction_state`. */
export const TXN_TYPE = new RecordType(0, { transactionalId: string }, txnValue, 1, 1)

/** Encodes a state. As in Kafka, version 0 while the finalized `transaction.version` is 0, else version 1. */
export function encodeTxn(txn: Txn, transactionVersion: number): KeyValue {
  const value = {
    producerId: txn.producerId,
    producerEpoch: txn.producerEpoch,
    transactionTimeoutMs: txn.timeoutMs,
    transactionStatus: TXN_STATES.indexOf(txn.state),
    transactionPartitions: txn.state === 'Empty' ? null : toList(txn.partitions),
    transactionLastUpdateTimestampMs: BigInt(txn.updatedMs),
    transactionStartTimestampMs: BigInt(txn.startedMs),
    previousProducerId: txn.previousProducerId,
    nextProducerId: txn.nextProducerId,
    clientTransactionVersion: txn.clientVersion
  }
  return TXN_TYPE.encode(
    { transactionalId: txn.transactionalId },
    value,
    transactionVersion === TRANSACTIONS_V0 ? 0 : 1
  )
}

/** The tombstone of a transactional id. */
export function encodeTombstone(transactionalId: string): KeyValue {
  return TXN_TYPE.encode({ transactionalId }, null, 0)
}

/** Decodes a record: a state, null for a tombstone, undefined for an unknown record type. */
export function decodeTxn({ key, value }: KeyValue): { transactionalId: string; txn: Txn | null } | undefined {
  const reader = new ByteReader(key)
  if (reader.int16() !== TXN_TYPE.typeId) return undefined
  const decoded = TXN_TYPE.decode(reader, value)
  const { transactionalId } = decoded.key
  if (!decoded.value) return { transactionalId, txn: null }
  const { transactionStatus, ...fields } = decoded.value
  const state = TXN_STATES[transactionStatus]
  if (!state)
    throw new MalformedFrame(`the transaction of ${transactionalId} has the unknown state ${transactionStatus}`)
  const txn: Txn = {
    transactionalId,
    state,
    producerId: fields.producerId,
    previousProducerId: fields.previousProducerId,
    nextProducerId: fields.nextProducerId,
    producerEpoch: fields.producerEpoch,
    lastProducerEpoch: NO_PRODUCER_EPOCH,
    timeoutMs: fields.transactionTimeoutMs,
    partitions: state === 'Empty' ? NO_PARTITIONS : toMap(fields.transactionPartitions ?? []),
    startedMs: Number(fields.transactionStartTimestampMs),
    updatedMs: Number(fields.transactionLastUpdateTimestampMs),
    clientVersion: fields.clientTransactionVersion
  }
  return { transactionalId, txn }
}

interface TopicPartitions {
  readonly topic: string
  readonly partitionIds: readonly number[]
}

function toList(partitions: TxnPartitions): TopicPartitions[] {
  return Array.from(partitions, ([topic, indexes]) => ({ topic, partitionIds: [...indexes] }))
}

function toMap(list: readonly TopicPartitions[]): TxnPartitions {
  return new Map(list.map(({ topic, partitionIds }) => [topic, new Set(partitionIds)]))
}
