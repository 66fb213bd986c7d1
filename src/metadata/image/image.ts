/**
 * The content of the metadata log as an immutable value: topics, configs, feature levels and the next producer id. A change
 * creates a new image (evolve.ts). An older image stays a consistent view of an earlier state.
 */
import { resourceKey } from '../../config/resources.ts'
import type { MetadataRecord } from '../records.ts'
import { LayeredMap } from './layered-map.ts'

/** A partition. `directories` has the id of the data directory of each replica. */
export interface PartitionState {
  readonly partitionId: number
  readonly replicas: readonly number[]
  readonly isr: readonly number[]
  readonly removingReplicas: readonly number[]
  readonly addingReplicas: readonly number[]
  /** -1 while the partition has no leader. */
  readonly leader: number
  readonly leaderEpoch: number
  readonly partitionEpoch: number
  readonly directories: readonly string[]
  readonly leaderRecoveryState: number
  readonly eligibleLeaderReplicas: readonly number[]
  readonly lastKnownElr: readonly number[]
}

/** A topic. The index of a partition is its partition id. */
export interface TopicState {
  readonly name: string
  readonly topicId: string
  readonly partitions: readonly PartitionState[]
}

/** Configs of a resource by name. */
export type ResourceConfigs = ReadonlyMap<string, string>

export interface MetadataImage {
  readonly topicsByName: LayeredMap<TopicState>
  readonly topicsById: LayeredMap<TopicState>
  /**
   * Names of topics with '.' or '_', by unified name: both characters are the same there, because they collide in metric names.
   */
  readonly namesByUnifiedName: LayeredMap<string>
  /** Number of partitions of all topics. */
  readonly partitionCount: number
  /** Configs by `resourceKey`. `configsOf` reads them. */
  readonly configs: LayeredMap<ResourceConfigs>
  /** Finalized feature levels by name. */
  readonly features: LayeredMap<number>
  /** First id of the next producer id block; undefined before the first block. */
  readonly nextProducerId: bigint | undefined
  /** Records that have no effect here and that a snapshot must keep: registrations, ACLs, SCRAM credentials, quotas, tokens. */
  readonly others: LayeredMap<MetadataRecord>
}

/** The image before the first record. */
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

/** The configs of a resource. For brokers, the name '' is the default of the whole cluster. */
export function configsOf(image: MetadataImage, resourceType: number, resourceName: string): ResourceConfigs {
  return image.configs.get(resourceKey(resourceType, resourceName)) ?? NO_CONFIGS
}
