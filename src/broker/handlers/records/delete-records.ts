/**
 * DeleteRecords: moves the log start offset (KIP-107).
 * - Offset -1 is the high watermark. A larger or another negative offset gets OFFSET_OUT_OF_RANGE.
 * - If a partition is repeated, its last offset counts.
 * - A compacted topic without `delete` in its policy gets POLICY_VIOLATION, an internal topic INVALID_TOPIC_EXCEPTION.
 */

import { isInternalTopic } from '../../../metadata/topic-names.ts'
import { type ErrorName, KafkaError } from '../../../protocol/errors.ts'
import { ZERO_UUID } from '../../../protocol/wire/bytes.ts'
import { handler, type PartsOf } from '../../context.ts'
import { byTopic, distinct, each, type PartitionRef } from '../../per-partition.ts'

const UP_TO_HIGH_WATERMARK = -1n

const PARTS = ['replicas', 'settings', 'events'] as const

export const deleteRecords = handler('DeleteRecords', PARTS, (request, parts) => {
  const requested = request.topics.flatMap(({ name, partitions }) =>
    partitions.map(({ partitionIndex, offset }) => ({
      topic: name,
      topicId: ZERO_UUID,
      partition: partitionIndex,
      offset
    }))
  )
  const results = each(
    distinct(requested),
    parts.events,
    ref => ({ ...ref, data: responseOf(ref, 'NONE', deleteUpTo(ref, parts)) }),
    (ref, { errorCode }) => ({ ...ref, data: responseOf(ref, errorCode, -1n) })
  )
  return { topics: byTopic(results).map(({ topic, partitions }) => ({ name: topic, partitions })) }
})

function responseOf({ partition: partitionIndex }: PartitionRef, errorCode: ErrorName, lowWatermark: bigint) {
  return { partitionIndex, errorCode, lowWatermark }
}

function deleteUpTo(
  { topic, partition: index, offset }: PartitionRef & { readonly offset: bigint },
  { replicas, settings }: PartsOf<typeof PARTS>
): bigint {
  replicas.checkExists(topic, index)
  if (isInternalTopic(topic)) {
    throw new KafkaError('INVALID_TOPIC_EXCEPTION', `records of the internal topic ${topic} cannot be deleted`)
  }
  const { log } = replicas.leading(topic, index)
  const policy = settings.topic(topic).get('cleanup.policy')
  if (policy.includes('compact') && !policy.includes('delete')) {
    throw new KafkaError('POLICY_VIOLATION', `records of the compacted topic ${topic} cannot be deleted`)
  }
  const target = offset === UP_TO_HIGH_WATERMARK ? log.highWatermark : offset
  if (target < 0n || target > log.highWatermark) {
    throw new KafkaError(
      'OFFSET_OUT_OF_RANGE',
      `offset ${target} of ${topic}-${index} is not between 0 and the high watermark ${log.highWatermark}`
    )
  }
  log.moveLogStart(target)
  return log.logStartOffset
}
