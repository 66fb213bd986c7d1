/**
 * DescribeProducers: the producer states of partitions, each with its own error (KIP-664). A repeated partition is described
 * once, because its description is much larger than its request.
 */
import type { ProducerEntry } from '../../../idempotence/producer-snapshot.ts'
import { checkTopicName } from '../../../metadata/topic-names.ts'
import { KafkaError } from '../../../protocol/errors.ts'
import { handler, type Request, type Response } from '../../context.ts'
import { each, indexesByTopic } from '../../per-partition.ts'

type Partition = Response<'DescribeProducers'>['topics'][number]['partitions'][number]

const PARTS = ['replicas', 'metadata', 'events'] as const

export const describeProducers = handler('DescribeProducers', PARTS, ({ topics }, parts) => ({
  topics: Array.from(indexesByTopic(topics.map(named)), ([name, indexes]) => ({
    name,
    partitions: each(
      [...indexes],
      parts.events,
      partitionIndex => {
        checkTopicName(name)
        const producers = parts.replicas.partition(name, partitionIndex).producers()
        return { partitionIndex, errorCode: 'NONE', errorMessage: null, activeProducers: producers.map(described) }
      },
      (partitionIndex, { errorCode, error }): Partition => {
        // As in Kafka, an error for an existing topic has no message.
        const exists = parts.metadata.image.topicsByName.has(name)
        const errorMessage = error instanceof KafkaError && !exists ? error.message : null
        return { partitionIndex, errorCode, errorMessage, activeProducers: [] }
      }
    )
  }))
}))

function named({ name, partitionIndexes }: Request<'DescribeProducers'>['topics'][number]) {
  return { name, indexes: partitionIndexes }
}

function described(producer: ProducerEntry): Partition['activeProducers'][number] {
  return {
    producerId: producer.producerId,
    producerEpoch: producer.producerEpoch,
    lastSequence: producer.lastSequence,
    lastTimestamp: producer.timestamp,
    coordinatorEpoch: producer.coordinatorEpoch,
    currentTxnStartOffset: producer.currentTxnFirstOffset
  }
}
