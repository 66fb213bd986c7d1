/** The registry of all APIs that the broker serves. ApiVersions, dispatch and tests derive their APIs from it. */
import type { Api } from '../api.ts'
import { ApiVersions } from './api-versions.ts'
import { DescribeCluster } from './cluster.ts'
import { AlterConfigs, DescribeConfigs, IncrementalAlterConfigs, ListConfigResources } from './configs.ts'
import { ConsumerGroupDescribe, ConsumerGroupHeartbeat } from './consumer-group.ts'
import { Fetch } from './fetch.ts'
import { FindCoordinator, Heartbeat, JoinGroup, LeaveGroup, SyncGroup } from './group.ts'
import { DeleteGroups, DescribeGroups, ListGroups, OffsetDelete } from './group-admin.ts'
import { ListOffsets, OffsetForLeaderEpoch } from './list-offsets.ts'
import { DescribeTopicPartitions, Metadata } from './metadata.ts'
import { OffsetCommit, OffsetFetch } from './offsets.ts'
import { Produce } from './produce.ts'
import { InitProducerId } from './producer-ids.ts'
import { CreatePartitions, CreateTopics, DeleteRecords, DeleteTopics } from './topics.ts'
import { DescribeProducers, DescribeTransactions, ListTransactions, UpdateFeatures } from './transaction-admin.ts'
import { AddOffsetsToTxn, AddPartitionsToTxn, EndTxn, TxnOffsetCommit, WriteTxnMarkers } from './transactions.ts'

/**
 * Every API by name, in ascending order of the keys.
 * @internal The type is longer than the compiler writes into a declaration, and no public type refers to it.
 */
export const APIS = {
  Produce,
  Fetch,
  ListOffsets,
  Metadata,
  OffsetCommit,
  OffsetFetch,
  FindCoordinator,
  JoinGroup,
  Heartbeat,
  LeaveGroup,
  SyncGroup,
  DescribeGroups,
  ListGroups,
  ApiVersions,
  CreateTopics,
  DeleteTopics,
  DeleteRecords,
  InitProducerId,
  OffsetForLeaderEpoch,
  AddPartitionsToTxn,
  AddOffsetsToTxn,
  EndTxn,
  WriteTxnMarkers,
  TxnOffsetCommit,
  DescribeConfigs,
  AlterConfigs,
  CreatePartitions,
  DeleteGroups,
  IncrementalAlterConfigs,
  OffsetDelete,
  UpdateFeatures,
  DescribeCluster,
  DescribeProducers,
  DescribeTransactions,
  ListTransactions,
  ConsumerGroupHeartbeat,
  ConsumerGroupDescribe,
  ListConfigResources,
  DescribeTopicPartitions
} as const

/** Name of an API that the broker serves. */
export type ApiName = keyof typeof APIS

/** Any API of the registry. */
export type AnyApi = Api & { readonly name: ApiName }

const BY_KEY = new Map(Object.values(APIS).map(api => [api.key, api as AnyApi]))

/** The API with this key; undefined if the broker does not serve it. */
export function apiByKey(key: number): AnyApi | undefined {
  return BY_KEY.get(key)
}
