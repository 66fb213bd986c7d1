// LeaveGroup at every version and in every state: by the leader, by a follower, by waiting members, by several members
// at once. (static-members.ts has static members that leave.)
import { APIS } from '../../../../src/protocol/messages/index.ts'
import { atEachVersion, type Step } from '../transcript.ts'
import { Group, STRANGER } from './group.ts'

const { LeaveGroup } = APIS
const VERSIONS = [0, 1, 2, 3, 4, 5]
const nobody = { memberId: STRANGER, groupInstanceId: null }
const stranger = { memberId: STRANGER }

const everyVersion = VERSIONS.flatMap((version): Step[] => {
  const group = new Group(`leave-v${version}`)
  const only =
    version < 3
      ? []
      : [
          group.leaveAt(version, 'no member leaves'),
          group.leaveAt(version, 'without id and instance', {}),
          group.leaveAt(version, 'with an instance that is none', { member: 'a', instance: 'A' })
        ]
  return [
    group.found(),
    ...group.enter('a'),
    group.leaveAt(version, 'a stranger leaves', stranger),
    ...only,
    group.leaveAt(version, 'a leaves', { member: 'a', ...(version === 5 && { reason: 'enough' }) }),
    group.leaveAt(version, 'a leaves again', 'a'),
    group.heartbeat('a', 'has left')
  ]
})

const unknown: Step[] = [
  ...atEachVersion('a group that is none', LeaveGroup, () => ({
    ...{ groupId: 'leave-none', memberId: STRANGER, members: [nobody, { ...nobody, groupInstanceId: 'A' }] }
  })),
  ...atEachVersion('the empty group', LeaveGroup, () => ({ groupId: '', memberId: STRANGER, members: [nobody] })),
  ...atEachVersion('no member', LeaveGroup, () => ({ groupId: 'leave-none', memberId: '', members: [] }))
]

const stable = new Group('leave-stable')
const joinsB = stable.delayedJoin('b', 'joins again')
const inStable: Step[] = [
  stable.found(),
  ...stable.enter('a'),
  ...stable.gather('a', {}, ['b'], ['c']),
  stable.sync('a', 'assigns', { assignments: { a: 'a', b: 'b', c: 'c' } }),
  stable.leave('a follower and strangers leave', stranger, 'c', 'c', {}),
  stable.heartbeat('a', 'must join again'),
  stable.heartbeat('c', 'has left'),
  stable.sync('c', 'has left'),
  stable.join('c', 'has left'),
  joinsB.sent,
  stable.join('a', 'joins again'),
  joinsB.answer,
  stable.sync('a', 'assigns', { assignments: { a: 'a', b: 'b' } }),
  stable.leave('the leader leaves', 'a'),
  stable.rebalancing('b'),
  stable.join('b', 'is the leader now'),
  stable.sync('b', 'assigns', { assignments: { b: 'all' } }),
  stable.leave('the last one leaves', 'b'),
  stable.leave('the last one leaves again', 'b'),
  // The group continues in its state.
  ...stable.enter('d')
]

const completing = new Group('leave-completing')
const waits = completing.delayedSync('b', 'waits for its assignment')
const inCompleting: Step[] = [
  completing.found(),
  ...completing.enter('a'),
  ...completing.gather('a', {}, ['b']),
  waits.sent,
  completing.leave('the leader leaves', 'a'),
  waits.answer,
  completing.heartbeat('b', 'must join again'),
  completing.join('b', 'is alone')
]

const preparing = new Group('leave-preparing')
const newcomer = preparing.delayedJoin('c', 'joins')
const leader = preparing.delayedJoin('a', 'joins again')
const inPreparing: Step[] = [
  preparing.found(),
  ...preparing.enter('a'),
  ...preparing.gather('a', {}, ['b']),
  preparing.sync('a', 'assigns', { assignments: { a: 'a', b: 'b' } }),
  preparing.newcomer('c'),
  preparing.newcomer('d'),
  newcomer.sent,
  preparing.rebalancing('b'),
  leader.sent,
  preparing.leave('who has not joined again leaves', 'b'),
  preparing.leave('who was only given an id leaves, and no member is missing', 'd'),
  newcomer.answer,
  leader.answer
]

export const leaveGroup: Step[] = [...everyVersion, ...unknown, ...inStable, ...inCompleting, ...inPreparing]
