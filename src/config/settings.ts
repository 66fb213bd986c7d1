/**
 * The settings of the broker: the one place where name, type, default, bounds and meaning are written.
 * Names and defaults are Apache Kafka 4.3's; a row whose default differs says why. Rows that share a topic's setting
 * are its defaults, the first that is set winning. Kafka's other settings are in `known-names.ts`.
 */
import { boolean, double, int, list, long, type RowOptions, type Setting, short, string } from './define.ts'
import { isTopicSetting, type TopicSettingName, topicSettings } from './topic-settings.ts'

const MINUTE = 60_000
const HOUR = 3_600_000

/** A broker setting that is the default of a topic's setting and like it in all else. */
function topicDefault<N extends TopicSettingName>(topic: N): (typeof topicSettings)[N] {
  return { ...topicSettings[topic], topic, update: 'cluster-wide' }
}

/** What a row in another unit than the topic's setting has of it. */
function forTopic(topic: TopicSettingName, options: RowOptions = {}): RowOptions {
  const { idle }: RowOptions = topicSettings[topic]
  return { ...options, topic, ...(idle && { idle }) }
}

const DYNAMIC = { update: 'cluster-wide' } as const

const identity = {
  'node.id': int(1, 'The id of this node. Kafka has no default; one node needs no choice.', { atLeast: 0 }),
  'broker.id': int(-1, 'An older name of node.id; -1 leaves it to node.id.', { atLeast: -1 }),
  'broker.rack': string(null, 'The rack that clients are told this broker stands in.')
}

const network = {
  listeners: list(
    ['PLAINTEXT://localhost:9092'],
    'Where clients connect, as NAME://host:port; no host means every address, port 0 a free one. Kafka listens on every address by default.',
    { notEmpty: true }
  ),
  'advertised.listeners': list(
    null,
    'The addresses that clients are told to use, as NAME://host:port; without it, the address at which a client reached the broker.',
    { notEmpty: true }
  ),
  'listener.security.protocol.map': string(
    'SASL_SSL:SASL_SSL,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT',
    'The security protocol of each listener name, as NAME:PROTOCOL pairs; only PLAINTEXT can be served so far.'
  ),
  'controller.listener.names': list(
    [],
    'Listeners meant for KRaft controllers; they are not opened, since a single node needs none. Kafka demands a value.'
  ),
  'socket.listen.backlog.size': int(50, 'Connections that may wait to be accepted.', { atLeast: 1 }),
  'socket.request.max.bytes': int(104_857_600, 'The largest request; a larger one closes the connection.', {
    atLeast: 1
  }),
  'queued.max.request.bytes': long(
    536_870_912,
    'Memory for all requests and answers on their way; beyond it the connection that holds most is closed; -1 for no limit, as in Kafka by default.'
  ),
  'max.connections': int(2_147_483_647, 'The most connections at a time.', { atLeast: 0, ...DYNAMIC }),
  'max.connections.per.ip': int(2_147_483_647, 'The most connections at a time from one address.', {
    atLeast: 0,
    ...DYNAMIC
  }),
  'max.connections.per.ip.overrides': string(
    '',
    'Other limits of connections for single addresses, as address:count pairs.',
    DYNAMIC
  ),
  'connections.max.idle.ms': long(
    600_000,
    'Connections without a request for this long are closed; negative for never.'
  )
}

const requests = {
  'fetch.max.bytes': int(57_671_680, 'The most bytes of records in one answer to a Fetch.', { atLeast: 1024 }),
  'max.incremental.fetch.session.cache.slots': int(1000, 'The most incremental fetch sessions that are remembered.', {
    atLeast: 0
  }),
  'max.request.partition.size.limit': int(2000, 'The most partitions in one answer to DescribeTopicPartitions.', {
    atLeast: 1
  }),
  'minikafka.max.partitions': int(
    100_000,
    'The most partitions that all topics together may have. Kafka has no such limit.',
    { atLeast: 1 }
  ),
  'minikafka.max.fetch.session.partitions': int(
    1_000_000,
    'The most partitions that all incremental fetch sessions together remember. Kafka has no such limit.',
    { atLeast: 0 }
  ),
  'minikafka.max.decompressed.bytes': long(
    268_435_456,
    'The most bytes that one compressed batch may unpack to; a larger one is refused. Kafka has no such limit.',
    { atLeast: 1 }
  )
}

const topics = {
  'auto.create.topics.enable': boolean(true, 'Whether a topic is created when a client asks for one that is missing.'),
  'delete.topic.enable': boolean(true, 'Whether topics can be deleted.'),
  'num.partitions': int(1, 'Partitions of a new topic that names no count.', { atLeast: 1 }),
  'default.replication.factor': int(1, 'Replicas of a new topic that names no count.')
}

