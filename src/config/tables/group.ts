/**
 * The settings of groups and their offsets: the broker settings, and all group configs of Apache Kafka 4.3. A group config has
 * its default from the broker setting `group.<name>`. Broker settings with `min` and `max` in their names are its bounds. Share
 * and streams groups are not served yet, but tools set and read their settings.
 */
import { boolean, DYNAMIC, int, list, long, type RowOptions, short, string } from '../define.ts'

/** The option of settings of share and streams groups, which have no effect yet. */
const SO_FAR = { unsupported: true } as const

/** A time in ms of at least 1. */
function period(byDefault: number, documentation: string, options: RowOptions = {}) {
  return int(byDefault, documentation, { atLeast: 1, ...options })
}

/** A time in ms, or a number of replicas, of at least 0. */
function pause(byDefault: number, documentation: string, options: RowOptions = {}) {
  return int(byDefault, documentation, { atLeast: 0, ...options })
}

const offsets = {
  'offset.metadata.max.bytes': int(4096, 'The maximum size of the metadata text of a committed offset, in bytes.'),
  'offsets.retention.minutes': int(
    10_080,
    'The time in minutes that committed offsets of a group without members are kept.',
    { atLeast: 1 }
  ),
  'offsets.retention.check.interval.ms': long(600_000, 'The interval in ms at which expired offsets are removed.', {
    atLeast: 1
  }),
  'offsets.topic.num.partitions': int(50, 'The number of partitions of a new __consumer_offsets topic.', {
    atLeast: 1
  }),
  'offsets.topic.replication.factor': short(
    1,
    'The replication factor of a new __consumer_offsets topic. The default in Kafka is 3.',
    { atLeast: 1 }
  ),
  'offsets.topic.segment.bytes': int(104_857_600, 'The segment size of a new __consumer_offsets topic, in bytes.', {
    atLeast: 1
  })
}

const classic = {
  'group.initial.rebalance.delay.ms': int(
    0,
    'The time in ms that an empty classic group waits for more members before its first rebalance. The default in Kafka is 3000.'
  ),
  'group.min.session.timeout.ms': int(6000, 'The minimum session timeout of a member of a classic group in ms.'),
  'group.max.session.timeout.ms': int(1_800_000, 'The maximum session timeout of a member of a classic group in ms.'),
  'group.max.size': int(2_147_483_647, 'The maximum number of members of a classic group.', { atLeast: 1 })
}

const consumer = {
  'group.coordinator.rebalance.protocols': list(
    ['classic', 'consumer', 'streams'],
    'The supported group protocols, which must include classic. Kafka 5.0 removes this setting in favor of the feature group.version.',
    { notEmpty: true, oneOf: ['classic', 'consumer', 'share', 'streams'] }
  ),
  'group.consumer.session.timeout.ms': period(
    45_000,
    'The time in ms without a heartbeat after which a member of a consumer group is removed.'
  ),
  'group.consumer.min.session.timeout.ms': period(45_000, 'The minimum session timeout of consumer groups in ms.'),
  'group.consumer.max.session.timeout.ms': period(60_000, 'The maximum session timeout of consumer groups in ms.'),
  'group.consumer.heartbeat.interval.ms': period(5000, 'The heartbeat interval of members of consumer groups in ms.'),
  'group.consumer.min.heartbeat.interval.ms': period(5000, 'The minimum heartbeat interval of consumer groups in ms.'),
  'group.consumer.max.heartbeat.interval.ms': period(
    15_000,
    'The maximum heartbeat interval of consumer groups in ms.'
  ),
  'group.consumer.assignment.interval.ms': pause(
    1000,
    'The minimum time in ms between two target assignments of a consumer group.',
    DYNAMIC
  ),
  'group.consumer.min.assignment.interval.ms': pause(0, 'The minimum assignment interval of consumer groups in ms.'),
  'group.consumer.max.assignment.interval.ms': pause(
    15_000,
    'The maximum assignment interval of consumer groups in ms.'
  ),
  'group.consumer.max.size': int(2_147_483_647, 'The maximum number of members of a consumer group.', { atLeast: 1 }),
  'group.consumer.assignors': list(
    ['uniform', 'range'],
    'The server-side assignors of consumer groups. The first is the default of members that name none.',
    {
      notEmpty: true,
      oneOf: [
        'uniform',
        'range',
        'org.apache.kafka.coordinator.group.assignor.UniformAssignor',
        'org.apache.kafka.coordinator.group.assignor.RangeAssignor'
      ]
    }
  ),
  'group.consumer.migration.policy': string(
    'bidirectional',
    'The groups with members that may change their protocol: classic groups (upgrade), consumer groups (downgrade), both (bidirectional), or none (disabled).',
    { oneOf: ['bidirectional', 'upgrade', 'downgrade', 'disabled'], anyCase: true }
  ),
  'group.consumer.regex.refresh.interval.ms': int(
    600_000,
    'The interval in ms at which regular expressions of subscriptions are evaluated again.',
    { atLeast: 10_000, internal: true }
  )
}

