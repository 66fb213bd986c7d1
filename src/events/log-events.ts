/** Events of partition logs and of the data directory, and their log lines. `topicPartition` is the folder of the partition. */
import { debug, error, info, type Lines, reasonOf, warn } from './line.ts'

/** The rule by which segments were deleted, and its limit. */
export interface SegmentDeletionReason {
  readonly cause: 'log start offset' | 'retention.bytes' | 'retention.ms'
  readonly limit: bigint | number
}

/** An event about a partition or its log. */
interface OfPartition {
  readonly topicPartition: string
}

interface Failed {
  readonly error: unknown
}

/** Events of an open log. */
type OpenLogEvent =
  | ({ readonly type: 'SegmentRolled'; readonly baseOffset: bigint } & OfPartition)
  | ({
      readonly type: 'SegmentsDeleted'
      readonly count: number
      readonly firstBaseOffset: bigint | undefined
      readonly lastBaseOffset: bigint | undefined
      readonly bytes: number
      readonly logStartOffset: bigint
      readonly reason: SegmentDeletionReason
    } & OfPartition)
  /** Old segments could not be deleted. The next check retries. */
  | ({ readonly type: 'RetentionFailed' } & OfPartition & Failed)
  /** A read found a damaged batch. Emitted once for each position. */
  | ({ readonly type: 'LogDamaged' } & OfPartition & Failed)
  /** The disk failed, or the recovery. The partition is offline until the next start. */
  | ({ readonly type: 'PartitionOffline'; readonly cause: 'disk' | 'recovery' } & OfPartition & Failed)
  /** All segments were replaced by an empty one at the log start offset. */
  | ({ readonly type: 'LogTruncatedFully'; readonly logEndOffset: bigint; readonly startOffset: bigint } & OfPartition)
  | ({ readonly type: 'ProducerSnapshotDamaged'; readonly path: string } & Failed)
  | ({ readonly type: 'ProducerSnapshotWriteFailed'; readonly path: string } & Failed)
  /** A damaged batch ended the replay of producer states. */
  | ({ readonly type: 'ProducerStateIncomplete' } & OfPartition & Failed)

/** Events of the log cleaner. */
type CleanerEvent =
  | ({
      readonly type: 'LogCompacted'
      readonly bytesBefore: number
      readonly bytesAfter: number
      readonly recordsDropped: number
      readonly tookMs: number
    } & OfPartition)
  /** The log was deleted or went offline, or its segments were deleted meanwhile. */
  | ({ readonly type: 'CompactionAborted' } & OfPartition & Failed)
  | ({ readonly type: 'CompactionFailed' } & OfPartition & Failed)
  /** The log is not compacted before the next start. */
  | ({ readonly type: 'LogUncleanable' } & OfPartition & Failed)
  | ({
      readonly type: 'CleanerOffsetInvalid'
      readonly checkpoint: bigint | undefined
      readonly firstDirtyOffset: bigint
    } & OfPartition)
  | ({ readonly type: 'CleanerFailed' } & Failed)

/** Events of the data directory: start, recovery and shutdown. */
type DirectoryEvent =
  | { readonly type: 'UncleanShutdownDetected'; readonly partitions: number }
  /** Emitted at most every five seconds. The totals are estimates. */
  | {
      readonly type: 'RecoveryProgressed'
      readonly partitions: number
      readonly partitionsTotal: number
      readonly bytes: number
      readonly bytesTotal: number
    }
  /** The damaged end of a log was truncated. `detail` describes the damage. */
  | ({
      readonly type: 'LogTruncated'
      readonly baseOffset: bigint
      readonly endOffset: bigint
      readonly cutBytes: number
      readonly removedSegments: number
      readonly detail: string
    } & OfPartition)
  /** The index files of a segment do not match its log. They are rebuilt. */
  | ({ readonly type: 'IndexesRebuilt'; readonly baseOffset: bigint; readonly detail: string } & OfPartition)
  | ({ readonly type: 'OrphanedIndexesRemoved'; readonly paths: readonly string[] } & OfPartition)
  | ({ readonly type: 'LeaderEpochsDamaged' } & OfPartition)
  /** A compaction that a crash interrupted was completed: one result replaced the segments of these offsets. */
  | ({ readonly type: 'CompactionCompleted'; readonly startOffset: bigint; readonly endOffset: bigint } & OfPartition)
  /** The log ends before the recovery point, up to which it was synced. */
  | ({ readonly type: 'RecordsLost'; readonly logEndOffset: bigint; readonly recoveryPoint: bigint } & OfPartition)
  /** The partition had records and has no folder. It starts empty. */
  | ({ readonly type: 'PartitionFolderMissing' } & OfPartition)
  /** The folder of a partition that no topic has was renamed. */
  | ({ readonly type: 'StrayPartitionRenamed'; readonly folder: string } & OfPartition)
  | { readonly type: 'FolderIgnored'; readonly folder: string }
  | ({ readonly type: 'PartitionDeletionFailed' } & OfPartition & Failed)
  /** The next start retries the removal. */
  | ({ readonly type: 'FileRemovalFailed'; readonly path: string } & Failed)
  /** The checkpoint counts as empty. */
  | { readonly type: 'CheckpointDamaged'; readonly path: string }
  | ({ readonly type: 'CheckpointWriteFailed' } & Failed)
  /** `subject` is a partition, `checkpoints` or `clean shutdown file`. The next start recovers the data directory. */
  | ({ readonly type: 'CleanShutdownFailed'; readonly subject: string } & Failed)

export type LogEvent = OpenLogEvent | CleanerEvent | DirectoryEvent

