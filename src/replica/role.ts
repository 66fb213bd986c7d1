/** The role of this node's replica of a partition in a leader epoch, decided by the metadata image. */
import type { PartitionState } from '../metadata/image/image.ts'

export type Role =
  | {
      readonly kind: 'leader'
      readonly leaderEpoch: number
      /** The other members of the ISR. */
      readonly inSyncFollowers: readonly number[]
    }
  /** `leaderId` is -1 while the partition has no leader. */
  | { readonly kind: 'follower'; readonly leaderEpoch: number; readonly leaderId: number }
  /** This node has no replica. */
  | { readonly kind: 'none'; readonly leaderEpoch: number; readonly leaderId: number }

type AssignedPartition = Pick<PartitionState, 'leader' | 'leaderEpoch' | 'replicas' | 'isr'>

/** The role of node `nodeId`. As in Kafka, a node that is the leader leads, even if the assignment does not have it. */
export function roleOf({ leader: leaderId, leaderEpoch, replicas, isr }: AssignedPartition, nodeId: number): Role {
  if (leaderId === nodeId) return { kind: 'leader', leaderEpoch, inSyncFollowers: isr.filter(id => id !== nodeId) }
  return { kind: replicas.includes(nodeId) ? 'follower' : 'none', leaderEpoch, leaderId }
}
