/**
 * Every setting that a group can carry in Apache Kafka 4.3, beside the broker's settings that are its default and bounds.
 * Share and streams groups are not served so far, but tools set and read what they will go by.
 */
import { boolean, int, string } from '../define.ts'
import { type BrokerSettingName, isBrokerSetting, settings } from './broker.ts'

/** The rows, by the group's name for the setting. */
export const groupSettings = {
  'consumer.heartbeat.interval.ms': settings['group.consumer.heartbeat.interval.ms'],
  'consumer.session.timeout.ms': settings['group.consumer.session.timeout.ms'],
  'consumer.assignment.interval.ms': settings['group.consumer.assignment.interval.ms'],
  'share.heartbeat.interval.ms': settings['group.share.heartbeat.interval.ms'],
  'share.session.timeout.ms': settings['group.share.session.timeout.ms'],
  'share.record.lock.duration.ms': int(30_000, settings['group.share.record.lock.duration.ms'].documentation, {
    atLeast: 1000,
    unsupported: true
  }),
  'share.delivery.count.limit': int(5, settings['group.share.delivery.count.limit'].documentation, {
    atLeast: 2,
    unsupported: true
  }),
  'share.partition.max.record.locks': int(2000, settings['group.share.partition.max.record.locks'].documentation, {
    atLeast: 100,
    unsupported: true
  }),
  'share.assignment.interval.ms': settings['group.share.assignment.interval.ms'],
  'share.auto.offset.reset': string(
    'latest',
    'Where a share group begins to read: earliest, latest, or by_duration: with how far back, as in by_duration:PT1H.',
    { unsupported: true, check: offsetReset }
  ),
  'share.isolation.level': string('read_uncommitted', 'Whether a share group is given records of open transactions.', {
    oneOf: ['read_committed', 'read_uncommitted'],
    unsupported: true
  }),
  'share.renew.acknowledge.enable': boolean(true, 'Whether a share consumer may hold a record for longer.', {
    unsupported: true
  }),
  'streams.heartbeat.interval.ms': settings['group.streams.heartbeat.interval.ms'],
  'streams.session.timeout.ms': settings['group.streams.session.timeout.ms'],
  'streams.num.standby.replicas': settings['group.streams.num.standby.replicas'],
  'streams.assignment.interval.ms': settings['group.streams.assignment.interval.ms'],
  'streams.initial.rebalance.delay.ms': settings['group.streams.initial.rebalance.delay.ms']
}

/** The name of a group's setting. */
export type GroupSettingName = keyof typeof groupSettings

/** Whether a group can carry a setting of this name. */
export function isGroupSetting(name: string): name is GroupSettingName {
  return Object.hasOwn(groupSettings, name)
}

/** The broker's settings behind a group's. */
export interface BehindGroupSetting {
  readonly byDefault?: BrokerSettingName
  readonly min?: BrokerSettingName
  readonly max?: BrokerSettingName
}

/** Kafka's names for them: `share.session.timeout.ms` goes by `group.share.min.session.timeout.ms`, and so do the others. */
export function behindGroupSetting(name: GroupSettingName): BehindGroupSetting {
  const dot = name.indexOf('.')
  const [kind, rest] = [name.slice(0, dot), name.slice(dot + 1)]
  const found = (candidate: string) => (isBrokerSetting(candidate) ? candidate : undefined)
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

/** Java's Duration.parse, and not less than nothing. */
function isDuration(text: string): boolean {
  const match = DURATION.exec(text)
  if (!match || text.toUpperCase().endsWith('T')) return false
  const [sign, days, hours, minutes, seconds] = match.slice(1)
  const parts = [days, hours, minutes, seconds].map(part => Number((part ?? '0').replace(',', '.')))
  const [d = 0, h = 0, m = 0, s = 0] = parts
  const total = (((d * 24 + h) * 60 + m) * 60 + s) * (sign === '-' ? -1 : 1)
  return total >= 0 && total < 2 ** 63
}
