/**
 * WriteTxnMarkers: ends transactions in partitions, for their coordinator or for an operator who aborts a hanging transaction
 * (KIP-98, KIP-664). Every partition of every marker has its own error. If a producer has several markers for a partition, the
 * last error is returned.
 */
import { type ErrorName, KafkaError } from '../../../protocol/errors.ts'
import type { Marker } from '../../../txn/markers.ts'
import { handler, type PartsOf, type Request } from '../../context.ts'
import { eachYielding, failureOf } from '../../per-partition.ts'

type WritableTxnMarker = Request<'WriteTxnMarkers'>['markers'][number]

const PARTS = ['markers', 'replicas', 'clocks', 'events'] as const

export const writeTxnMarkers = handler('WriteTxnMarkers', PARTS, async ({ markers }, parts) => {
  const producers = new Map<bigint, Topics>()
  for (const requested of markers) {
    const topics = producers.get(requested.producerId) ?? new Map()
    await write(requested, topics, parts)
    if (topics.size > 0) producers.set(requested.producerId, topics)
  }
  return { markers: Array.from(producers, ([producerId, topics]) => ({ producerId, topics: listOf(topics) })) }
})

/** Errors by topic and partition. */
type Topics = Map<string, Map<number, ErrorName>>

async function write(requested: WritableTxnMarker, topics: Topics, parts: PartsOf<typeof PARTS>): Promise<void> {
  const { producerId, producerEpoch, coordinatorEpoch, transactionVersion, transactionResult } = requested
  const result = transactionResult ? 'COMMIT' : 'ABORT'
  const marker: Marker = { producerId, producerEpoch, coordinatorEpoch, transactionVersion, result }
  const writeMarker = async ({ topic, index }: MarkerPartition): Promise<void> => {
    const partitions = topics.get(topic) ?? new Map<number, ErrorName>()
    topics.set(topic, partitions)
    try {
      if (!parts.replicas.hosts(topic, index)) {
        throw new KafkaError('UNKNOWN_TOPIC_OR_PARTITION', `this broker has no replica of ${topic}-${index}`)
      }
      await parts.markers.write(topic, index, marker)
      partitions.set(index, 'NONE')
    } catch (error) {
      partitions.set(index, failureOf(error, parts.events).errorCode)
    }
  }
  await eachYielding(markerPartitions(requested), parts.clocks.loop, writeMarker)
}

interface MarkerPartition {
  readonly topic: string
  readonly index: number
}

function markerPartitions({ topics }: WritableTxnMarker): MarkerPartition[] {
  return topics.flatMap(({ name, partitionIndexes }) => partitionIndexes.map(index => ({ topic: name, index })))
}

function listOf(topics: Topics) {
  return Array.from(topics, ([name, partitions]) => ({
    name,
    partitions: Array.from(partitions, ([partitionIndex, errorCode]) => ({ partitionIndex, errorCode }))
  }))
}