const share = {
  'group.share.session.timeout.ms': period(
    45_000,
    'The time in ms without a heartbeat after which a member of a share group is removed.',
    SO_FAR
  ),
  'group.share.min.session.timeout.ms': period(45_000, 'The minimum session timeout of share groups in ms.', SO_FAR),
  'group.share.max.session.timeout.ms': period(60_000, 'The maximum session timeout of share groups in ms.', SO_FAR),
  'group.share.heartbeat.interval.ms': period(5000, 'The heartbeat interval of members of share groups in ms.', SO_FAR),
  'group.share.min.heartbeat.interval.ms': period(
    5000,
    'The minimum heartbeat interval of share groups in ms.',
    SO_FAR
  ),
  'group.share.max.heartbeat.interval.ms': period(
    15_000,
    'The maximum heartbeat interval of share groups in ms.',
    SO_FAR
  ),
  'group.share.assignment.interval.ms': pause(
    1000,
    'The minimum time in ms between two target assignments of a share group.',
    { ...DYNAMIC, ...SO_FAR }
  ),
  'group.share.min.assignment.interval.ms': pause(0, 'The minimum assignment interval of share groups in ms.', SO_FAR),
  'group.share.max.assignment.interval.ms': pause(
    15_000,
    'The maximum assignment interval of share groups in ms.',
    SO_FAR
  ),
  'group.share.record.lock.duration.ms': int(30_000, 'The time in ms for which a share consumer acquires a record.', {
    atLeast: 1000,
    atMost: 3_600_000,
    ...SO_FAR
  }),
  'group.share.min.record.lock.duration.ms': int(15_000, 'The minimum record lock duration of share groups in ms.', {
    atLeast: 1000,
    atMost: 30_000,
    ...SO_FAR
  }),
  'group.share.max.record.lock.duration.ms': int(60_000, 'The maximum record lock duration of share groups in ms.', {
    atLeast: 30_000,
    atMost: 3_600_000,
    ...SO_FAR
  }),
  'group.share.delivery.count.limit': int(5, 'The maximum number of deliveries of a record to a share group.', {
    atLeast: 2,
    atMost: 10,
    ...SO_FAR
  }),
  'group.share.min.delivery.count.limit': int(2, 'The minimum delivery count limit of share groups.', {
    atLeast: 2,
    atMost: 5,
    ...SO_FAR
  }),
  'group.share.max.delivery.count.limit': int(10, 'The maximum delivery count limit of share groups.', {
    atLeast: 5,
    atMost: 25,
    ...SO_FAR
  }),
  'group.share.partition.max.record.locks': int(
    2000,
    'The maximum number of acquired records of a partition in a share group.',
    { atLeast: 100, atMost: 10_000, ...SO_FAR }
  ),
  'group.share.min.partition.max.record.locks': int(100, 'The minimum of the limit of record locks of share groups.', {
    atLeast: 100,
    atMost: 2000,
    ...SO_FAR
  }),
  'group.share.max.partition.max.record.locks': int(4000, 'The maximum of the limit of record locks of share groups.', {
    atLeast: 2000,
    atMost: 10_000,
    ...SO_FAR
  })
}