const OPEN_LOG_LINES: Lines<OpenLogEvent> = {
  SegmentRolled: debug(({ topicPartition, baseOffset }) => `${topicPartition}: segment rolled at offset ${baseOffset}`),
  SegmentsDeleted: info(
    ({ topicPartition, count, firstBaseOffset, lastBaseOffset, bytes, logStartOffset, reason: { cause, limit } }) =>
      `${topicPartition}: ${count} segments (base offsets ${firstBaseOffset} to ${lastBaseOffset}, ${bytes} bytes) deleted by ${cause} ${limit}, log start offset ${logStartOffset}`
  ),
  RetentionFailed: warn(
    ({ topicPartition, error }) =>
      `${topicPartition}: old segments not deleted, the next check retries: ${reasonOf(error)}`
  ),
  LogDamaged: error(({ topicPartition, error }) => `${topicPartition}: log damaged: ${reasonOf(error)}`),
  PartitionOffline: error(
    ({ topicPartition, cause, error }) =>
      `${topicPartition} offline until the next start, ${cause} failed: ${reasonOf(error)}`
  ),
  LogTruncatedFully: warn(
    ({ topicPartition, logEndOffset, startOffset }) =>
      `${topicPartition}: log truncated fully, log end offset ${logEndOffset} -> ${startOffset}`
  ),
  ProducerSnapshotDamaged: warn(
    ({ path, error }) => `producer snapshot ${path} damaged, more of the log is replayed: ${reasonOf(error)}`
  ),
  ProducerSnapshotWriteFailed: warn(({ path, error }) => `producer snapshot ${path} not written: ${reasonOf(error)}`),
  ProducerStateIncomplete: error(
    ({ topicPartition, error }) => `${topicPartition}: producer states incomplete, log damaged: ${reasonOf(error)}`
  )
}

const CLEANER_LINES: Lines<CleanerEvent> = {
  LogCompacted: info(
    ({ topicPartition, bytesBefore, bytesAfter, recordsDropped, tookMs }) =>
      `${topicPartition}: log compacted, ${bytesBefore} -> ${bytesAfter} bytes, ${recordsDropped} records dropped, ${tookMs} ms`
  ),
  CompactionAborted: debug(({ topicPartition, error }) => `${topicPartition}: compaction aborted: ${reasonOf(error)}`),
  CompactionFailed: warn(
    ({ topicPartition, error }) => `${topicPartition}: compaction failed, the next run retries: ${reasonOf(error)}`
  ),
  LogUncleanable: error(
    ({ topicPartition, error }) => `${topicPartition} uncleanable until the next start: ${reasonOf(error)}`
  ),
  CleanerOffsetInvalid: warn(
    ({ topicPartition, checkpoint, firstDirtyOffset }) =>
      `${topicPartition}: invalid cleaner offset ${checkpoint}, reset to ${firstDirtyOffset}`
  ),
  CleanerFailed: error(({ error }) => `log cleaner failed, the next run retries: ${reasonOf(error)}`)
}

const DIRECTORY_LINES: Lines<DirectoryEvent> = {
  UncleanShutdownDetected: info(
    ({ partitions }) => `data directory: unclean shutdown, recovering ${partitions} partitions`
  ),
  RecoveryProgressed: info(
    ({ partitions, partitionsTotal, bytes, bytesTotal }) =>
      `data directory: recovered ${partitions} of ${partitionsTotal} partitions, ${bytes} of ${bytesTotal} bytes`
  ),
  LogTruncated: warn(
    ({ topicPartition, baseOffset, endOffset, cutBytes, removedSegments, detail }) =>
      `${topicPartition}: log truncated to offset ${endOffset} in segment ${baseOffset}, ${cutBytes} bytes and ${removedSegments} later segments removed: ${detail}`
  ),
  IndexesRebuilt: warn(
    ({ topicPartition, baseOffset, detail }) => `${topicPartition}: indexes of segment ${baseOffset} rebuilt: ${detail}`
  ),
  OrphanedIndexesRemoved: warn(
    ({ topicPartition, paths }) => `${topicPartition}: indexes without a log removed: ${paths.join(', ')}`
  ),
  LeaderEpochsDamaged: warn(({ topicPartition }) => `${topicPartition}: leader epoch checkpoint damaged, rebuilt`),
  CompactionCompleted: info(
    ({ topicPartition, startOffset, endOffset }) =>
      `${topicPartition}: interrupted compaction of offsets ${startOffset} to ${endOffset} completed`
  ),
  RecordsLost: error(
    ({ topicPartition, logEndOffset, recoveryPoint }) =>
      `${topicPartition}: records lost, log end offset ${logEndOffset} is below recovery point ${recoveryPoint}`
  ),
  PartitionFolderMissing: warn(({ topicPartition }) => `${topicPartition}: folder missing, the partition starts empty`),
  StrayPartitionRenamed: warn(
    ({ topicPartition, folder }) => `${topicPartition}: no topic has this partition, folder renamed to ${folder}`
  ),
  FolderIgnored: warn(({ folder }) => `data directory: folder ${folder} ignored, it belongs to no partition`),
  PartitionDeletionFailed: error(
    ({ topicPartition, error }) => `${topicPartition}: folder of the deleted partition not renamed: ${reasonOf(error)}`
  ),
  FileRemovalFailed: warn(({ path, error }) => `${path} not removed, the next start retries: ${reasonOf(error)}`),
  CheckpointDamaged: warn(({ path }) => `checkpoint ${path} damaged, it counts as empty`),
  CheckpointWriteFailed: warn(({ error }) => `checkpoint not written: ${reasonOf(error)}`),
  CleanShutdownFailed: error(({ subject, error }) => `shutdown not clean, ${subject} not written: ${reasonOf(error)}`)
}

export const LOG_LINES: Lines<LogEvent> = { ...OPEN_LOG_LINES, ...CLEANER_LINES, ...DIRECTORY_LINES }
