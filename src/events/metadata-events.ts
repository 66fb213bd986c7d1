/** Events of topics and of the metadata log, and their log lines. */
import type { ErrorName } from '../protocol/errors.ts'
import { error, info, infoOfMany, type Lines, reasonOf, warn } from './line.ts'

export type MetadataEvent =
  | {
      readonly type: 'TopicCreated'
      readonly topic: string
      readonly topicId: string
      readonly partitions: number
    }
  | { readonly type: 'TopicDeleted'; readonly topic: string; readonly topicId: string }
  /** `partitions` is the new number of partitions. */
  | {
      readonly type: 'PartitionsAdded'
      readonly topic: string
      readonly topicId: string
      readonly partitions: number
    }
  /** -1: the partition has no leader. */
  | {
      readonly type: 'LeaderChanged'
      readonly topicPartition: string
      readonly oldLeader: number
      readonly leader: number
      readonly leaderEpoch: number
    }
  /** The topic of a coordinator is missing and cannot be created: keys of it are not served. */
  | {
      readonly type: 'CoordinatorTopicRefused'
      readonly topic: string
      readonly key: string
      readonly errorCode: ErrorName
      readonly errorMessage: string
    }
  | { readonly type: 'SnapshotWritten'; readonly path: string; readonly endOffset: bigint }
  /** The next run retries. */
  | { readonly type: 'SnapshotFailed'; readonly path: string; readonly error: unknown }
  | { readonly type: 'SnapshotDeleted'; readonly path: string }
  | { readonly type: 'SnapshotRetentionFailed'; readonly error: unknown }

export const METADATA_LINES: Lines<MetadataEvent> = {
  TopicCreated: infoOfMany(
    'created topics',
    ({ topic, topicId, partitions }) => `topic ${topic} created: id ${topicId}, ${partitions} partitions`
  ),
  TopicDeleted: infoOfMany('deleted topics', ({ topic, topicId }) => `topic ${topic} deleted: id ${topicId}`),
  PartitionsAdded: infoOfMany(
    'added partitions',
    ({ topic, partitions }) => `topic ${topic}: partitions added, now ${partitions}`
  ),
  LeaderChanged: infoOfMany(
    'changed leaders',
    ({ topicPartition, oldLeader, leader, leaderEpoch }) =>
      `${topicPartition}: leader ${oldLeader} -> ${leader}, leader epoch ${leaderEpoch}`
  ),
  CoordinatorTopicRefused: warn(
    ({ topic, key, errorCode, errorMessage }) =>
      `topic ${topic} not created for key ${key}: ${errorCode}, ${errorMessage}`
  ),
  SnapshotWritten: info(({ path, endOffset }) => `metadata snapshot ${path} written, end offset ${endOffset}`),
  SnapshotFailed: error(
    ({ path, error }) => `metadata snapshot ${path} not written, the next run retries: ${reasonOf(error)}`
  ),
  SnapshotDeleted: info(({ path }) => `metadata snapshot ${path} deleted by retention`),
  SnapshotRetentionFailed: error(({ error }) => `old metadata snapshots not deleted: ${reasonOf(error)}`)
}
