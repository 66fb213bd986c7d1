/**
 * DeleteRecords: moves the start of the log (KIP-107).
 * - Offset -1 means up to the high watermark; beyond it, or negative, is OFFSET_OUT_OF_RANGE.
 * - A compacted topic without `delete` in its policy is POLICY_VIOLATION, an internal topic INVALID_TOPIC_EXCEPTION.
 */

import { isInternalTopic } from '../../metadata/topic-names.ts'
import { KafkaError } from '../../protocol/errors.ts'
import type { Handler, RequestContext } from '../context.ts'
import { each } from '../per-partition.ts'

const UP_TO_HIGH_WATERMARK = -1n

export const deleteRecords: Handler<'DeleteRecords'> = (request, context) => ({
  topics: request.topics.map(({ name, partitions }) => ({
    name,
    partitions: each(
      partitions,
      context.parts,
      ({ partitionIndex, offset }) => ({
        partitionIndex,
        errorCode: 'NONE',
        lowWatermark: deleteUpTo(name, partitionIndex, offset, context)
      }),
      ({ partitionIndex }, { errorCode }) => ({ partitionIndex, errorCode, lowWatermark: -1n })
    )
  }))
})

function deleteUpTo(topic: string, index: number, offset: bigint, { parts: { catalog } }: RequestContext): bigint {
  const { log } = catalog.partition(topic, index)
  if (isInternalTopic(topic)) {
    throw new KafkaError('INVALID_TOPIC_EXCEPTION', `records of the internal topic ${topic} cannot be deleted`)
  }
  const policy = catalog.settingsOf(topic).get('cleanup.policy')
  if (policy.includes('compact') && !policy.includes('delete')) {
    throw new KafkaError('POLICY_VIOLATION', `${topic} is compacted: its records cannot be deleted`)
  }
  const target = offset === UP_TO_HIGH_WATERMARK ? log.highWatermark : offset
  if (target < 0n || target > log.highWatermark) {
    throw new KafkaError('OFFSET_OUT_OF_RANGE', `${topic}-${index} cannot start at ${target}`)
  }
  log.moveLogStart(target)
  return log.logStartOffset
}
