// Members that join and leave consumer groups: which partitions are revoked and when they are assigned again; lost
// responses; members that do not revoke in time.
import { arrange, type Step } from '../transcript.ts'
import { ConsumerGroup, promptly } from './consumer-group.ts'
import { records } from './group-records.ts'
import { topic } from './topic.ts'

const TOPIC = 'scaled'
const OTHER = 'scaled-other'
const ALL = [0, 1, 2, 3, 4, 5]

/** Every step with two members, then with three. The first member delays its revocation. */
const up = new ConsumerGroup('scaled', TOPIC)
const scalingUp: Step[] = [
  up.found(),
  up.join('a'),
  up.described('with one', { version: 0 }),
  up.join('b', 'joins, and has nothing yet'),
  up.described('with one that waits'),
  up.beat('b', 'still has nothing'),
  up.report('b', 'says so'),
  up.beat('a', 'must give up half'),
  up.described('while one gives up half'),
  up.beat('a', 'says nothing of it'),
  up.report('a', 'still has all', { owned: { [TOPIC]: ALL } }),
  up.report('a', 'still has one of them', { owned: { [TOPIC]: [0, 1, 2, 5] } }),
  up.beat('a', 'wants to hear it again', { timeoutMs: 30_000, topics: [TOPIC], owned: { [TOPIC]: ALL } }),
  up.beat('a', 'believes in the next epoch', { epoch: 3, owned: { [TOPIC]: [0] } }),
  up.report('b', 'still has nothing'),
  up.join('c', 'joins during that'),
  up.described('with a third'),
  up.report('b', 'hears nothing of a third'),
  up.report('a', 'gave up half, and must give up more'),
  up.described('while it gives up more'),
  up.report('b', 'gets what is free'),
  up.report('c', 'waits'),
  up.report('a', 'gave that up as well'),
  up.report('a', 'did not hear that', { epoch: 2 }),
  up.report('c', 'gets the rest'),
  up.beat('c', 'did not hear that', { epoch: 4, owned: {} }),
  up.report('c', 'continues'),
  up.report('a', 'continues'),
  up.report('b', 'continues'),
  up.described('with three at rest'),
  records(up.id),
  up.leave('b', 'leaves'),
  up.described('when one has left'),
  up.report('a', 'gets a part'),
  up.described('when one has its part'),
  up.report('c', 'gets the rest'),
  up.report('a', 'has heard, and is late', { epoch: 4, owned: {} }),
  up.described('with two at rest'),
  up.leave('a', 'leaves'),
  up.join('c', 'rejoins'),
  up.described('with the last one'),
  records(up.id)
]

/** Members that leave while a revocation or assignment is in progress. */
const going = new ConsumerGroup('scaled-going', TOPIC)
const goingAmid: Step[] = [
  going.found(),
  going.join('a'),
  going.join('b'),
  going.beat('a', 'must give up half'),
  going.leave('a', 'leaves before it has'),
  going.report('b', 'gets all'),
  going.described('with the other one'),
  going.join('a', 'joins again'),
  going.join('b', 'rejoins, and must give up half at once'),
  going.report('a', 'waits'),
  going.leave('a', 'leaves while it waits'),
  going.described('while one gives up what no member subscribes to any more'),
  going.report('b', 'still has all', { owned: { [TOPIC]: ALL } }),
  going.report('b', 'gave it up, and gets it back', { owned: { [TOPIC]: [3, 4, 5] } }),
  going.described('at rest'),
  going.join('a', 'joins a third time'),
  going.beat('b', 'must give up half'),
  going.join('b', 'rejoins instead'),
  going.report('b', 'has nothing', { owned: {} }),
  going.report('a', 'gets the rest'),
  going.described('at rest again'),
  records(going.id)
]

const HURRY = 700
const passes = (ms: number): Step => arrange(`${ms} ms pass`, () => new Promise(resolve => setTimeout(resolve, ms)))

/** The rebalance timeout runs only for members with partitions to revoke. */
const late = new ConsumerGroup('scaled-late', TOPIC)
const lateOnes: Step[] = [
  late.found(),
  late.join('a', 'joins', { timeoutMs: HURRY }),
  late.join('b', 'joins', { timeoutMs: HURRY }),
  late.beat('a', 'must give up half'),
  late.size(1),
  late.described('without the one that was late'),
  late.report('a', 'is not known'),
  late.join('a', 'joins again', { timeoutMs: HURRY }),
  late.report('b', 'must give up half'),
  late.report('b', 'gives it up in time'),
  passes(HURRY + 300),
  late.beat('b', 'is still there'),
  late.beat('a', 'may wait as long as it likes'),
  late.described('with two at rest'),
  records(late.id)
]

/** Members with different subscriptions, which the range assignor divides topic by topic. */
const mixed = new ConsumerGroup('scaled-mixed', TOPIC)
const range = { assignor: 'range' }
const subscriptions: Step[] = [
  mixed.found(),
  mixed.join('a', 'joins', range),
  mixed.join('b', 'joins with another topic as well', { ...range, topics: [TOPIC, OTHER] }),
  mixed.report('a', 'must give up half'),
  mixed.report('a', 'gave it up'),
  mixed.report('b', 'gets the rest'),
  mixed.described('with different subscriptions'),
  mixed.report('a', 'is subscribed to nothing', { topics: [] }),
  mixed.described('while one gives up everything'),
  mixed.report('a', 'gave it up'),
  mixed.report('b', 'gets everything'),
  mixed.report('a', 'is subscribed again', { topics: [OTHER] }),
  mixed.report('b', 'must give up some'),
  mixed.report('b', 'subscribes to less while it does', { topics: [TOPIC], owned: { [TOPIC]: ALL, [OTHER]: [0, 1] } }),
  mixed.described('while one gives up a topic'),
  mixed.report('b', 'gave it up'),
  mixed.report('a', 'gets the topic'),
  mixed.described('with one topic each'),
  mixed.report('b', 'gives up a topic at once', { topics: [OTHER], owned: {} }),
  mixed.described('when no member has a topic'),
  records(mixed.id)
]

export const consumerGroupRebalance: Step[] = promptly([
  topic(TOPIC, ALL.length),
  topic(OTHER, 2),
  ...scalingUp,
  ...goingAmid,
  ...lateOnes,
  ...subscriptions
])
