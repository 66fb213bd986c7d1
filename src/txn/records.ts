/**
 * The records of `__transaction_state`, byte for byte as Kafka writes them. Each record holds the whole state of a transactional
 * id; the last record is the valid one.
 */

import { type KeyValue, RecordType, SkippedRecord } from '../protocol/keyed-record.ts'
import { NO_PRODUCER_EPOCH, NO_PRODUCER_ID } from '../protocol/records/batch.ts'
import { TRANSACTIONS_V0 } from '../protocol/transaction-version.ts'
import { ByteReader, MalformedFrame } from '../protocol/wire/bytes.ts'
import { array, type Decoded, type Encodable, int8, int16, int32, int64, string } from '../protocol/wire/schema.ts'
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

/** A record: the state of a transactional id, or its tombstone. */
export interface TxnRecord {
  readonly transactionalId: string
  readonly txn: Txn | null
}

export function tombstone(transactionalId: string): TxnRecord {
  return { transactionalId, txn: null }
}

/** Encodes a record. As in Kafka, version 0 while the finalized `transaction.version` is 0, else version 1. */
export function encodeRecord({ transactionalId, txn }: TxnRecord, transactionVersion: number): KeyValue {
  const version = txn === null || transactionVersion === TRANSACTIONS_V0 ? 0 : 1
  return TXN_TYPE.encode({ transactionalId }, txn && txnValueOf(txn), version)
}

function txnValueOf(txn: Txn): Encodable<typeof txnValue> {
  return {
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
}

/** Decodes a record. As in Kafka, records of unknown types are skipped. Throws MalformedFrame for malformed bytes. */
export function decodeRecord({ key, value }: KeyValue): TxnRecord | SkippedRecord {
  const reader = new ByteReader(key)
  const typeId = reader.int16()
  if (typeId !== TXN_TYPE.typeId) return new SkippedRecord(typeId, null)
  const decoded = TXN_TYPE.decode(reader, value)
  const { transactionalId } = decoded.key
  const txn = decoded.value && txnOf(transactionalId, decoded.value)
  return { transactionalId, txn }
}

function txnOf(transactionalId: string, { transactionStatus, ...fields }: Decoded<typeof txnValue>): Txn {
  const state = TXN_STATES[transactionStatus]
  if (!state)
    throw new MalformedFrame(`the transaction of ${transactionalId} has the unknown state ${transactionStatus}`)
  return {
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
