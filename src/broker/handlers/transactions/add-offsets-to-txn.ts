/**
 * AddOffsetsToTxn: adds the partition of `__consumer_offsets` that stores a group to a transaction (KIP-98).
 * - Only clients before KIP-890 send it; newer ones send only TxnOffsetCommit.
 * - A fenced producer gets INVALID_PRODUCER_EPOCH up to version 1.
 */
import { GROUP_METADATA_TOPIC_NAME } from '../../../metadata/topic-names.ts'
import { handler } from '../../context.ts'
import { fencedErrorFor } from '../../fencing.ts'
import { groupPartition } from '../../group-partition.ts'

const FENCED_SINCE = 2

const PARTS = ['txns', 'replicas', 'settings'] as const

export const addOffsetsToTxn = handler('AddOffsetsToTxn', PARTS, async (request, parts, { apiVersion }) => {
  const { transactionalId, producerId, producerEpoch, groupId } = request
  const index = groupPartition(groupId, parts)
  const added = new Map([[GROUP_METADATA_TOPIC_NAME, new Set([index])]])
  try {
    await parts.txns.addPartitions(transactionalId, { producerId, producerEpoch }, added, 0)
    return { errorCode: 'NONE' }
  } catch (error) {
    throw fencedErrorFor(apiVersion, FENCED_SINCE, error)
  }
})
