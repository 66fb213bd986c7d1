/**
 * The settings of logs: all topic configs of Apache Kafka 4.3, and the broker settings of logs, most of which are the defaults of
 * topic configs. Clients and tools set and read all topic configs, so the table has all of them, including tiered storage.
 */
import { boolean, DYNAMIC, double, int, list, long, type RowOptions, string } from '../define.ts'

const LONG_MAX = 2n ** 63n - 1n
const MINUTE = 60_000
const HOUR = 3_600_000

// Defaults of a topic config and of a broker setting in another unit.
const RETENTION_HOURS = 168
const ROLL_HOURS = 168
const ROLL_JITTER_HOURS = 0
const FLUSH_MS = LONG_MAX

/** The values of `compression.type`. `producer` keeps the codec of the producer. */
export const COMPRESSION_TYPES = ['uncompressed', 'zstd', 'lz4', 'snappy', 'gzip', 'producer'] as const

/** The topic configs, by name. */
export const topicSettings = {
  'cleanup.policy': list(
    ['delete'],
    'The retention of old segments: `delete` deletes them by age and size, `compact` keeps the last record of each key. Both can be set; an empty list means neither.',
    { oneOf: ['compact', 'delete'] }
  ),
  'compression.gzip.level': int(
    -1,
    'The gzip level for batches that the broker compresses. -1 is the default level of the library.',
    { atLeast: 1, atMost: 9, or: -1 }
  ),
  'compression.lz4.level': int(
    9,
    'The LZ4 level for batches that the broker compresses. The LZ4 library of minikafka has a single level.',
    { atLeast: 1, atMost: 17, unsupported: true }
  ),
  'compression.type': string(
    'producer',
    'The compression codec of stored batches. `producer` keeps the codec of the producer.',
    { oneOf: COMPRESSION_TYPES }
  ),
  'compression.zstd.level': int(3, 'The Zstandard level for batches that the broker compresses.', {
    atLeast: -131_072,
    atMost: 22
  }),
  'delete.retention.ms': long(
    86_400_000,
    'The time in ms that compaction keeps a tombstone, so that consumers can read it.',
    { atLeast: 0 }
  ),
  'file.delete.delay.ms': long(
    60_000,
    'The time in ms before the files of a deleted segment are removed from the disk.',
    { atLeast: 0 }
  ),
  'flush.messages': long(
    LONG_MAX,
    'The number of records after which the log is synced to disk. Produce responses wait for the sync.',
    { atLeast: 1 }
  ),
  'flush.ms': long(FLUSH_MS, 'The maximum time in ms that a record waits for a sync to disk.', {
    atLeast: 0
  }),
  'follower.replication.throttled.replicas': list(
    [],
    'Follower replicas whose replication is throttled, as partition:broker pairs, or *.',
    { check: throttledReplicas, unsupported: true }
  ),
  'index.interval.bytes': int(4096, 'The number of bytes of a log between two entries of the offset index.', {
    atLeast: 0
  }),
  'internal.segment.bytes': int(
    null,
    'A segment size in bytes that may be below the minimum of segment.bytes, for tests.',
    { internal: true }
  ),
  'leader.replication.throttled.replicas': list(
    [],
    'Leader replicas whose replication is throttled, as partition:broker pairs, or *.',
    { check: throttledReplicas, unsupported: true }
  ),
  'local.retention.bytes': long(
    -2,
    'With tiered storage, the maximum size of a partition on local disk, in bytes. -2 means the value of retention.bytes.',
    { atLeast: -2, unsupported: true }
  ),
  'local.retention.ms': long(
    -2,
    'With tiered storage, the maximum age of segments on local disk in ms. -2 means the value of retention.ms.',
    { atLeast: -2, unsupported: true }
  ),
  'max.compaction.lag.ms': long(LONG_MAX, 'The maximum time in ms before a record is compacted.', {
    atLeast: 1
  }),
  'max.message.bytes': int(
    1_048_588,
    'The maximum size of a record batch after compression, in bytes. A larger batch is refused.',
    { atLeast: 0 }
  ),
  'message.timestamp.after.max.ms': long(
    3_600_000,
    "The maximum difference in ms between a record's timestamp in the future and the time of the append. Applies to CreateTime.",
    { atLeast: 0 }
  ),
  'message.timestamp.before.max.ms': long(
    LONG_MAX,
    "The maximum difference in ms between a record's timestamp in the past and the time of the append. Applies to CreateTime.",
    { atLeast: 0 }
  ),
  'message.timestamp.type': string(
    'CreateTime',
    'The timestamps of records: CreateTime keeps those of the producer, LogAppendTime sets the time of the append.',
    { oneOf: ['CreateTime', 'LogAppendTime'] }
  ),
  'min.cleanable.dirty.ratio': double(
    0.5,
    'The minimum ratio of uncompacted bytes to all bytes of a log at which it is compacted again.',
    { atLeast: 0, atMost: 1 }
  ),
  'min.compaction.lag.ms': long(0, 'The minimum time in ms before a record is compacted.', { atLeast: 0 }),
  'min.insync.replicas': int(1, 'The minimum number of in-sync replicas for a write with acks=all.', { atLeast: 1 }),
  preallocate: boolean(false, 'Whether a new segment file is allocated at its full size.'),
  'remote.log.copy.disable': boolean(false, 'With tiered storage, stops copying segments to remote storage.', {
    unsupported: true
  }),
  'remote.log.delete.on.disable': boolean(
    false,
    'With tiered storage, deletes the remote segments when tiered storage is disabled.',
    { unsupported: true }
  ),
  'remote.storage.enable': boolean(
    false,
    'Enables tiered storage for the topic. minikafka has none and refuses `true`.'
  ),
  'retention.bytes': long(
    -1,
    'The maximum size of a partition in bytes. Above it the oldest segments are deleted. -1 means no limit.'
  ),
  'retention.ms': long(
    RETENTION_HOURS * HOUR,
    'The maximum age of a segment in ms. Older segments are deleted. -1 means no limit.',
    { atLeast: -1 }
  ),
  'segment.bytes': int(
    1_073_741_824,
    'The maximum size of a segment file in bytes. A full segment is followed by a new one.',
    { atLeast: 1_048_576 }
  ),
  'segment.index.bytes': int(10_485_760, 'The maximum size of the index files of a segment, in bytes.', { atLeast: 4 }),
  'segment.jitter.ms': long(
    ROLL_JITTER_HOURS * HOUR,
    'The maximum random reduction of segment.ms, in ms, so that logs do not roll at the same time.',
    { atLeast: 0 }
  ),
  'segment.ms': long(
    ROLL_HOURS * HOUR,
    'The time in ms after which a new segment file is begun, even if the current one is not full.',
    { atLeast: 1 }
  ),
  'unclean.leader.election.enable': boolean(false, 'Whether a replica that is not in sync may become leader.', {
    unsupported: true
  })
}

