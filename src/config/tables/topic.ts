/**
 * Every setting a topic can carry in Apache Kafka 4.3. The broker's setting that each defaults to is a row of
 * `broker.ts`. Clients and tools set and read all of these, so all are here, tiered storage's included.
 */
import { boolean, double, int, list, long, string } from '../define.ts'

const LONG_MAX = 2n ** 63n - 1n

/** The codecs of `compression.type`, and "producer" to keep what the producer chose. */
export const COMPRESSION_TYPES = ['uncompressed', 'zstd', 'lz4', 'snappy', 'gzip', 'producer'] as const

/** The rows, by the topic's name for the setting. */
export const topicSettings = {
  'cleanup.policy': list(
    ['delete'],
    'What happens to old segments: deleted by age and size, compacted to the last record of each key, both, or (empty) neither.',
    { oneOf: ['compact', 'delete'] }
  ),
  'compression.gzip.level': int(-1, 'Effort of gzip when the broker compresses; -1 is the default of the library.', {
    atLeast: 1,
    atMost: 9,
    or: -1
  }),
  'compression.lz4.level': int(9, 'Effort of LZ4 when the broker compresses; the library in use knows but one.', {
    atLeast: 1,
    atMost: 17,
    unsupported: true
  }),
  'compression.type': string(
    'producer',
    'The codec that batches are stored in; "producer" keeps the one that the producer chose.',
    { oneOf: COMPRESSION_TYPES }
  ),
  'compression.zstd.level': int(3, 'Effort of Zstandard when the broker compresses.', {
    atLeast: -131_072,
    atMost: 22
  }),
  'delete.retention.ms': long(
    86_400_000,
    'How long compaction keeps a tombstone, so that readers can see the deletion.',
    {
      atLeast: 0
    }
  ),
  'file.delete.delay.ms': long(60_000, 'How long the files of a deleted segment stay on disk under another name.', {
    atLeast: 0
  }),
  'flush.messages': long(LONG_MAX, 'Sync the log to disk after this many records, and answer no sooner.', {
    atLeast: 1
  }),
  'flush.ms': long(LONG_MAX, 'Sync the log to disk when a record has waited this long.', { atLeast: 0 }),
  'follower.replication.throttled.replicas': list(
    [],
    'Replicas whose fetching from the leader is throttled: partition:broker pairs, or *.',
    { check: throttledReplicas, unsupported: true }
  ),
  'index.interval.bytes': int(4096, 'Bytes of log between two entries of the offset index.', { atLeast: 0 }),
  'internal.segment.bytes': int(null, 'For tests only: a segment size below the minimum of segment.bytes.', {
    internal: true
  }),
  'leader.replication.throttled.replicas': list(
    [],
    'Replicas whose fetching is throttled by the leader: partition:broker pairs, or *.',
    { check: throttledReplicas, unsupported: true }
  ),
  'local.retention.bytes': long(-2, 'With tiered storage, bytes to keep on this disk; -2 means retention.bytes.', {
    atLeast: -2,
    unsupported: true
  }),
  'local.retention.ms': long(-2, 'With tiered storage, time to keep records on this disk; -2 means retention.ms.', {
    atLeast: -2,
    unsupported: true
  }),
  'max.compaction.lag.ms': long(LONG_MAX, 'The longest that a record may stay uncompacted.', { atLeast: 1 }),
  'max.message.bytes': int(1_048_588, 'The largest record batch that is accepted, after compression.', { atLeast: 0 }),
  'message.timestamp.after.max.ms': long(
    3_600_000,
    "How far a record's timestamp may lie in the future, where the producer's time is kept.",
    { atLeast: 0 }
  ),
  'message.timestamp.before.max.ms': long(
    LONG_MAX,
    "How far a record's timestamp may lie in the past, where the producer's time is kept.",
    { atLeast: 0 }
  ),
  'message.timestamp.type': string('CreateTime', "Whether records carry the producer's time or that of the append.", {
    oneOf: ['CreateTime', 'LogAppendTime']
  }),
  'min.cleanable.dirty.ratio': double(0.5, 'The part of a log that must be uncompacted before it is compacted again.', {
    atLeast: 0,
    atMost: 1
  }),
  'min.compaction.lag.ms': long(0, 'How long a record is safe from compaction.', { atLeast: 0 }),
  'min.insync.replicas': int(1, 'Replicas that must be in sync for a write with acks=all.', { atLeast: 1 }),
  preallocate: boolean(false, 'Whether a new segment file gets its full size at once.'),
  'remote.log.copy.disable': boolean(false, 'With tiered storage, stop copying segments away.', { unsupported: true }),
  'remote.log.delete.on.disable': boolean(
    false,
    'With tiered storage, delete what was copied when it is switched off.',
    { unsupported: true }
  ),
  'remote.storage.enable': boolean(false, 'Tiered storage for the topic; this broker has none and refuses true.'),
  'retention.bytes': long(-1, 'Size of a partition above which its oldest segments are deleted; -1 for no limit.'),
  'retention.ms': long(604_800_000, 'Age at which a segment is deleted; -1 for never.', { atLeast: -1 }),
  'segment.bytes': int(1_073_741_824, 'Size at which a new segment file is begun.', { atLeast: 1_048_576 }),
  'segment.index.bytes': int(10_485_760, "Largest size of a segment's index files.", { atLeast: 4 }),
  'segment.jitter.ms': long(
    0,
    'The most by which segment.ms is shortened at random, so that not all logs roll at once.',
    {
      atLeast: 0
    }
  ),
  'segment.ms': long(604_800_000, 'Age at which a new segment file is begun, full or not.', { atLeast: 1 }),
  'unclean.leader.election.enable': boolean(false, 'Whether a replica that missed records may lead.', {
    unsupported: true
  })
}

/** The name of a topic's setting. */
export type TopicSettingName = keyof typeof topicSettings

/** Whether a topic can carry a setting of this name. */
export function isTopicSetting(name: string): name is TopicSettingName {
  return Object.hasOwn(topicSettings, name)
}

function throttledReplicas(name: string, values: readonly string[]): string | null {
  if (values.every(value => /^(\d+:\d+)?$/.test(value)) || values.join('') === '*') return null
  const format = '[partitionId]:[brokerId],[partitionId]:[brokerId],...'
  return (
    `Invalid value [${values.join(', ')}] for configuration ${name}: ${name} must be the literal '*' or ` +
    `a list of replicas in the following format: ${format}`
  )
}
