/**
 * The broker's settings of its logs: where they are, when old parts of them go, how they are compacted and brought to the
 * disk. Most are the defaults of topics.
 */
import { boolean, DYNAMIC, double, int, list, long, type RowOptions } from '../define.ts'
import { type TopicSettingName, topicSettings } from './topic.ts'

const MINUTE = 60_000
const HOUR = 3_600_000

/** A broker setting that is the default of a topic's setting and like it in all else. */
function topicDefault<N extends TopicSettingName>(topic: N): (typeof topicSettings)[N] {
  return { ...topicSettings[topic], topic, update: 'cluster-wide' }
}

/** What a row in another unit than the topic's setting has of it. */
function forTopic(topic: TopicSettingName, options: RowOptions = {}): RowOptions {
  const { unsupported }: RowOptions = topicSettings[topic]
  return { ...options, topic, ...(unsupported && { unsupported }) }
}

/** Rows of the table in `broker.ts`. */
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
    2n ** 63n - 1n,
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
