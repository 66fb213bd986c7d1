// Broker settings that limit consumer groups: group size, session timeouts, assignors, migration policy. The broker
// must be started with CONSUMER_LIMITS.
import { subscriptionOf } from '../../../group/embedded.ts'
import { type Step, since } from '../transcript.ts'
import { ConsumerGroup } from './consumer-group.ts'
import { Group } from './group.ts'
import { records } from './group-records.ts'
import { topic } from './topic.ts'

/** No value is a default. */
export const CONSUMER_LIMITS = {
  'group.consumer.max.size': 3,
  'group.consumer.min.session.timeout.ms': 100,
  'group.consumer.session.timeout.ms': 3000,
  'group.consumer.min.heartbeat.interval.ms': 100,
  'group.consumer.heartbeat.interval.ms': 700,
  'group.consumer.assignors': 'range',
  'group.consumer.migration.policy': 'disabled',
  'group.consumer.assignment.interval.ms': 0
}

const TOPIC = 'limited'
const I = { instance: 'I' }

const full = new ConsumerGroup('limited-size', TOPIC)
const size: Step[] = [
  full.found(),
  full.join('a'),
  full.join('b', 'joins as an instance', I),
  full.join('c'),
  full.join('d', 'is one too many'),
  full.join('d', 'is one too many, without an id', { version: 0, memberId: '' }),
  full.beat('d', 'was none before', { epoch: 2 }),
  full.leave('d', 'was none before, and leaves'),
  full.join('d', 'is one too many, as a new instance', { instance: 'J' }),
  // Since 4.4 a static member that replaces another does not count for the group size.
  ...since('4.4.0', [full.join('d', 'is not free to be an instance', I)]),
  full.join('a', 'rejoins'),
  full.beat('a', 'continues'),
  full.join('a', 'cannot have an assignor that is switched off', { assignor: 'uniform' }),
  full.described('with the first assignor'),
  full.beat('b', 'leaves for a while', { ...I, epoch: -2 }),
  full.join('d', 'is one too many while one is away'),
  ...since('4.4.0', [full.join('d', 'takes the place of one that is away', I)]),
  full.leave('c'),
  full.join('e', 'is let in'),
  full.described('when it is full'),
  records(full.id, '4.4.0')
]

const hasAll = ({ assignment }: { assignment: { topicPartitions: { partitions: number[] }[] } | null }) =>
  assignment?.topicPartitions[0]?.partitions.length === 4

const silent = new ConsumerGroup('limited-sessions', TOPIC)
const away = new ConsumerGroup('limited-instances', TOPIC)
const sessions: Step[] = [
  silent.found(),
  silent.join('a', 'joins, and is silent from then on'),
  silent.join('b'),
  silent.until('b', 'has what the silent one had', hasAll),
  silent.report('a', 'is not known'),
  silent.described('without the silent one'),
  away.found(),
  away.join('a', 'joins as an instance', I),
  away.beat('a', 'leaves for a while', { ...I, epoch: -2 }),
  away.join('b'),
  away.until('b', 'has what the one that was away had', hasAll),
  away.beat('a', 'is not known', I),
  away.join('a', 'is a new instance', I),
  away.described('with a new instance'),
  silent.size(0),
  silent.described('when all were silent', { since: '4.4.0' }),
  records(silent.id, '4.4.0')
]

const says = { memberId: '', protocols: { range: subscriptionOf([TOPIC]) } }
const classic = new Group('limited-classic')
const consumers = new Group('limited-consumers')
const asConsumers = new ConsumerGroup('limited-consumers', TOPIC)
const asClassic = new ConsumerGroup('limited-classic', TOPIC)
const separate: Step[] = [
  classic.found(),
  consumers.found(),
  classic.newcomer('x', says),
  asClassic.join('m', 'comes while there is only one that was given an id'),
  asConsumers.join('m'),
  consumers.join('x', 'is not let in', says),
  consumers.join('x', 'is not let in as an instance', { ...says, instance: 'I' }),
  asConsumers.described('without any other'),
  asConsumers.leave('m'),
  consumers.newcomer('x', says),
  asConsumers.leave('m', 'is not known any more')
]

export const consumerGroupLimits: Step[] = [topic(TOPIC, 4), ...size, ...sessions, ...separate]
