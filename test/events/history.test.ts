import { expect, it } from 'vitest'
import { EventHistory } from '../../src/events/history.ts'
import { sample } from './samples.ts'

const STAMP = { nodeId: 1, timestampMs: 5 }

it('an event is in the history of each of its subjects, with its node and time', () => {
  const history = new EventHistory()
  const event = sample('MemberJoined')
  history.emit(event, STAMP)
  expect(history.of('groupId', 'orders')).toEqual([{ ...STAMP, event }])
  expect(history.of('memberId', 'm-1')).toEqual([{ ...STAMP, event }])
  expect(history.of('groupId', 'm-1')).toEqual([])
})

it('a transaction is in the history of its transactional id and of its producer id', () => {
  const history = new EventHistory()
  history.emit(sample('ProducerFenced'), STAMP)
  expect(history.of('transactionalId', 'pay-1')).toHaveLength(1)
  expect(history.of('producerId', 7n)).toHaveLength(1)
})

it('a subject keeps its newest events', () => {
  const history = new EventHistory({ eventsPerSubject: 2, subjects: 10 })
  for (const groupEpoch of [1, 2, 3]) history.emit(sample('GroupEpochBumped', { groupEpoch }), STAMP)
  expect(history.of('groupId', 'orders').map(({ event }) => event)).toMatchObject([
    { groupEpoch: 2 },
    { groupEpoch: 3 }
  ])
})

it('the subject without events for the longest time is dropped first', () => {
  const history = new EventHistory({ eventsPerSubject: 2, subjects: 2 })
  for (const groupId of ['a', 'b', 'a', 'c']) history.emit(sample('GroupEpochBumped', { groupId }), STAMP)
  expect(['a', 'b', 'c'].map(groupId => history.of('groupId', groupId).length)).toEqual([2, 0, 1])
})
