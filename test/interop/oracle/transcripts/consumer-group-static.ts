// Static members of consumer groups (group.instance.id): one that leaves temporarily keeps its partitions until its
// session expires. A member that replaces it under another id gets its assignment, and the replaced member is fenced.
import { type Step, since } from '../transcript.ts'
import { ConsumerGroup, promptly } from './consumer-group.ts'
import { records } from './group-records.ts'
import { topic } from './topic.ts'

const TOPIC = 'instances'
const OTHER = 'instances-other'
const A = { instance: 'A' }
const B = { instance: 'B' }
const AWAY = { epoch: -2 }

const alone = new ConsumerGroup('instances', TOPIC)
const single: Step[] = [
  alone.found(),
  alone.join('s', 'joins as an instance', A),
  alone.beat('s', 'says its instance', A),
  alone.beat('s', 'need not say its instance'),
  alone.beat('s', 'says another instance', B),
  alone.join('t', 'cannot have a place that is taken', A),
  alone.join('s', 'cannot have its own place twice', A),
  alone.beat('t', 'is fenced', { ...A, epoch: 2 }),
  alone.beat('t', 'is not known', { epoch: 2 }),
  alone.leave('t', 'is fenced, and cannot leave', A),
  alone.leave('t', 'is fenced, and cannot leave for a while', { ...A, ...AWAY }),
  alone.leave('s', 'cannot leave for a while as another', { ...B, ...AWAY }),
  alone.join('s', 'rejoins without its instance'),
  alone.described('with an instance'),
  alone.beat('s', 'leaves for a while', { ...A, ...AWAY }),
  alone.described('while its instance is away', { version: 0 }),
  alone.described('while its instance is away'),
  alone.beat('s', 'leaves for a while again', { ...A, ...AWAY }),
  alone.beat('s', 'continues as if it were there', { ...A, epoch: 2 }),
  alone.beat('s', 'continues so without its instance', { epoch: 2 }),
  alone.beat('s', 'continues with what it had', { ...A, epoch: 2, owned: { [TOPIC]: [0, 1, 2, 3] } }),
  alone.beat('t', 'is no instance that is away', { ...A, epoch: 2 }),
  alone.join('t', 'takes its place', A),
  alone.described('with another in its place'),
  alone.beat('s', 'is fenced', { ...A, epoch: 2 }),
  alone.beat('s', 'is not known without its instance', { epoch: 2 }),
  alone.leave('s', 'is fenced, and cannot leave', A),
  alone.join('s', 'is fenced, and cannot join', A),
  alone.beat('t', 'continues', A),
  alone.beat('t', 'leaves for a while', { ...A, ...AWAY }),
  alone.join('t', 'comes back under its own id', A),
  alone.beat('t', 'continues', A),
  alone.beat('t', 'leaves for a while', { ...A, ...AWAY }),
  alone.join('u', 'takes its place with another subscription', { ...A, topics: [TOPIC, OTHER], rack: 'R' }),
  alone.described('with another subscription'),
  records(alone.id),
  alone.beat('u', 'leaves for a while', { ...A, ...AWAY }),
  alone.leave('u', 'leaves for good while it is away', A),
  alone.described('when it is empty', { since: '4.4.0' }),
  alone.join('v', 'is a new instance', A),
  alone.leave('v', 'leaves without its instance'),
  alone.join('w', 'is a new instance again', A),
  alone.beat('w', 'continues', A),
  records(alone.id, '4.4.0')
]

/** Effects on other members. */
const three = new ConsumerGroup('instances-three', TOPIC)
const together: Step[] = [
  three.found(),
  three.join('a', 'joins as an instance', A),
  three.beat('a', 'leaves for a while', { ...A, ...AWAY }),
  three.join('b', 'joins as another, and waits', B),
  three.described('while one waits for one that is away'),
  three.report('b', 'still waits', B),
  three.join('c', 'takes the place of the one that is away', A),
  three.described('while it gives up half'),
  three.report('c', 'still has all', { ...A, owned: { [TOPIC]: [0, 1, 2, 3] } }),
  three.beat('c', 'leaves temporarily during that', { ...A, ...AWAY }),
  three.described('when it has lost what it was to give up'),
  three.report('b', 'gets that', B),
  three.join('d', 'takes the place with half', A),
  three.described('at rest'),
  three.beat('b', 'leaves for a while', { ...B, ...AWAY }),
  three.beat('d', 'hears nothing of that', A),
  three.join('e', 'is a dynamic member'),
  three.report('d', 'must give up some', A),
  three.report('d', 'gave it up', A),
  three.report('e', 'gets some'),
  three.join('f', 'takes the place of b', B),
  three.report('f', 'gave it up', B),
  three.report('e', 'gets some more'),
  three.described('with three at rest'),
  records(three.id),
  three.leave('d', 'leaves for good', A),
  three.report('e', 'gets some'),
  three.report('f', 'gets some', B),
  three.described('with two at rest'),
  records(three.id)
]

/** A member whose instance id is added later or changes. */
const changing = new ConsumerGroup('instances-changing', TOPIC)
const identities: Step[] = [
  changing.found(),
  changing.join('a'),
  changing.beat('a', 'says an instance that is none', A),
  changing.join('a', 'rejoins as an instance', A),
  changing.beat('a', 'is that instance now', A),
  changing.join('b', 'cannot have the place', A),
  // Before 4.4 the member also stayed registered with its first instance id.
  ...since('4.4.0', [
    changing.join('a', 'rejoins as another instance', B),
    changing.beat('a', 'is the other instance now', B),
    changing.beat('a', 'is no longer the first one', A),
    changing.described('when it has changed its instance'),
    changing.join('b', 'wants to be the first instance', A),
    changing.described('with both'),
    changing.leave('a', 'leaves', B),
    changing.join('c', 'is the first instance', A),
    changing.join('d', 'is the second instance', B),
    changing.described('with new ones'),
    records(changing.id)
  ])
]

export const consumerGroupStatic: Step[] = promptly([
  topic(TOPIC, 4),
  topic(OTHER, 2),
  ...single,
  ...together,
  ...identities
])
