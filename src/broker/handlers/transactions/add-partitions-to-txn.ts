/**
 * AddPartitionsToTxn: adds partitions to transactions, or verifies that they are in them (KIP-98, KIP-890).
 * - Up to version 3 a request has one transaction of a client; since version 4 a broker sends the transactions of several
 *   producers.
 * - All partitions of a transaction are added, or none. A missing partition gets UNKNOWN_TOPIC_OR_PARTITION, one of an internal
 *   topic gets TOPIC_AUTHORIZATION_FAILED for clients; the others then get OPERATION_NOT_ATTEMPTED.
 * - Verification adds nothing: a partition that is not in the open transaction gets TRANSACTION_ABORTABLE.
 * - A fenced producer gets INVALID_PRODUCER_EPOCH up to version 1.
 */

import { isInternalTopic } from '../../../metadata/topic-names.ts'
import type { ErrorName } from '../../../protocol/errors.ts'
import { TRANSACTIONS_V0, TRANSACTIONS_V2 } from '../../../protocol/transaction-version.ts'
import type { TxnPartitions } from '../../../txn/txn.ts'
import { handler, type PartsOf, type Request, type RequestContext, type Response } from '../../context.ts'
import { fencedErrorFor } from '../../fencing.ts'
import { failureOf, indexesByTopic } from '../../per-partition.ts'

type Transaction = Request<'AddPartitionsToTxn'>['transactions'][number]
type TopicResults = NonNullable<Response<'AddPartitionsToTxn'>['resultsByTopicV3AndBelow']>

const BATCHED_SINCE = 4
const FENCED_SINCE = 2

const PARTS = ['txns', 'replicas', 'events'] as const
type TxnParts = PartsOf<typeof PARTS>

export const addPartitionsToTxn = handler('AddPartitionsToTxn', PARTS, async (request, parts, context) => {
  if (context.apiVersion < BATCHED_SINCE) {
    return { resultsByTopicV3AndBelow: await results(onlyTransaction(request), parts, context) }
  }
  const resultsByTransaction = []
  for (const transaction of request.transactions) {
    const topicResults = await results(transaction, parts, context)
    resultsByTransaction.push({ transactionalId: transaction.transactionalId, topicResults })
  }
  return { resultsByTransaction }
})

function onlyTransaction(request: Request<'AddPartitionsToTxn'>): Transaction {
  return {
    transactionalId: request.v3AndBelowTransactionalId,
    producerId: request.v3AndBelowProducerId,
    producerEpoch: request.v3AndBelowProducerEpoch,
    verifyOnly: false,
    topics: request.v3AndBelowTopics
  }
}

async function results(transaction: Transaction, parts: TxnParts, context: RequestContext): Promise<TopicResults> {
  const { apiVersion } = context
  const requested = partitionsOf(transaction)
  const refusals = refusalsOf(requested, parts, context)
  if (refusals.size > 0) {
    return responsesOf(transaction, (topic, index) => refusals.get(`${topic}-${index}`) ?? 'OPERATION_NOT_ATTEMPTED')
  }
  try {
    return responsesOf(transaction, await act(transaction, requested, parts, context))
  } catch (error) {
    const { errorCode } = failureOf(fencedErrorFor(apiVersion, FENCED_SINCE, error), parts.events)
    return responsesOf(transaction, () => errorCode)
  }
}

/** Errors of partitions that do not depend on the producer. */
function refusalsOf(
  requested: TxnPartitions,
  { replicas }: TxnParts,
  { apiVersion }: RequestContext
): ReadonlyMap<string, ErrorName> {
  const refusals = new Map<string, ErrorName>()
  for (const [topic, indexes] of requested) {
    const isForbidden = apiVersion < BATCHED_SINCE && isInternalTopic(topic)
    const count = replicas.partitionCount(topic)
    for (const index of indexes) {
      if (isForbidden) refusals.set(`${topic}-${index}`, 'TOPIC_AUTHORIZATION_FAILED')
      else if (index < 0 || index >= count) refusals.set(`${topic}-${index}`, 'UNKNOWN_TOPIC_OR_PARTITION')
    }
  }
  return refusals
}

async function act(
  { transactionalId, producerId, producerEpoch, verifyOnly }: Transaction,
  requested: TxnPartitions,
  { txns }: TxnParts,
  { apiVersion }: RequestContext
): Promise<(topic: string, index: number) => ErrorName> {
  const producer = { producerId, producerEpoch }
  if (!verifyOnly) {
    await txns.addPartitions(
      transactionalId,
      producer,
      requested,
      apiVersion >= BATCHED_SINCE ? TRANSACTIONS_V2 : TRANSACTIONS_V0
    )
    return () => 'NONE'
  }
  return (topic, index) => (txns.verify(transactionalId, producer, topic, index) ? 'NONE' : 'TRANSACTION_ABORTABLE')
}

function partitionsOf({ topics }: Transaction): TxnPartitions {
  return indexesByTopic(topics.map(({ name, partitions }) => ({ name, indexes: partitions })))
}

/** The results in the order of the request, including repeated partitions. */
function responsesOf({ topics }: Transaction, codeOf: (topic: string, index: number) => ErrorName): TopicResults {
  return topics.map(({ name, partitions }) => ({
    name,
    resultsByPartition: partitions.map(partitionIndex => ({
      partitionIndex,
      partitionErrorCode: codeOf(name, partitionIndex)
    }))
  }))
}
