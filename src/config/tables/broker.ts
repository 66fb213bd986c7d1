/**
 * The table of broker settings, with name, type, default, bounds and documentation of each. Names and defaults are those of
 * Apache Kafka 4.3. The documentation of a row with another default gives the reason. Several rows may be the default of one
 * topic config; the first one that is set wins. The rows of logs are in `log.ts`, those of groups in `group.ts`. `names.ts` has
 * the names of Kafka's other settings.
 */
import { boolean, DYNAMIC, int, list, long, type Setting, short, string } from '../define.ts'
import { groupCoordinatorSettings } from './group.ts'
import { isTopicSetting, logSettings, type TopicSettingName } from './log.ts'

const identity = {
  'node.id': int(1, 'The id of this node. Kafka has no default.', { atLeast: 0 }),
  'broker.id': int(-1, 'An older name of node.id. -1 means that node.id applies.', { atLeast: -1 }),
  'broker.rack': string(null, 'The rack of this broker, as Metadata responses and group assignors see it.')
}

const network = {
  listeners: list(
    ['PLAINTEXT://localhost:9092'],
    'The addresses on which the broker accepts connections, as NAME://host:port. Without a host it listens on every address; port 0 selects a free port. Kafka listens on every address by default.',
    { notEmpty: true }
  ),
  'advertised.listeners': list(
    null,
    'The addresses that Metadata responses give to clients, as NAME://host:port. By default the address at which the client reached the broker.',
    { notEmpty: true }
  ),
  'listener.security.protocol.map': string(
    'SASL_SSL:SASL_SSL,PLAINTEXT:PLAINTEXT,SSL:SSL,SASL_PLAINTEXT:SASL_PLAINTEXT',
    'The security protocol of each listener name, as NAME:PROTOCOL pairs. Only PLAINTEXT is supported.'
  ),
  'controller.listener.names': list(
    [],
    'Names of listeners for KRaft controllers. They are not opened, because a single node needs none. Kafka requires a value.'
  ),
  'socket.listen.backlog.size': int(50, 'The maximum number of connections that wait to be accepted.', { atLeast: 1 }),
  'socket.request.max.bytes': int(
    104_857_600,
    'The maximum size of a request in bytes. A larger request closes the connection.',
    { atLeast: 1 }
  ),
  'queued.max.request.bytes': long(
    536_870_912,
    'The maximum memory in bytes for all requests and responses in progress. Above it, the broker closes the connection that holds most. -1 means no limit, which is the default in Kafka.'
  ),
  'max.connections': int(2_147_483_647, 'The maximum number of connections.', { atLeast: 0, ...DYNAMIC }),
  'max.connections.per.ip': int(2_147_483_647, 'The maximum number of connections from one address.', {
    atLeast: 0,
    ...DYNAMIC
  }),
  'max.connections.per.ip.overrides': string(
    '',
    'The maximum number of connections from single addresses, as address:count pairs. They override max.connections.per.ip.',
    DYNAMIC
  ),
  'connections.max.idle.ms': long(
    600_000,
    'The time in ms after which a connection without requests is closed. A negative value means never.'
  )
}

const requests = {
  'fetch.max.bytes': int(57_671_680, 'The maximum size of the records in a Fetch response, in bytes.', {
    atLeast: 1024
  }),
  'max.incremental.fetch.session.cache.slots': int(1000, 'The maximum number of incremental fetch sessions.', {
    atLeast: 0
  }),
  'max.request.partition.size.limit': int(
    2000,
    'The maximum number of partitions in a DescribeTopicPartitions response.',
    { atLeast: 1 }
  ),
  'minikafka.max.partitions': int(100_000, 'The maximum number of partitions of all topics. Kafka has no such limit.', {
    atLeast: 1
  }),
  'minikafka.max.fetch.session.partitions': int(
    1_000_000,
    'The maximum number of partitions in all incremental fetch sessions. Kafka has no such limit.',
    { atLeast: 0 }
  ),
  'minikafka.max.decompressed.bytes': long(
    268_435_456,
    'The maximum size of a batch after decompression, in bytes. A larger batch is refused. Kafka has no such limit.',
    { atLeast: 1 }
  ),
  'minikafka.transaction.version': int(
    2,
    'The level of the feature transaction.version in a new cluster. UpdateFeatures changes it later. In Kafka, `kafka-storage format` sets it.',
    { atLeast: 0, atMost: 2 }
  )
}

