/**
 * AddPartitionsToTxn: takes partitions into transactions, or tells whether they are in them (KIP-98, KIP-890).
 * - Up to version 3 one client asks for itself; from version 4 on a broker asks for several producers.
 * - All partitions of a transaction are added or none: one that does not exist is UNKNOWN_TOPIC_OR_PARTITION, and the
 *   others are OPERATION_NOT_ATTEMPTED.
 * - To verify adds nothing: TRANSACTION_ABORTABLE for a partition that is not in the open transaction.
 * - A fenced producer is told INVALID_PRODUCER_EPOCH up to version 1.
 */
import type { ErrorName } from '../../protocol/errors.ts'
import type { TxnPartitions } from '../../txn/txn.ts'
import type { Handler, Request, RequestContext, Response } from '../context.ts'
import { knownTo } from '../fencing.ts'
import { failureOf } from '../per-partition.ts'

type Transaction = Request<'AddPartitionsToTxn'>['transactions'][number]
type TopicResults = NonNullable<Response<'AddPartitionsToTxn'>['resultsByTopicV3AndBelow']>

const FIRST_BATCHED_VERSION = 4
const FENCED_SINCE = 2

export const addPartitionsToTxn: Handler<'AddPartitionsToTxn'> = async (request, context) => {
  if (context.apiVersion < FIRST_BATCHED_VERSION) {
    return { resultsByTopicV3AndBelow: await results(onlyTransaction(request), context) }
  }
  const resultsByTransaction = []
  for (const transaction of request.transactions) {
    const topicResults = await results(transaction, context)
    resultsByTransaction.push({ transactionalId: transaction.transactionalId, topicResults })
  }
  return { resultsByTransaction }
}

function onlyTransaction(request: Request<'AddPartitionsToTxn'>): Transaction {
  return {
    transactionalId: request.v3AndBelowTransactionalId,
    producerId: request.v3AndBelowProducerId,
    producerEpoch: request.v3AndBelowProducerEpoch,
    verifyOnly: false,
    topics: request.v3AndBelowTopics
  }
}

async function results(transaction: Transaction, context: RequestContext): Promise<TopicResults> {
  const { parts, apiVersion } = context
  const wanted = partitionsOf(transaction)
  const exists = (topic: string, index: number) => index >= 0 && index < parts.catalog.partitionCount(topic)
  const all = [...wanted].every(([topic, indexes]) => [...indexes].every(index => exists(topic, index)))
  if (!all) {
    return answers(wanted, (topic, index) =>
      exists(topic, index) ? 'OPERATION_NOT_ATTEMPTED' : 'UNKNOWN_TOPIC_OR_PARTITION'
    )
  }
  try {
    const codeOf = await act(transaction, wanted, context)
    return answers(wanted, codeOf)
  } catch (error) {
    const { errorCode } = failureOf(knownTo(apiVersion, FENCED_SINCE, error), parts)
    return answers(wanted, () => errorCode)
  }
}

async function act(
  { transactionalId, producerId, producerEpoch, verifyOnly }: Transaction,
  wanted: TxnPartitions,
  { parts, apiVersion }: RequestContext
): Promise<(topic: string, index: number) => ErrorName> {
  const producer = { producerId, producerEpoch }
  if (!verifyOnly) {
    await parts.txns.addPartitions(transactionalId, producer, wanted, apiVersion >= FIRST_BATCHED_VERSION ? 2 : 0)
    return () => 'NONE'
  }
  return (topic, index) =>
    parts.txns.verify(transactionalId, producer, topic, index) ? 'NONE' : 'TRANSACTION_ABORTABLE'
}

function partitionsOf({ topics }: Transaction): TxnPartitions {
  const all = new Map<string, Set<number>>()
  for (const { name, partitions } of topics) all.set(name, new Set([...(all.get(name) ?? []), ...partitions]))
  return all
}

function answers(wanted: TxnPartitions, codeOf: (topic: string, index: number) => ErrorName): TopicResults {
  return Array.from(wanted, ([name, indexes]) => ({
    name,
    resultsByPartition: Array.from(indexes, partitionIndex => ({
      partitionIndex,
      partitionErrorCode: codeOf(name, partitionIndex)
    }))
  }))
}
