/**
 * TxnOffsetCommit: writes offsets of a group that are committed with the producer's transaction (KIP-98, KIP-447). Every
 * partition has its own error.
 * - Since version 5 the commit itself adds the partition of `__consumer_offsets` to the transaction (KIP-890); earlier versions
 *   use AddOffsetsToTxn.
 * - Version 6 identifies topics by id.
 */
import { refuseCommit } from '../../../group/offsets/offsets.ts'
import { GROUP_METADATA_TOPIC_NAME } from '../../../metadata/topic-names.ts'
import { KafkaError } from '../../../protocol/errors.ts'
import { handler, type PartsOf, type Request, type RequestContext } from '../../context.ts'
import { groupPartition } from '../../group-partition.ts'
import { failureOf } from '../../per-partition.ts'
import { sortCommit } from '../offsets/commit-topics.ts'
import {
  addToTransaction,
  checkInTransaction,
  isVerificationEnabled,
  type TransactionalWrite,
  TXN_OFFSET_COMMIT_VERSIONS
} from '../records/transactional-produce.ts'

const TOPIC_IDS_SINCE = 6

const PARTS = ['groups', 'txns', 'metadata', 'replicas', 'settings', 'clocks', 'events'] as const

export const txnOffsetCommit = handler('TxnOffsetCommit', PARTS, async (request, parts, context) => {
  const { apiVersion } = context
  const { topics, responseWith } = sortCommit(request.topics, parts.metadata.image, apiVersion >= TOPIC_IDS_SINCE)
  if (topics.length === 0) return { topics: responseWith([]) }
  const { groupId, memberId, groupInstanceId, generationIdOrMemberEpoch: generationId } = request
  const { producerId, producerEpoch } = request
  const claim = { groupId, memberId, groupInstanceId, generationId }
  try {
    const checkIsOpen = await enterTransaction(request, parts, context)
    // No await between this check and the write: the marker of the transaction must not come between them.
    checkIsOpen()
  } catch (error) {
    return { topics: responseWith(refuseCommit(topics, failureOf(error, parts.events).errorCode)) }
  }
  const producer = { producerId, producerEpoch }
  const commit = { ...claim, apiVersion, retentionTimeMs: -1n, topics, producer }
  return { topics: responseWith(await parts.groups.offsets.commitInTransaction(commit)) }
})

/**
 * Adds the partition of the group to the transaction if this version does so. Returns a function that throws unless the partition
 * is in the open transaction.
 */
async function enterTransaction(
  request: Request<'TxnOffsetCommit'>,
  parts: PartsOf<typeof PARTS>,
  { apiVersion }: RequestContext
): Promise<() => void> {
  const { transactionalId, producerId, producerEpoch, groupId } = request
  if (groupId === '') throw new KafkaError('INVALID_GROUP_ID', 'the group id is empty')
  const topic = GROUP_METADATA_TOPIC_NAME
  const index = groupPartition(groupId, parts)
  const versions = TXN_OFFSET_COMMIT_VERSIONS
  const write: TransactionalWrite = { parts, transactionalId, producerId, producerEpoch, apiVersion, versions }
  if (!isVerificationEnabled(write)) return () => {}
  await addToTransaction(write, new Map([[topic, new Set([index])]]))
  return () => checkInTransaction(write, topic, index)
}
