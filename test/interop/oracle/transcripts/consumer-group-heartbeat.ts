// ConsumerGroupHeartbeat of a single member: invalid requests, unknown members, allowed epochs, and repeated responses.
import type { Step } from '../transcript.ts'
import { type Beat, ConsumerGroup, promptly } from './consumer-group.ts'
import { records } from './group-records.ts'
import { topic } from './topic.ts'

const TOPIC = 'heartbeats'
const OTHER = 'heartbeats-other'
const VERSIONS = [0, 1]

/** Invalid heartbeats. Each is sent without a group, and to a group with the member `a`. */
const WRONG: Readonly<Record<string, Beat>> = {
  'no member id': { memberId: '', epoch: 7 },
  'a blank member id': { memberId: ' ', epoch: 7 },
  'no member id to leave': { memberId: '', epoch: -1 },
  'no member id to leave for a while': { memberId: '', epoch: -2, instance: 'I' },
  'no group': { groupId: '', epoch: 7 },
  'a blank group': { groupId: ' \t', epoch: 7 },
  'an empty instance': { instance: '', epoch: 7 },
  'a blank instance': { instance: '  ', epoch: 7 },
  'an empty rack': { rack: '', epoch: 7 },
  'a blank rack': { rack: ' ', epoch: 7 },
  'an epoch below all': { epoch: -3 },
  'the least epoch': { epoch: -(2 ** 31) },
  'the greatest epoch': { epoch: 2 ** 31 - 1 },
  'a dynamic member for a while': { epoch: -2 },
  'an unknown assignor': { epoch: 7, assignor: 'sticky' },
  'an empty assignor': { epoch: 7, assignor: '' },
  'an assignor in another case': { epoch: 7, assignor: 'Range' },
  'an unknown assignor, to leave': { epoch: -1, assignor: 'sticky' },
  'no group, and an unknown assignor': { groupId: '', epoch: 7, assignor: 'sticky' }
}

/** Heartbeats with epoch 0 that lack required fields. */
const WRONG_TO_JOIN: Readonly<Record<string, Beat>> = {
  'no timeout': { timeoutMs: -1 },
  'nothing of what it owns': { owned: null },
  'something that it owns': { owned: { [TOPIC]: [0] } },
  'a topic of which it owns nothing': { owned: { [TOPIC]: [] } },
  'no subscription': { topics: null },
  'an unknown assignor': { assignor: 'sticky' },
  'no timeout, and an unknown assignor': { timeoutMs: -1, assignor: 'sticky' },
  'an empty instance': { instance: '' },
  'no group': { groupId: '' }
}

const existing = new ConsumerGroup('heartbeats', TOPIC)
const none = new ConsumerGroup('heartbeats-none', TOPIC)

/** Version 0 is left out here, because it allows members to join without an id. */
const faults = (group: ConsumerGroup): Step[] =>
  VERSIONS.flatMap(version => [
    ...Object.entries(WRONG).map(([title, beat]) => group.beat('a', `says ${title}`, { ...beat, version })),
    ...Object.entries(WRONG_TO_JOIN).map(([title, beat]) =>
      group.join('a', `joins with ${title}`, { ...beat, version })
    )
  ])

const strangers = (group: ConsumerGroup): Step[] =>
  VERSIONS.flatMap(version => [
    group.beat('s', 'is not known', { version, epoch: 3 }),
    group.beat('s', 'is not known, with all it has', {
      version,
      epoch: 3,
      timeoutMs: 1000,
      topics: [TOPIC],
      owned: {}
    }),
    group.beat('s', 'is not known, as an instance', { version, epoch: 3, instance: 'S' }),
    group.leave('s', 'is not known, and leaves', { version }),
    group.leave('s', 'is not known, and leaves as an instance', { version, instance: 'S' }),
    group.leave('s', 'is not known, and leaves for a while', { version, epoch: -2, instance: 'S' })
  ])

const validation: Step[] = [
  topic(TOPIC, 4),
  topic(OTHER, 2),
  none.found(),
  ...faults(none),
  ...strangers(none),
  none.described('though it never was'),
  records(none.id),
  existing.found(),
  existing.join('a'),
  ...faults(existing),
  ...strangers(existing),
  existing.join('', 'joins without an id', { memberId: '', version: 1 }),
  existing.join('', 'joins with a blank id', { memberId: ' ', version: 1 }),
  existing.beat('a', 'is as it was'),
  existing.described('as it was', { version: 0 }),
  existing.described('as it was'),
  records(existing.id)
]

/** Unusual but valid heartbeats, each in a group of its own. */
const ODD: Readonly<Record<string, Beat>> = {
  'no topics': { topics: [] },
  'no topics and no expression': { topics: [], regex: '' },
  'an empty expression alone': { regex: '' },
  'topics that are not there': { topics: ['nowhere', 'a b', '', '..'] },
  'some topics that are there': { topics: ['nowhere', TOPIC] },
  'a topic three times': { topics: [TOPIC, TOPIC, TOPIC] },
  'topics out of order': { topics: ['z', TOPIC, 'b', 'a'] },
  'a timeout of nothing': { timeoutMs: 0 },
  'a timeout below nothing': { timeoutMs: -2 },
  'a timeout without end': { timeoutMs: 2 ** 31 - 1 },
  'a rack, an assignor and an instance': { rack: 'R', assignor: 'range', instance: 'I' },
  'an id of a blank within': { memberId: 'm m' }
}

