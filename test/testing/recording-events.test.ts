import { expect, it } from 'vitest'
import { RecordingEvents } from '../../src/testing/recording-events.ts'
import { sample } from '../events/samples.ts'

it('RecordingEvents keeps events in order, finds them by type, and gives each event once to take', () => {
  const events = new RecordingEvents()
  const all = [sample('GroupEpochBumped'), sample('MemberLeft'), sample('GroupEpochBumped', { groupEpoch: 5 })]
  for (const event of all) events.emit(event)
  expect(events.all).toEqual(all)
  expect(events.of('GroupEpochBumped').map(({ groupEpoch }) => groupEpoch)).toEqual([4, 5])
  expect(events.take()).toEqual(all)
  expect(events.all).toEqual([])
})