const logs = {
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

const groups = {
  'group.initial.rebalance.delay.ms': int(
    0,
    'How long an empty group waits for more members before its first rebalance. Kafka waits 3000.'
  ),
  'group.min.session.timeout.ms': int(6000, 'The shortest session timeout that a member may ask for.'),
  'group.max.session.timeout.ms': int(1_800_000, 'The longest session timeout that a member may ask for.'),
  'group.max.size': int(2_147_483_647, 'The most members of one group.', { atLeast: 1 }),
  'offset.metadata.max.bytes': int(4096, 'The most text that a client may store with a committed offset.'),
  'offsets.retention.minutes': int(10_080, 'How long the offsets of a group without members are kept.', { atLeast: 1 }),
  'offsets.retention.check.interval.ms': long(600_000, 'How often offsets past their retention are looked for.', {
    atLeast: 1
  }),
  'offsets.topic.num.partitions': int(50, 'Partitions of __consumer_offsets, when it is created.', { atLeast: 1 }),
  'offsets.topic.replication.factor': short(1, 'Replicas of __consumer_offsets. Kafka wants 3; one node has one.', {
    atLeast: 1
  }),
  'offsets.topic.segment.bytes': int(104_857_600, 'Segment size of __consumer_offsets, when it is created.', {
    atLeast: 1
  })
}

const transactions = {
  'transaction.max.timeout.ms': int(900_000, 'The longest that a producer may have its transactions take.', {
    atLeast: 1
  }),
  'transactional.id.expiration.ms': int(604_800_000, 'How long a transactional id is known after its last use.', {
    atLeast: 1
  }),
  'transaction.abort.timed.out.transaction.cleanup.interval.ms': int(
    10_000,
    'How often transactions that take too long are looked for.',
    { atLeast: 1 }
  ),
  'transaction.remove.expired.transaction.cleanup.interval.ms': int(
    3_600_000,
    'How often transactional ids that have expired are looked for.',
    { atLeast: 1 }
  ),
  'transaction.partition.verification.enable': boolean(
    true,
    'Whether a transactional batch is taken only into a partition that its producer has added to the transaction.',
    DYNAMIC
  ),
  'transaction.state.log.num.partitions': int(50, 'Partitions of __transaction_state, when it is created.', {
    atLeast: 1
  }),
  'transaction.state.log.replication.factor': short(
    1,
    'Replicas of __transaction_state. Kafka wants 3; one node has one.',
    { atLeast: 1 }
  ),
  'transaction.state.log.min.isr': int(
    1,
    'Replicas of __transaction_state that must be in sync. Kafka wants 2; one node has one.',
    { atLeast: 1 }
  ),
  'transaction.state.log.segment.bytes': int(104_857_600, 'Segment size of __transaction_state, when it is created.', {
    atLeast: 1
  })
}

const producers = {
  'producer.id.expiration.ms': int(86_400_000, 'How long the state of an idle idempotent producer is kept.', {
    atLeast: 1,
    ...DYNAMIC
  }),
  'producer.id.expiration.check.interval.ms': int(600_000, 'How often idle producers are looked for.', {
    atLeast: 1,
    internal: true
  })
}

const metadata = {
  'metadata.log.segment.bytes': int(1_073_741_824, 'Size at which a new file of the metadata log is begun.', {
    atLeast: 8_388_608
  }),
  'metadata.log.segment.ms': long(604_800_000, 'Age at which a new file of the metadata log is begun.'),
  'metadata.log.max.record.bytes.between.snapshots': long(
    20_971_520,
    'A snapshot of the metadata is made when so many bytes have come since the last one.',
    { atLeast: 1 }
  ),
  'metadata.log.max.snapshot.interval.ms': long(
    3_600_000,
    'A snapshot of the metadata is made when the last one is so old and something has changed; 0 for never because of time.',
    { atLeast: 0 }
  ),
  'metadata.max.retention.bytes': long(
    104_857_600,
    'How large the metadata log and its snapshots may be together before the oldest go; at least one snapshot stays.'
  ),
  'metadata.max.retention.ms': long(
    604_800_000,
    'How old a snapshot of the metadata may be before it goes, with the log before the next one; at least one stays.'
  )
}

/** The rows, by name. */
export const settings = {
  ...identity,
  ...network,
  ...requests,
  ...topics,
  ...logs,
  ...groups,
  ...transactions,
  ...producers,
  ...metadata
}

/** The name of a broker setting. */
export type BrokerSettingName = keyof typeof settings

/** Whether the broker honours a setting of this name. */
export function isBrokerSetting(name: string): name is BrokerSettingName {
  return Object.hasOwn(settings, name)
}

/** The broker settings that a topic's setting takes its default from, strongest first. */
export const TOPIC_DEFAULTS: ReadonlyMap<TopicSettingName, readonly BrokerSettingName[]> = defaultsByTopic()

function defaultsByTopic(): Map<TopicSettingName, BrokerSettingName[]> {
  const byTopic = new Map<TopicSettingName, BrokerSettingName[]>()
  for (const [name, { topic }] of Object.entries<Setting<unknown>>(settings)) {
    if (topic === undefined || !isTopicSetting(topic) || !isBrokerSetting(name)) continue
    const names = byTopic.get(topic)
    if (names) names.push(name)
    else byTopic.set(topic, [name])
  }
  return byTopic
}