const odd: Step[] = Object.entries(ODD).flatMap(([title, beat], index) => {
  const group = new ConsumerGroup(`heartbeats-odd-${index}`, TOPIC)
  const { memberId = 'm', ...rest } = beat
  return [
    group.found(),
    group.join('m', `says ${title}`, beat),
    group.beat('m', 'continues', { memberId }),
    group.beat('m', 'says the same again', {
      timeoutMs: 30_000,
      topics: [TOPIC],
      ...rest,
      memberId,
      owned: 'received'
    }),
    group.described(`of ${title}`),
    records(group.id)
  ]
})

/** Version 0: the coordinator generates member ids, and there are no regular expressions. */
const old = new ConsumerGroup('heartbeats-old', TOPIC)
const givenIds: Step[] = [
  old.found(),
  old.join('given', 'joins without an id', { version: 0, memberId: '' }),
  old.size(1),
  // The last id in sort order.
  old.join('~', 'joins with an id of its own', { version: 0 }),
  old.described('with an id that was given', { version: 0 }),
  records(old.id)
]

const epochs = new ConsumerGroup('heartbeats-epochs', TOPIC)
const ofEpochs: Step[] = [
  epochs.found(),
  epochs.join('a'),
  epochs.beat('a', 'says nothing'),
  epochs.report('a', 'says what it owns'),
  epochs.report('a', 'says that it owns nothing', { owned: {} }),
  epochs.report('a', 'says that it owns more', { owned: { [OTHER]: [0, 1, 9, -1], [TOPIC]: [0, 0, 77] } }),
  epochs.beat('a', 'says all', { timeoutMs: 30_000, topics: [TOPIC], owned: 'received' }),
  epochs.beat('a', 'says all but what it owns', { timeoutMs: 30_000, topics: [TOPIC] }),
  epochs.beat('a', 'says all but its timeout', { topics: [TOPIC], owned: 'received' }),
  epochs.beat('a', 'says all but its subscription', { timeoutMs: 30_000, owned: 'received' }),
  epochs.beat('a', 'comes from the future', { epoch: 99 }),
  epochs.beat('a', 'comes from the epoch before there was any', { epoch: 1 }),
  epochs.beat('a', 'comes from there with nothing', { epoch: 1, owned: {} }),
  epochs.beat('a', 'changes its rack and its timeout', { rack: 'R', timeoutMs: 20_000 }),
  epochs.beat('a', 'changes nothing', { rack: 'R', timeoutMs: 20_000 }),
  epochs.described('with a rack'),
  epochs.beat('a', 'subscribes to another topic as well', { topics: [OTHER, TOPIC] }),
  epochs.beat('a', 'missed that, and says nothing of what it owns', { epoch: 2 }),
  epochs.beat('a', 'missed that, and has what it had', { epoch: 2, owned: { [TOPIC]: [0, 1, 2, 3] } }),
  epochs.beat('a', 'missed that, and has a part', { epoch: 2, owned: { [TOPIC]: [3] } }),
  epochs.beat('a', 'missed that, and has nothing', { epoch: 2, owned: {} }),
  epochs.beat('a', 'missed that, and says all', { epoch: 2, timeoutMs: 20_000, topics: [TOPIC, OTHER], owned: {} }),
  epochs.beat('a', 'missed that, and has too much', { epoch: 2, owned: { [TOPIC]: [4] } }),
  epochs.beat('a', 'missed that, and has a topic of which it has nothing', { epoch: 2, owned: { [TOPIC]: [] } }),
  epochs.beat('a', 'continues', { epoch: 3 }),
  epochs.beat('a', 'subscribes to less', { topics: [OTHER] }),
  epochs.report('a', 'gave it up', { owned: { [OTHER]: [0, 1] } }),
  epochs.beat('a', 'is two epochs late', { epoch: 2, owned: {} }),
  epochs.join('a', 'rejoins'),
  epochs.join('a', 'rejoins, with the subscription it had', { topics: [OTHER] }),
  epochs.beat('a', 'continues'),
  records(epochs.id),
  epochs.leave('a', 'leaves, with any other fields', { topics: [TOPIC], timeoutMs: 5, owned: 'received' }),
  epochs.leave('a', 'leaves again'),
  epochs.beat('a', 'left', { epoch: 5 }),
  // Since 4.4 an empty group has a new assignment.
  epochs.described('when all have left', { since: '4.4.0' }),
  epochs.join('b'),
  epochs.described('when there is one again'),
  records(epochs.id, '4.4.0')
]

export const consumerGroupHeartbeat: Step[] = promptly([...validation, ...odd, ...givenIds, ...ofEpochs])