const streams = {
  'group.streams.session.timeout.ms': period(
    45_000,
    'The time in ms without a heartbeat after which a member of a streams group is removed.',
    SO_FAR
  ),
  'group.streams.min.session.timeout.ms': period(
    45_000,
    'The minimum session timeout of streams groups in ms.',
    SO_FAR
  ),
  'group.streams.max.session.timeout.ms': period(
    60_000,
    'The maximum session timeout of streams groups in ms.',
    SO_FAR
  ),
  'group.streams.heartbeat.interval.ms': period(
    5000,
    'The heartbeat interval of members of streams groups in ms.',
    SO_FAR
  ),
  'group.streams.min.heartbeat.interval.ms': period(
    5000,
    'The minimum heartbeat interval of streams groups in ms.',
    SO_FAR
  ),
  'group.streams.max.heartbeat.interval.ms': period(
    15_000,
    'The maximum heartbeat interval of streams groups in ms.',
    SO_FAR
  ),
  'group.streams.assignment.interval.ms': pause(
    1000,
    'The minimum time in ms between two target assignments of a streams group.',
    { ...DYNAMIC, ...SO_FAR }
  ),
  'group.streams.min.assignment.interval.ms': pause(
    0,
    'The minimum assignment interval of streams groups in ms.',
    SO_FAR
  ),
  'group.streams.max.assignment.interval.ms': pause(
    15_000,
    'The maximum assignment interval of streams groups in ms.',
    SO_FAR
  ),
  'group.streams.num.standby.replicas': pause(
    0,
    'The number of standby replicas of each task of a streams group.',
    SO_FAR
  ),
  'group.streams.max.standby.replicas': pause(2, 'The maximum number of standby replicas of streams groups.', SO_FAR),
  'group.streams.initial.rebalance.delay.ms': pause(
    3000,
    'The time in ms that an empty streams group waits for more members before its first rebalance.',
    SO_FAR
  )
}

/** The broker settings of groups, which are part of the table in `broker.ts`. */
export const groupCoordinatorSettings = { ...offsets, ...classic, ...consumer, ...share, ...streams }

// Group configs.

/** The group config for a broker setting, with its own minimum and without a maximum. */
function withoutLimit(
  name:
    | 'group.share.record.lock.duration.ms'
    | 'group.share.delivery.count.limit'
    | 'group.share.partition.max.record.locks',
  atLeast: number
) {
  const { byDefault, documentation } = groupCoordinatorSettings[name]
  return int(byDefault.value, documentation, { atLeast, unsupported: true })
}

/** The group configs, by name. */
export const groupSettings = {
  'consumer.heartbeat.interval.ms': groupCoordinatorSettings['group.consumer.heartbeat.interval.ms'],
  'consumer.session.timeout.ms': groupCoordinatorSettings['group.consumer.session.timeout.ms'],
  'consumer.assignment.interval.ms': groupCoordinatorSettings['group.consumer.assignment.interval.ms'],
  'share.heartbeat.interval.ms': groupCoordinatorSettings['group.share.heartbeat.interval.ms'],
  'share.session.timeout.ms': groupCoordinatorSettings['group.share.session.timeout.ms'],
  'share.record.lock.duration.ms': withoutLimit('group.share.record.lock.duration.ms', 1000),
  'share.delivery.count.limit': withoutLimit('group.share.delivery.count.limit', 2),
  'share.partition.max.record.locks': withoutLimit('group.share.partition.max.record.locks', 100),
  'share.assignment.interval.ms': groupCoordinatorSettings['group.share.assignment.interval.ms'],
  'share.auto.offset.reset': string(
    'latest',
    'The start offset of a share group: earliest, latest, or by_duration with a duration into the past, as in by_duration:PT1H.',
    { unsupported: true, check: offsetReset }
  ),
  'share.isolation.level': string(
    'read_uncommitted',
    'Whether a share group gets records of open and aborted transactions (read_uncommitted), or only of committed ones (read_committed).',
    { oneOf: ['read_committed', 'read_uncommitted'], unsupported: true }
  ),
  'share.renew.acknowledge.enable': boolean(true, 'Whether a share consumer may renew the lock of a record.', {
    unsupported: true
  }),
  'streams.heartbeat.interval.ms': groupCoordinatorSettings['group.streams.heartbeat.interval.ms'],
  'streams.session.timeout.ms': groupCoordinatorSettings['group.streams.session.timeout.ms'],
  'streams.num.standby.replicas': groupCoordinatorSettings['group.streams.num.standby.replicas'],
  'streams.assignment.interval.ms': groupCoordinatorSettings['group.streams.assignment.interval.ms'],
  'streams.initial.rebalance.delay.ms': groupCoordinatorSettings['group.streams.initial.rebalance.delay.ms']
}