/** The name of a topic config. */
export type TopicSettingName = keyof typeof topicSettings

/** True for the name of a topic config. */
export function isTopicSetting(name: string): name is TopicSettingName {
  return Object.hasOwn(topicSettings, name)
}

// Broker settings of logs.

/** The broker setting for the default of a topic config, with the same type, bounds and documentation. */
function topicDefault<N extends TopicSettingName>(topic: N): (typeof topicSettings)[N] {
  return { ...topicSettings[topic], topic, update: 'cluster-wide' }
}

/** The options of a broker setting that is the default of a topic config but has its own unit or default. */
function forTopic(topic: TopicSettingName, options: RowOptions = {}): RowOptions {
  const { unsupported }: RowOptions = topicSettings[topic]
  return { ...options, topic, ...(unsupported && { unsupported }) }
}

/** The broker settings of logs, which are part of the table in `broker.ts`. */
export const logSettings = {
  'log.dir': list(
    ['minikafka-data'],
    'The data directory, if log.dirs is not set. Only one directory is supported. The default in Kafka is /tmp/kafka-logs.',
    { notEmpty: true }
  ),
  'log.dirs': list(null, 'The data directory. Only one directory is supported.', { notEmpty: true }),
  'log.segment.bytes': topicDefault('segment.bytes'),
  'log.roll.ms': long(
    null,
    'The time in ms after which a new segment file is begun, even if the current one is not full.',
    forTopic('segment.ms', DYNAMIC)
  ),
  'log.roll.hours': int(ROLL_HOURS, 'The same time in hours, if log.roll.ms is not set.', {
    atLeast: 1,
    ...forTopic('segment.ms', { unitMs: HOUR })
  }),
  'log.roll.jitter.ms': long(
    null,
    'The maximum random reduction of log.roll.ms in ms.',
    forTopic('segment.jitter.ms', DYNAMIC)
  ),
  'log.roll.jitter.hours': int(ROLL_JITTER_HOURS, 'The same reduction in hours, if log.roll.jitter.ms is not set.', {
    atLeast: 0,
    ...forTopic('segment.jitter.ms', { unitMs: HOUR })
  }),
  'log.retention.bytes': topicDefault('retention.bytes'),
  'log.retention.ms': long(
    null,
    'The maximum age of a segment in ms. Older segments are deleted. -1 means no limit.',
    forTopic('retention.ms', DYNAMIC)
  ),
  'log.retention.minutes': int(
    null,
    'The same age in minutes, if log.retention.ms is not set.',
    forTopic('retention.ms', { unitMs: MINUTE })
  ),
  'log.retention.hours': int(
    RETENTION_HOURS,
    'The same age in hours, if neither log.retention.ms nor log.retention.minutes is set.',
    forTopic('retention.ms', { unitMs: HOUR })
  ),
  'log.retention.check.interval.ms': long(300_000, 'The interval in ms at which segments are checked for retention.', {
    atLeast: 1
  }),
  'log.initial.task.delay.ms': long(30_000, 'The time in ms from the start to the first retention check.', {
    atLeast: 0,
    internal: true
  }),
  'log.cleanup.policy': topicDefault('cleanup.policy'),
  'log.cleaner.enable': boolean(true, 'Whether logs are compacted, including __consumer_offsets.'),
  'log.cleaner.backoff.ms': long(15_000, 'The time in ms that the log cleaner waits when no log can be compacted.', {
    atLeast: 0,
    ...DYNAMIC
  }),
  'log.cleaner.dedupe.buffer.size': long(
    134_217_728,
    'The maximum memory in bytes for the keys of a compaction. The log cleaner uses only as much as the log needs.',
    { atLeast: 1_048_576, ...DYNAMIC }
  ),
  'log.cleaner.io.buffer.load.factor': double(0.9, 'The maximum fill ratio of log.cleaner.dedupe.buffer.size.', {
    atLeast: 0,
    atMost: 1,
    ...DYNAMIC
  }),
  'log.cleaner.io.buffer.size': int(524_288, 'The number of bytes after which the log cleaner yields to requests.', {
    atLeast: 0,
    ...DYNAMIC
  }),
  'log.cleaner.io.max.bytes.per.second': double(
    Number.MAX_VALUE,
    'The maximum sum of bytes that the log cleaner reads and writes per second.',
    { atLeast: 1, ...DYNAMIC }
  ),
  'log.cleaner.delete.retention.ms': topicDefault('delete.retention.ms'),
  'log.cleaner.max.compaction.lag.ms': topicDefault('max.compaction.lag.ms'),
  'log.cleaner.min.cleanable.ratio': topicDefault('min.cleanable.dirty.ratio'),
  'log.cleaner.min.compaction.lag.ms': topicDefault('min.compaction.lag.ms'),
  'log.flush.interval.messages': topicDefault('flush.messages'),
  'log.flush.interval.ms': long(
    null,
    'The maximum time in ms that a record waits for a sync to disk.',
    forTopic('flush.ms', DYNAMIC)
  ),
  'log.flush.scheduler.interval.ms': long(
    FLUSH_MS,
    'The default of log.flush.interval.ms in ms. Syncs have exact deadlines and no check interval.',
    forTopic('flush.ms')
  ),
  'log.flush.offset.checkpoint.interval.ms': int(
    60_000,
    'The interval in ms at which recovery points are written. Recovery of a log begins at its recovery point.',
    { atLeast: 0 }
  ),
  'log.flush.start.offset.checkpoint.interval.ms': int(
    60_000,
    'The interval in ms at which log start offsets are written.',
    { atLeast: 0 }
  ),
  'replica.high.watermark.checkpoint.interval.ms': long(
    5000,
    'The interval in ms at which high watermarks are written.'
  ),
  'log.index.interval.bytes': topicDefault('index.interval.bytes'),
  'log.index.size.max.bytes': topicDefault('segment.index.bytes'),
  'log.local.retention.bytes': topicDefault('local.retention.bytes'),
  'log.local.retention.ms': topicDefault('local.retention.ms'),
  'log.message.timestamp.after.max.ms': topicDefault('message.timestamp.after.max.ms'),
  'log.message.timestamp.before.max.ms': topicDefault('message.timestamp.before.max.ms'),
  'log.message.timestamp.type': topicDefault('message.timestamp.type'),
  'log.preallocate': topicDefault('preallocate'),
  'log.segment.delete.delay.ms': topicDefault('file.delete.delay.ms'),
  'message.max.bytes': topicDefault('max.message.bytes'),
  'min.insync.replicas': topicDefault('min.insync.replicas'),
  'compression.type': topicDefault('compression.type'),
  'compression.gzip.level': topicDefault('compression.gzip.level'),
  'compression.lz4.level': topicDefault('compression.lz4.level'),
  'compression.zstd.level': topicDefault('compression.zstd.level'),
  'unclean.leader.election.enable': topicDefault('unclean.leader.election.enable')
}

function throttledReplicas(name: string, values: readonly string[]): string | null {
  if (values.every(value => /^(\d+:\d+)?$/.test(value)) || values.join('') === '*') return null
  const format = '[partitionId]:[brokerId],[partitionId]:[brokerId],...'
  return (
    `Invalid value [${values.join(', ')}] for configuration ${name}: ${name} must be the literal '*' or ` +
    `a list of replicas in the following format: ${format}`
  )
}
