/**
 * The settings of logs: all topic configs of Apache Kafka 4.3, and the broker settings of logs, most of which are the defaults of
 * topic configs. Clients and tools set and read all topic configs, so the table has all of them, including tiered storage.
 */
import { boolean, DYNAMIC, double, int, list, long, type RowOptions, string } from '../define.ts'

const LONG_MAX = 2n ** 63n - 1n
const MINUTE = 60_000
const HOUR = 3_600_000

/** The values of `compression.type`. `producer` keeps the codec of the producer. */
export const COMPRESSION_TYPES = ['uncompressed', 'zstd', 'lz4', 'snappy', 'gzip', 'producer'] as const

/** The topic configs, by name. */
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
    'The directory of all data, used where log.dirs is not set; only one is possible. Kafka uses /tmp/kafka-logs.',
    { notEmpty: true }
  ),
  'log.dirs': list(null, 'The directory of all data; only one is possible.', { notEmpty: true }),
  'log.segment.bytes': topicDefault('segment.bytes'),
  'log.roll.ms': long(null, 'Age at which a new segment file is begun.', forTopic('segment.ms', DYNAMIC)),
  'log.roll.hours': int(168, 'The same in hours, where log.roll.ms is not set.', {
    atLeast: 1,
    ...forTopic('segment.ms', { unitMs: HOUR })
  }),
  'log.roll.jitter.ms': long(
    null,
    'The most by which the age of a new segment is shortened at random.',
    forTopic('segment.jitter.ms', DYNAMIC)
  ),
  'log.roll.jitter.hours': int(0, 'The same in hours, where log.roll.jitter.ms is not set.', {
    atLeast: 0,
    ...forTopic('segment.jitter.ms', { unitMs: HOUR })
  }),
  'log.retention.bytes': topicDefault('retention.bytes'),
  'log.retention.ms': long(null, 'Age at which a segment is deleted; -1 for never.', forTopic('retention.ms', DYNAMIC)),
  'log.retention.minutes': int(
    null,
    'The same in minutes, where log.retention.ms is not set.',
    forTopic('retention.ms', { unitMs: MINUTE })
  ),
  'log.retention.hours': int(
    168,
    'The same in hours, where neither log.retention.ms nor log.retention.minutes is set.',
    forTopic('retention.ms', { unitMs: HOUR })
  ),
  'log.retention.check.interval.ms': long(300_000, 'How often old segments are looked for.', { atLeast: 1 }),
  'log.initial.task.delay.ms': long(30_000, 'How long after a start old segments are looked for the first time.', {
    atLeast: 0,
    internal: true
  }),
  'log.cleanup.policy': topicDefault('cleanup.policy'),
  'log.cleaner.enable': boolean(true, 'Whether logs are compacted at all, those of committed offsets included.'),
  'log.cleaner.backoff.ms': long(15_000, 'How long compaction rests when no log is dirty enough.', {
    atLeast: 0,
    ...DYNAMIC
  }),
  'log.cleaner.dedupe.buffer.size': long(
    134_217_728,
    'The most memory in which compaction remembers keys; it takes what the log at hand needs.',
    { atLeast: 1_048_576, ...DYNAMIC }
  ),
  'log.cleaner.io.buffer.load.factor': double(0.9, 'How full the memory of keys may become.', {
    atLeast: 0,
    atMost: 1,
    ...DYNAMIC
  }),
  'log.cleaner.io.buffer.size': int(524_288, 'After so many bytes compaction lets others go first.', {
    atLeast: 0,
    ...DYNAMIC
  }),
  'log.cleaner.io.max.bytes.per.second': double(
    Number.MAX_VALUE,
    'The most bytes a second that compaction reads and writes.',
    { atLeast: 1, ...DYNAMIC }
  ),
  'log.cleaner.delete.retention.ms': topicDefault('delete.retention.ms'),
  'log.cleaner.max.compaction.lag.ms': topicDefault('max.compaction.lag.ms'),
  'log.cleaner.min.cleanable.ratio': topicDefault('min.cleanable.dirty.ratio'),
  'log.cleaner.min.compaction.lag.ms': topicDefault('min.compaction.lag.ms'),
  'log.flush.interval.messages': topicDefault('flush.messages'),
  'log.flush.interval.ms': long(
    null,
    'Sync a log to disk when a record has waited this long.',
    forTopic('flush.ms', DYNAMIC)
  ),
  'log.flush.scheduler.interval.ms': long(
    LONG_MAX,
    'The default of log.flush.interval.ms, which here holds without being looked for.',
    forTopic('flush.ms')
  ),
  'log.flush.offset.checkpoint.interval.ms': int(
    60_000,
    'How often it is written down up to where logs are on the disk; recovery begins there.',
    { atLeast: 0 }
  ),
  'log.flush.start.offset.checkpoint.interval.ms': int(60_000, 'How often it is written down where logs start.', {
    atLeast: 0
  }),
  'replica.high.watermark.checkpoint.interval.ms': long(5000, 'How often the high watermarks are written down.'),
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
