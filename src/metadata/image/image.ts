/**
 * What the metadata log says, as one immutable value: topics, settings, feature levels, the next producer id.
 * A change makes a new image (evolve.ts); whoever holds an old one still sees a cluster that once was.
 */
import { resourceKey } from '../../config/resources.ts'
import type { MetadataRecord } from '../records.ts'
import { LayeredMap } from './layered-map.ts'

/** One partition. `directories` names, replica by replica, the data directory that holds it. */
export interface PartitionState {
  readonly partitionId: number
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
  readonly removingReplicas: readonly number[]
  readonly addingReplicas: readonly number[]
  /** -1 while no replica leads. */
  readonly leader: number
  readonly leaderEpoch: number
  readonly partitionEpoch: number
  readonly directories: readonly string[]
  readonly leaderRecoveryState: number
  readonly eligibleLeaderReplicas: readonly number[]
  readonly lastKnownElr: readonly number[]
}

/** One topic; a partition stands at its own index. */
export interface TopicState {
  readonly name: string
  readonly topicId: string
  readonly partitions: readonly PartitionState[]
}

/** Settings of one resource by name. */
export type ResourceConfigs = ReadonlyMap<string, string>

export interface MetadataImage {
  readonly topicsByName: LayeredMap<TopicState>
  readonly topicsById: LayeredMap<TopicState>
  /** Names of topics with '.' or '_' in them, by what they are when these are taken for the same. */
  readonly namesByUnifiedName: LayeredMap<string>
  /** Partitions of all topics. */
  readonly partitionCount: number
  /** Settings by `resourceKey`; ask with `configsOf`. */
  readonly configs: LayeredMap<ResourceConfigs>
  /** Finalized feature levels by name. */
  readonly features: LayeredMap<number>
  /** The first id of the next block, undefined before the first block. */
  readonly nextProducerId: bigint | undefined
  /** What nothing here acts on yet but a snapshot must not lose: registrations, ACLs, SCRAM, quotas, tokens. */
  readonly others: LayeredMap<MetadataRecord>
}

/** A cluster before its first record. */
export const EMPTY_IMAGE: MetadataImage = {
  topicsByName: LayeredMap.empty(),
  topicsById: LayeredMap.empty(),
  namesByUnifiedName: LayeredMap.empty(),
  partitionCount: 0,
  configs: LayeredMap.empty(),
  features: LayeredMap.empty(),
  nextProducerId: undefined,
  others: LayeredMap.empty()
}

const NO_CONFIGS: ResourceConfigs = new Map()

/** The settings stored for a resource; for brokers the name '' is the default of the whole cluster. */
export function configsOf(image: MetadataImage, resourceType: number, resourceName: string): ResourceConfigs {
  return image.configs.get(resourceKey(resourceType, resourceName)) ?? NO_CONFIGS
}
