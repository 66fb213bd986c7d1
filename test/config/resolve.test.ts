import { describe, expect, test } from 'vitest'
import { connectionOverrides } from '../../src/config/listeners.ts'
import { resolve } from '../../src/config/resolve.ts'
import { ConfigError, fromEnvironment, fromObject, fromOptions, fromProperties } from '../../src/config/sources.ts'

const given = (...texts: string[]) => resolve(fromOptions(texts)).settings
const message = (action: () => unknown) => {
  try {
    action()
  } catch (error) {
    if (error instanceof ConfigError) return error.message
    throw error
  }
  return undefined
}

describe('sources of settings', () => {
  test('every setting has its default without any source', () => {
    const { settings, unhonoured } = resolve()
    expect(settings.get('num.partitions')).toBe(1)
    expect(settings.get('log.dirs')).toBeNull()
    expect(settings.logDirectory).toBe('minikafka-data')
    expect(unhonoured).toEqual([])
  })

  test('a later source wins', () => {
    const file = fromProperties('num.partitions=2\nfetch.max.bytes=2048', 'server.properties')
    const environment = fromEnvironment({ KAFKA_NUM_PARTITIONS: '3' })
    const { settings } = resolve(file, environment, fromOptions(['num.partitions=4']))
    expect(settings.get('num.partitions')).toBe(4)
    expect(settings.get('fetch.max.bytes')).toBe(2048)
    expect(resolve(file, environment).settings.get('num.partitions')).toBe(3)
  })

  test('a later entry of the same source wins', () => {
    expect(given('num.partitions=2', 'num.partitions=3').get('num.partitions')).toBe(3)
  })

  test('hours of a later source replace the milliseconds of an earlier source', () => {
    const file = fromProperties('log.retention.ms=5', 'server.properties')
    const { settings } = resolve(file, fromOptions(['log.retention.hours=1']))
    expect(settings.topic().get('retention.ms')).toBe(3_600_000)
  })

  test('milliseconds win over minutes, and minutes over hours, within one source', () => {
    const hours = 'log.retention.hours=1'
    expect(given('log.retention.minutes=2', hours).topic().get('retention.ms')).toBe(120_000)
    expect(given('log.retention.ms=3', 'log.retention.minutes=2', hours).topic().get('retention.ms')).toBe(3)
  })

  test('numbers, booleans and bigints of an object are accepted', () => {
    const config = { 'num.partitions': 3, 'delete.topic.enable': false, 'log.flush.interval.messages': 2n ** 63n - 1n }
    const { settings } = resolve(fromObject(config))
    expect(settings.get('num.partitions')).toBe(3)
    expect(settings.get('delete.topic.enable')).toBe(false)
    expect(settings.text('log.flush.interval.messages')).toBe('9223372036854775807')
  })

  test('environment variables have the names of container images, and variables that are no settings are ignored', () => {
    const environment = {
      KAFKA_LOG_RETENTION_MS: '7',
      KAFKA_LISTENER_NAME_A__B_SSL_KEYSTORE_TYPE: 'PEM',
      KAFKA_HEAP_OPTS: '-Xmx1g',
      KAFKA_PORT: 'tcp://10.0.0.1:9092',
      KAFKA_LOG_RETENTON_MS: 'x',
      PATH: '/bin',
      KAFKA_NUM_PARTITIONS: undefined
    }
    const { settings, unhonoured } = resolve(fromEnvironment(environment))
    expect(settings.get('log.retention.ms')).toBe(7)
    expect(settings.get('num.partitions')).toBe(1)
    expect(unhonoured).toEqual(['listener.name.a_b.ssl.keystore.type'])
  })

  test("Kafka's other settings are named once each and otherwise ignored", () => {
    const text = 'num.io.threads=8\nzookeeper.connect=a:2181\nnum.io.threads=x\nprocess.roles=broker,controller'
    expect(resolve(fromProperties(text, 'f')).unhonoured).toEqual([
      'num.io.threads',
      'process.roles',
      'zookeeper.connect'
    ])
  })

  test('settings that are accepted without effect are named with them', () => {
    const idle = ['compression.lz4.level=1']
    const { settings, unhonoured } = resolve(fromOptions([...idle, 'num.partitions=3', 'num.io.threads=8']))
    expect(settings.get('compression.lz4.level')).toBe(1)
    expect(unhonoured).toEqual(['compression.lz4.level', 'num.io.threads'])
  })

  test('broker.id and node.id stand in for each other', () => {
    expect(given('broker.id=7').get('node.id')).toBe(7)
    expect(given('node.id=8').get('broker.id')).toBe(8)
    expect(given('broker.id=-1').get('node.id')).toBe(1)
  })
})