/** The name of a group config. */
export type GroupSettingName = keyof typeof groupSettings

/** True for the name of a group config. */
export function isGroupSetting(name: string): name is GroupSettingName {
  return Object.hasOwn(groupSettings, name)
}

type GroupCoordinatorSettingName = keyof typeof groupCoordinatorSettings

function isGroupCoordinatorSetting(name: string): name is GroupCoordinatorSettingName {
  return Object.hasOwn(groupCoordinatorSettings, name)
}

/** The broker settings with the default and the bounds of a group config. */
export interface BehindGroupSetting {
  readonly byDefault?: GroupCoordinatorSettingName
  readonly min?: GroupCoordinatorSettingName
  readonly max?: GroupCoordinatorSettingName
}

/**
 * The broker settings of a group config, by Kafka's naming scheme: `share.session.timeout.ms` has the default
 * `group.share.session.timeout.ms` and the minimum `group.share.min.session.timeout.ms`.
 */
export function behindGroupSetting(name: GroupSettingName): BehindGroupSetting {
  const dot = name.indexOf('.')
  const [kind, rest] = [name.slice(0, dot), name.slice(dot + 1)]
  const found = (candidate: string) => (isGroupCoordinatorSetting(candidate) ? candidate : undefined)
  const byDefault = found(`group.${name}`)
  const min = found(`group.${kind}.min.${rest}`)
  const max = found(`group.${kind}.max.${rest.replace(/^num\./, '')}`)
  return { ...(byDefault && { byDefault }), ...(min && { min }), ...(max && { max }) }
}

function offsetReset(name: string, value: string): string | null {
  if (value === 'earliest' || value === 'latest') return null
  if (value.startsWith('by_duration:') && isDuration(value.slice('by_duration:'.length))) return null
  const format = "'earliest', 'latest' or of the format 'by_duration:<PnDTnHnMn.nS>'"
  return `Invalid value \`${value}\` for configuration ${name}. The value must be either ${format}.`
}

const DURATION =
  /^([-+]?)P(?=[^T]|T.)(?:([-+]?\d+)D)?(?:T(?:([-+]?\d+)H)?(?:([-+]?\d+)M)?(?:([-+]?\d+(?:[.,]\d{0,9})?)S)?)?$/i

/** True for text that Java's Duration.parse accepts and that is not negative. */
function isDuration(text: string): boolean {
  const match = DURATION.exec(text)
  if (!match || text.toUpperCase().endsWith('T')) return false
  const [sign, days, hours, minutes, seconds] = match.slice(1)
  const parts = [days, hours, minutes, seconds].map(part => Number((part ?? '0').replace(',', '.')))
  const [d = 0, h = 0, m = 0, s = 0] = parts
  const total = (((d * 24 + h) * 60 + m) * 60 + s) * (sign === '-' ? -1 : 1)
  return total >= 0 && total < 2 ** 63
}
