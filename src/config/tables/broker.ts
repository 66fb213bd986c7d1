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
  ),
  'minikafka.transaction.version': int(
    2,
    'The level of transaction.version that a new cluster begins with; UpdateFeatures changes it. Kafka is told it by `kafka-storage format`.',
    { atLeast: 0, atMost: 2 }
  )
}

const topics = {
  'auto.create.topics.enable': boolean(true, 'Whether a topic is created when a client asks for one that is missing.'),
  'delete.topic.enable': boolean(true, 'Whether topics can be deleted.'),
  'num.partitions': int(1, 'Partitions of a new topic that names no count.', { atLeast: 1 }),
  'default.replication.factor': int(1, 'Replicas of a new topic that names no count.')
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