describe('an error of a setting is one sentence with the source, the value and a valid value', () => {
  test.each([
    ['num.partitions=zero', '--set: num.partitions is "zero", but must be a whole number from 1 to 2147483647'],
    ['num.partitions=0', '--set: num.partitions is "0", but must be a whole number from 1 to 2147483647'],
    [
      'num.partitions=99999999999',
      '--set: num.partitions is "99999999999", but must be a whole number from 1 to 2147483647'
    ],
    ['log.retention.bytes=1.5', '--set: log.retention.bytes is "1.5", but must be a whole number'],
    ['delete.topic.enable=yes', '--set: delete.topic.enable is "yes", but must be true or false'],
    [
      'compression.type=brotli',
      '--set: compression.type is "brotli", but must be uncompressed, zstd, lz4, snappy, gzip or producer'
    ],
    [
      'log.cleanup.policy=none',
      '--set: log.cleanup.policy is "none", but must be a comma-separated list of compact or delete'
    ],
    ['listeners=', '--set: listeners is "", but must be a comma-separated list, not empty'],
    ['num.partition=3', '--set: the setting num.partition is unknown; did you mean num.partitions?'],
    ['Num.Partitions=3', '--set: the setting Num.Partitions is unknown; did you mean num.partitions?'],
    ['quite.something.else=3', '--set: the setting quite.something.else is unknown'],
    [
      'retention.ms=3',
      '--set: retention.ms is a topic config; the broker setting with its default is log.retention.ms'
    ],
    ['log.retention.ms=0', '--set: log.retention.ms must be unlimited (-1) or, greater than or equal to 1'],
    ['log.retention.hours=0', '--set: log.retention.ms must be unlimited (-1) or, greater than or equal to 1'],
    ['log.roll.ms=0', '--set: log.roll.ms must be greater than or equal to 1'],
    ['log.roll.jitter.ms=-1', '--set: log.roll.jitter.ms must be greater than or equal to 0'],
    ['log.dirs=a,b', '--set: log.dirs has 2 directories, but only one is supported'],
    ['listeners=SSL://:9093', '--set: listeners has SSL with the protocol SSL, but only PLAINTEXT is supported'],
    ['listeners=localhost:9092', '--set: listeners has "localhost:9092", but must have NAME://host:port'],
    [
      'max.connections.per.ip=0',
      '--set: max.connections.per.ip can be set to zero only if max.connections.per.ip.overrides property is set.'
    ],
    [
      'max.connections.per.ip.overrides=a',
      '--set: max.connections.per.ip.overrides has "a", but must have address:count pairs'
    ],
    ['log.cleaner.max.compaction.lag.ms=1', undefined],
    ['num.partitions', '--set "num.partitions": must be name=value, as in num.partitions=3'],
    ['=3', '--set "=3": must be name=value, as in num.partitions=3']
  ])('the setting %s is checked', (text, sentence) => {
    expect(message(() => given(text))).toBe(sentence)
  })

  test('an error names the line of a file, or the name of a variable', () => {
    expect(message(() => resolve(fromProperties('a=1', 'conf/server.properties')))).toMatch(
      /^conf\/server.properties line 1: /
    )
    expect(message(() => resolve(fromEnvironment({ KAFKA_NUM_PARTITIONS: '' })))).toMatch(/^KAFKA_NUM_PARTITIONS: /)
  })

  test('an error of contradicting settings names both sources', () => {
    const file = fromProperties('node.id=1', 'server.properties')
    expect(message(() => resolve(file, fromOptions(['broker.id=2'])))).toBe(
      'server.properties line 1 and --set: node.id is 1, but broker.id is 2: set only one of them'
    )
    expect(message(() => given('log.cleaner.min.compaction.lag.ms=2', 'log.cleaner.max.compaction.lag.ms=1'))).toBe(
      '--set: log.cleaner.min.compaction.lag.ms is greater than log.cleaner.max.compaction.lag.ms'
    )
  })
})

describe('an error of contradicting group settings is one sentence', () => {
  test.each([
    [
      'group.consumer.min.session.timeout.ms=60001',
      'group.consumer.max.session.timeout.ms must be greater than or equal to group.consumer.min.session.timeout.ms'
    ],
    [
      'group.consumer.session.timeout.ms=44999',
      'group.consumer.session.timeout.ms must be greater than or equal to group.consumer.min.session.timeout.ms'
    ],
    [
      'group.consumer.heartbeat.interval.ms=15001',
      'group.consumer.heartbeat.interval.ms must be less than or equal to group.consumer.max.heartbeat.interval.ms'
    ],
    [
      'group.consumer.assignment.interval.ms=15001',
      'group.consumer.assignment.interval.ms must be less than or equal to group.consumer.max.assignment.interval.ms'
    ],
    [
      'group.share.min.delivery.count.limit=5,group.share.delivery.count.limit=4',
      'group.share.delivery.count.limit must be greater than or equal to group.share.min.delivery.count.limit'
    ],
    [
      'group.streams.num.standby.replicas=3',
      'group.streams.num.standby.replicas must be less than or equal to group.streams.max.standby.replicas'
    ],
    [
      'group.consumer.min.session.timeout.ms=5000,group.consumer.session.timeout.ms=5000',
      'group.consumer.heartbeat.interval.ms must be less than group.consumer.session.timeout.ms'
    ],
    ['group.coordinator.rebalance.protocols=consumer', "group.coordinator.rebalance.protocols must contain 'classic'"],
    [
      'group.consumer.assignors=uniform\\,sticky',
      'group.consumer.assignors is "uniform,sticky", but must be a comma-separated list of uniform, range, ' +
        'org.apache.kafka.coordinator.group.assignor.UniformAssignor or ' +
        'org.apache.kafka.coordinator.group.assignor.RangeAssignor'
    ]
  ])('the settings %s are refused', (texts, sentence) => {
    const entries = texts.split(/(?<!\\),/).map(text => text.replace('\\,', ','))
    expect(message(() => given(...entries))).toBe(`--set: ${sentence}`)
  })

  test('the migration policy may be written in upper case', () => {
    const settings = given('group.consumer.migration.policy=Upgrade')
    expect(settings.get('group.consumer.migration.policy')).toBe('upgrade')
    expect(settings.text('group.consumer.migration.policy')).toBe('Upgrade')
  })
})

test('connection limits of single addresses are read by address, including IPv6', () => {
  const settings = given('max.connections.per.ip.overrides=10.0.0.1:5, ::1:7')
  expect([...connectionOverrides(settings.get('max.connections.per.ip.overrides'))]).toEqual([
    ['10.0.0.1', 5],
    ['::1', 7]
  ])
})
