/** One partition's state out of its records: what a change leaves alone stays, what it names bumps the epochs. */

import type { MetadataRecordOf } from '../records.ts'
import type { PartitionState } from './image.ts'

/** The directory of a replica whose record is older than directory ids. */
const MIGRATING_DIRECTORY = 'AAAAAAAAAAAAAAAAAAAAAA'
const LEADER_UNCHANGED = -2
const RECOVERY_STATE_UNCHANGED = -1

/** A partition as its PartitionRecord says. */
export function newPartition(record: MetadataRecordOf<'PartitionRecord'>): PartitionState {
  return {
    partitionId: record.partitionId,
    replicas: record.replicas,
    isr: record.isr,
    removingReplicas: record.removingReplicas,
    addingReplicas: record.addingReplicas,
    leader: record.leader,
    leaderEpoch: record.leaderEpoch,
    partitionEpoch: record.partitionEpoch,
    directories: record.directories.length > 0 ? record.directories : record.replicas.map(() => MIGRATING_DIRECTORY),
    leaderRecoveryState: record.leaderRecoveryState,
    eligibleLeaderReplicas: record.eligibleLeaderReplicas ?? [],
    lastKnownElr: record.lastKnownElr ?? []
  }
}

/** Naming a leader, even the same one, begins a new leader epoch; a change of the ISR alone does not. */
export function changedPartition(
  before: PartitionState,
  change: MetadataRecordOf<'PartitionChangeRecord'>
): PartitionState {
  const led = change.leader !== LEADER_UNCHANGED
  const recovery = change.leaderRecoveryState
  return {
    partitionId: before.partitionId,
    replicas: change.replicas ?? before.replicas,
    isr: change.isr ?? before.isr,
    removingReplicas: change.removingReplicas ?? before.removingReplicas,
    addingReplicas: change.addingReplicas ?? before.addingReplicas,
    leader: led ? change.leader : before.leader,
    leaderEpoch: led ? before.leaderEpoch + 1 : before.leaderEpoch,
    partitionEpoch: before.partitionEpoch + 1,
    directories: change.directories ?? before.directories,
    leaderRecoveryState: recovery === RECOVERY_STATE_UNCHANGED ? before.leaderRecoveryState : recovery,
    eligibleLeaderReplicas: change.eligibleLeaderReplicas ?? before.eligibleLeaderReplicas,
    lastKnownElr: change.lastKnownElr ?? before.lastKnownElr
  }
}
