// All transcripts by name.
import type { Step } from '../transcript.ts'
import { addToTxn } from './add-to-txn.ts'
import { apiVersions } from './api-versions.ts'
import { badInput } from './bad-input.ts'
import { committedRead } from './committed-read.ts'
import { configs } from './configs.ts'
import { consumerGroupAdmin } from './consumer-group-admin.ts'
import { consumerGroupChance } from './consumer-group-chance.ts'
import { consumerGroupHeartbeat } from './consumer-group-heartbeat.ts'
import { consumerGroupLeave } from './consumer-group-leave.ts'
import { consumerGroupOffsets } from './consumer-group-offsets.ts'
import { consumerGroupRebalance } from './consumer-group-rebalance.ts'
import { consumerGroupRegex } from './consumer-group-regex.ts'
import { consumerGroupStates } from './consumer-group-states.ts'
import { consumerGroupStatic } from './consumer-group-static.ts'
import { consumerGroupSubscription } from './consumer-group-subscription.ts'
import { deleteRecords } from './delete-records.ts'
import { endTxn } from './end-txn.ts'
import { exhaustedEpochs } from './exhausted-epochs.ts'
import { fetch } from './fetch.ts'
import { fetchSessions } from './fetch-sessions.ts'
import { findCoordinator } from './find-coordinator.ts'
import { groupAdmin } from './group-admin.ts'
import { groupConfigs } from './group-configs.ts'
import { groupMigration } from './group-migration.ts'
import { groupMigrationChance } from './group-migration-chance.ts'
import { groupRecords } from './group-records.ts'
import { groupVersion } from './group-version.ts'
import { initProducerId } from './init-producer-id.ts'
import { joinGroup } from './join-group.ts'
import { leaderEpochs } from './leader-epochs.ts'
import { leaveGroup } from './leave-group.ts'
import { listOffsets } from './list-offsets.ts'
import { metadata } from './metadata.ts'
import { offsetCommit } from './offset-commit.ts'
import { offsetDelete } from './offset-delete.ts'
import { offsetFetch } from './offset-fetch.ts'
import { produce } from './produce.ts'
import { produceValidation } from './produce-validation.ts'
import { producerIds } from './producer-ids.ts'
import { rebalance } from './rebalance.ts'
import { staticMembers } from './static-members.ts'
import { topics } from './topics.ts'
import { transactionVersions } from './transaction-versions.ts'
import { transactionalProduce } from './transactional-produce.ts'
import { txnAdmin } from './txn-admin.ts'
import { txnChance } from './txn-chance.ts'
import { txnChanges } from './txn-changes.ts'
import { txnMarkers } from './txn-markers.ts'
import { txnOffsetCommit } from './txn-offset-commit.ts'
import { updateFeatures } from './update-features.ts'

export const TRANSCRIPTS: Readonly<Record<string, readonly Step[]>> = {
  'api versions': apiVersions,
  metadata,
  topics,
  produce,
  'produce validation': produceValidation,
  'producer ids': producerIds,
  fetch,
  'fetch sessions': fetchSessions,
  'list offsets': listOffsets,
  'delete records': deleteRecords,
  'leader epochs': leaderEpochs,
  'find coordinator': findCoordinator,
  'join group': joinGroup,
  rebalance,
  'static members': staticMembers,
  'leave group': leaveGroup,
  'offset commit': offsetCommit,
  'offset fetch': offsetFetch,
  'offset delete': offsetDelete,
  'group admin': groupAdmin,
  'consumer group admin': consumerGroupAdmin,
  'consumer group heartbeat': consumerGroupHeartbeat,
  'consumer group rebalance': consumerGroupRebalance,
  'consumer group static': consumerGroupStatic,
  'consumer group subscription': consumerGroupSubscription,
  'consumer group leave': consumerGroupLeave,
  'consumer group states': consumerGroupStates,
  'consumer group offsets': consumerGroupOffsets,
  'consumer group regex': consumerGroupRegex,
  'consumer group chance': consumerGroupChance,
  'group records': groupRecords,
  'group migration': groupMigration,
  'group migration chance': groupMigrationChance,
  configs,
  'group configs': groupConfigs,
  'bad input': badInput,
  'init producer id': initProducerId,
  'add to txn': addToTxn,
  'end txn': endTxn,
  'transactional produce': transactionalProduce,
  'txn offset commit': txnOffsetCommit,
  'txn markers': txnMarkers,
  'txn admin': txnAdmin,
  'txn changes': txnChanges,
  'txn chance': txnChance,
  'committed read': committedRead,
  'update features': updateFeatures,
  'group version': groupVersion,
  'transaction versions': transactionVersions,
  'exhausted epochs': exhaustedEpochs
}
