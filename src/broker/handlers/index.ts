/** The handlers of all served APIs. */
import type { Handlers } from '../context.ts'
import { apiVersions } from './cluster/api-versions.ts'
import { describeCluster } from './cluster/describe-cluster.ts'
import { findCoordinator } from './cluster/find-coordinator.ts'
import { updateFeatures } from './cluster/update-features.ts'
import { alterConfigs } from './configs/alter-configs.ts'
import { describeConfigs } from './configs/describe-configs.ts'
import { incrementalAlterConfigs } from './configs/incremental-alter-configs.ts'
import { listConfigResources } from './configs/list-config-resources.ts'
import { consumerGroupDescribe } from './groups/consumer-group-describe.ts'
import { consumerGroupHeartbeat } from './groups/consumer-group-heartbeat.ts'
import { deleteGroups } from './groups/delete-groups.ts'
import { describeGroups } from './groups/describe-groups.ts'
import { heartbeat } from './groups/heartbeat.ts'
import { joinGroup } from './groups/join-group.ts'
import { leaveGroup } from './groups/leave-group.ts'
import { listGroups } from './groups/list-groups.ts'
import { syncGroup } from './groups/sync-group.ts'
import { offsetCommit } from './offsets/offset-commit.ts'
import { offsetDelete } from './offsets/offset-delete.ts'
import { offsetFetch } from './offsets/offset-fetch.ts'
import { deleteRecords } from './records/delete-records.ts'
import { fetch } from './records/fetch.ts'
import { listOffsets } from './records/list-offsets.ts'
import { offsetForLeaderEpoch } from './records/offset-for-leader-epoch.ts'
import { produce } from './records/produce.ts'
import { createPartitions } from './topics/create-partitions.ts'
import { createTopics } from './topics/create-topics.ts'
import { deleteTopics } from './topics/delete-topics.ts'
import { describeTopicPartitions } from './topics/describe-topic-partitions.ts'
import { metadata } from './topics/metadata.ts'
import { addOffsetsToTxn } from './transactions/add-offsets-to-txn.ts'
import { addPartitionsToTxn } from './transactions/add-partitions-to-txn.ts'
import { describeProducers } from './transactions/describe-producers.ts'
import { describeTransactions } from './transactions/describe-transactions.ts'
import { endTxn } from './transactions/end-txn.ts'
import { initProducerId } from './transactions/init-producer-id.ts'
import { listTransactions } from './transactions/list-transactions.ts'
import { txnOffsetCommit } from './transactions/txn-offset-commit.ts'
import { writeTxnMarkers } from './transactions/write-txn-markers.ts'

export const HANDLERS: Handlers = {
  Produce: produce,
  Fetch: fetch,
  ListOffsets: listOffsets,
  Metadata: metadata,
  OffsetCommit: offsetCommit,
  OffsetFetch: offsetFetch,
  FindCoordinator: findCoordinator,
  JoinGroup: joinGroup,
  Heartbeat: heartbeat,
  LeaveGroup: leaveGroup,
  SyncGroup: syncGroup,
  DescribeGroups: describeGroups,
  ListGroups: listGroups,
  ApiVersions: apiVersions,
  CreateTopics: createTopics,
  DeleteTopics: deleteTopics,
  DeleteRecords: deleteRecords,
  InitProducerId: initProducerId,
  OffsetForLeaderEpoch: offsetForLeaderEpoch,
  AddPartitionsToTxn: addPartitionsToTxn,
  AddOffsetsToTxn: addOffsetsToTxn,
  EndTxn: endTxn,
  WriteTxnMarkers: writeTxnMarkers,
  TxnOffsetCommit: txnOffsetCommit,
  UpdateFeatures: updateFeatures,
  DescribeProducers: describeProducers,
  DescribeTransactions: describeTransactions,
  ListTransactions: listTransactions,
  DescribeConfigs: describeConfigs,
  AlterConfigs: alterConfigs,
  CreatePartitions: createPartitions,
  DeleteGroups: deleteGroups,
  IncrementalAlterConfigs: incrementalAlterConfigs,
  OffsetDelete: offsetDelete,
  DescribeCluster: describeCluster,
  ConsumerGroupHeartbeat: consumerGroupHeartbeat,
  ConsumerGroupDescribe: consumerGroupDescribe,
  ListConfigResources: listConfigResources,
  DescribeTopicPartitions: describeTopicPartitions
}
