// Classic requests for members of the consumer protocol: an admin removes one or several members with LeaveGroup. All
// other requests get UNKNOWN_MEMBER_ID.
import type { Step } from '../transcript.ts'
import { ConsumerGroup, promptly } from './consumer-group.ts'
import { Group, STRANGER } from './group.ts'
import { records } from './group-records.ts'
import { topic } from './topic.ts'

const TOPIC = 'sent-away'
const I = { instance: 'I' }
const J = { instance: 'J' }

const group = new ConsumerGroup('sent-away', TOPIC)
const admin = new Group('sent-away')
const a = { memberId: 'a', generation: 2 }

const away: Step[] = [
  group.found(),
  group.join('a'),
  ...[3, 4].map(version => admin.heartbeat('a', 'speaks another protocol', { version, ...a })),
  ...[3, 4, 5].map(version => admin.sync('a', 'speaks another protocol', { version, ...a })),
  admin.heartbeat('s', 'is not a member', { memberId: STRANGER, generation: 2 }),
  admin.sync('s', 'is not a member', { memberId: STRANGER, generation: 2 }),
  admin.leave('strangers', { memberId: STRANGER }, {}, I, { memberId: 'a', ...I }),
  group.described('with everyone'),
  ...[0, 1, 2, 3, 4, 5].flatMap(version => [
    admin.leaveAt(version, 'a is sent away', { memberId: 'a', reason: 'because' }),
    group.report('a', 'is not known'),
    group.join('a', 'joins again')
  ]),
  group.join('b', 'joins as an instance', I),
  group.join('c', 'joins as an instance', J),
  group.join('d'),
  group.described('with all'),
  records(group.id, '4.4.0'),
  admin.leave('by the instance, with the id of another', { memberId: 'a', ...I }),
  admin.leave('by the instance, with its id', { memberId: 'b', ...I }),
  group.report('b', 'is not known', { ...I, owned: {} }),
  group.beat('c', 'leaves for a while', { ...J, epoch: -2 }),
  // The records of several members would be in the order of a hash set.
  admin.leave('one that is away, by its instance, and twice', J, J),
  admin.leave('another one, and twice', { memberId: 'd' }, { memberId: 'd' }),
  group.described('with one'),
  group.report('a', 'gets all'),
  admin.leave('the last one, and a stranger', { memberId: STRANGER }, { memberId: 'a' }),
  admin.leave('no member is left', { memberId: 'a' }),
  group.described('without any', { since: '4.4.0' }),
  records(group.id, '4.4.0')
]

export const consumerGroupLeave: Step[] = promptly([topic(TOPIC, 4), ...away])