const topics = {
  'auto.create.topics.enable': boolean(true, 'Whether a Metadata request of a client may create missing topics.'),
  'delete.topic.enable': boolean(true, 'Whether topics can be deleted.'),
  'num.partitions': int(1, 'The default number of partitions of a new topic.', { atLeast: 1 }),
  'default.replication.factor': int(1, 'The default replication factor of a new topic.')
}

const transactions = {
  'transaction.max.timeout.ms': int(900_000, 'The maximum transaction timeout in ms that a producer may request.', {
    atLeast: 1
  }),
  'transactional.id.expiration.ms': int(
    604_800_000,
    'The time in ms after its last use at which a transactional id expires.',
    { atLeast: 1 }
  ),
  'transaction.abort.timed.out.transaction.cleanup.interval.ms': int(
    10_000,
    'The interval in ms at which timed-out transactions are aborted.',
    { atLeast: 1 }
  ),
  'transaction.remove.expired.transaction.cleanup.interval.ms': int(
    3_600_000,
    'The interval in ms at which expired transactional ids are removed.',
    { atLeast: 1 }
  ),
  'transaction.partition.verification.enable': boolean(
    true,
    'Whether the broker verifies that a transactional batch belongs to an open transaction that contains the partition. Unverified batches are refused.',
    DYNAMIC
  ),
  'transaction.state.log.num.partitions': int(50, 'The number of partitions of a new __transaction_state topic.', {
    atLeast: 1
  }),
  'transaction.state.log.replication.factor': short(
    1,
    'The replication factor of a new __transaction_state topic. The default in Kafka is 3.',
    { atLeast: 1 }
  ),
  'transaction.state.log.min.isr': int(
    1,
    'The value of min.insync.replicas of a new __transaction_state topic. The default in Kafka is 2.',
    { atLeast: 1 }
  ),
  'transaction.state.log.segment.bytes': int(
    104_857_600,
    'The segment size of a new __transaction_state topic, in bytes.',
    { atLeast: 1 }
  )
}

const producers = {
  'producer.id.expiration.ms': int(
    86_400_000,
    'The time in ms after which the state of an idle idempotent producer expires.',
    { atLeast: 1, ...DYNAMIC }
  ),
  'producer.id.expiration.check.interval.ms': int(
    600_000,
    'The interval in ms at which expired producer states are removed.',
    { atLeast: 1, internal: true }
  )
}

const metadata = {
  'metadata.log.segment.bytes': int(1_073_741_824, 'The maximum size of a segment of the metadata log, in bytes.', {
    atLeast: 8_388_608
  }),
  'metadata.log.segment.ms': long(604_800_000, 'The time in ms after which the metadata log begins a new segment.'),
  'metadata.log.max.record.bytes.between.snapshots': long(
    20_971_520,
    'The number of bytes of metadata records after which a new metadata snapshot is written.',
    { atLeast: 1 }
  ),
  'metadata.log.max.snapshot.interval.ms': long(
    3_600_000,
    'The maximum age of the last metadata snapshot, in ms, after which a new one is written if there are new records. 0 means that age causes no snapshot.',
    { atLeast: 0 }
  ),
  'metadata.max.retention.bytes': long(
    104_857_600,
    'The maximum size of the metadata log and its snapshots, in bytes. Above it the oldest are deleted, but at least one snapshot is kept.'
  ),
  'metadata.max.retention.ms': long(
    604_800_000,
    'The maximum age of a metadata snapshot in ms. Older snapshots are deleted with the log before the next snapshot, but at least one snapshot is kept.'
  )
}

/** The broker settings, by name. */
export const settings = {
  ...identity,
  ...network,
  ...requests,
  ...topics,
  ...logSettings,
  ...groupCoordinatorSettings,
  ...transactions,
  ...producers,
  ...metadata
}

/** The name of a broker setting. */
export type BrokerSettingName = keyof typeof settings

/** True for the name of a broker setting in the table. */
export function isBrokerSetting(name: string): name is BrokerSettingName {
  return Object.hasOwn(settings, name)
}

/** The broker settings with the default of a topic config, strongest first. */
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
