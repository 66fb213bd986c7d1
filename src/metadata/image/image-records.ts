/** Converts an image to the records of a snapshot, in Kafka's order. */
import { splitResourceKey } from '../../config/resources.ts'
import { METADATA_VERSION } from '../features.ts'
import { type MetadataRecord, metadataRecord, type RecordType } from '../records.ts'
import type { MetadataImage, PartitionState, TopicState } from './image.ts'

/** Types of records that are written unchanged: before topics and configs, after the configs, and after the producer ids. */
const REGISTRATIONS: readonly RecordType[] = ['RegisterBrokerRecord', 'RegisterControllerRecord']
const QUOTAS: readonly RecordType[] = ['ClientQuotaRecord']
const ACCESS: readonly RecordType[] = ['AccessControlEntryRecord', 'UserScramCredentialRecord', 'DelegationTokenRecord']

/** The records that create `image` from the empty image. */
export function* imageRecords(image: MetadataImage): Generator<MetadataRecord, undefined> {
  yield* featureRecords(image)
  yield* others(image, REGISTRATIONS)
  for (const topic of image.topicsById.values()) yield* topicRecords(topic)
  yield* configRecords(image)
  yield* others(image, QUOTAS)
  const { nextProducerId } = image
  if (nextProducerId !== undefined) yield metadataRecord('ProducerIdsRecord', { brokerId: -1, nextProducerId })
  yield* others(image, ACCESS)
}

/** metadata.version is the first record, because it may determine how later records are read. */
function* featureRecords({ features }: MetadataImage): Generator<MetadataRecord, undefined> {
  const names = [METADATA_VERSION, ...[...features.keys()].filter(name => name !== METADATA_VERSION)]
  for (const name of names) {
    const featureLevel = features.get(name)
    if (featureLevel !== undefined) yield metadataRecord('FeatureLevelRecord', { name, featureLevel })
  }
}

function* others(image: MetadataImage, types: readonly RecordType[]): Generator<MetadataRecord, undefined> {
  for (const type of types) {
    for (const record of image.others.values()) if (record.type === type) yield record
  }
}

function* topicRecords({ name, topicId, partitions }: TopicState): Generator<MetadataRecord, undefined> {
  yield metadataRecord('TopicRecord', { name, topicId })
  for (const partition of partitions) yield partitionRecord(topicId, partition)
}

/** As in Kafka, empty lists of eligible leader replicas are written as null, which leaves the fields out. */
function partitionRecord(topicId: string, partition: PartitionState): MetadataRecord {
  const { eligibleLeaderReplicas, lastKnownElr } = partition
  return metadataRecord('PartitionRecord', {
    ...partition,
    topicId,
    eligibleLeaderReplicas: eligibleLeaderReplicas.length > 0 ? eligibleLeaderReplicas : null,
    lastKnownElr: lastKnownElr.length > 0 ? lastKnownElr : null
  })
}

function* configRecords({ configs }: MetadataImage): Generator<MetadataRecord, undefined> {
  for (const [key, ofResource] of configs) {
    const resource = splitResourceKey(key)
    for (const [name, value] of ofResource) yield metadataRecord('ConfigRecord', { ...resource, name, value })
  }
}
