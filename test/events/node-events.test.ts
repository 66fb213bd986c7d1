import { expect, it } from 'vitest'
import type { Event, EventSink, Stamp } from '../../src/events/event.ts'
import { EventHistory } from '../../src/events/history.ts'
import { NodeEvents } from '../../src/events/node-events.ts'
import { type Logger, silentLogger } from '../../src/runtime/logger.ts'
import { yieldToEventLoop } from '../../src/runtime/pace.ts'
import { Harness } from '../../src/testing/harness.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { RecordingLogger } from '../../src/testing/recording-logger.ts'
import { sample } from './samples.ts'

it('each sink receives each event with node and time before emit returns', () => {
  const clock = new ManualClock()
  const received: [Event, Stamp][] = []
  const sink = { emit: (event: Event, stamp: Stamp) => void received.push([event, stamp]) }
  const events = new NodeEvents({ nodeId: 3, clocks: clock, logger: silentLogger, sinks: [sink, sink] })
  const event = sample('ProducerFenced')
  events.emit(event)
  const stamped = [event, { nodeId: 3, timestampMs: clock.wall.now() }]
  expect(received).toEqual([stamped, stamped])
})

it('a logger that throws fails neither the emitter nor the sinks, and the process warns once', async () => {
  const logger = new RecordingLogger()
  logger.info = () => {
    throw new Error('the log cannot be written')
  }
  const history = new EventHistory()
  const events = new NodeEvents({ nodeId: 1, clocks: new ManualClock(), logger, sinks: [history] })
  const warnings: string[] = []
  const noteWarning = ({ message }: Error) => warnings.push(message)
  process.on('warning', noteWarning)
  for (let count = 0; count < 2; count++) events.emit(sample('GroupEpochBumped'))
  await yieldToEventLoop()
  process.off('warning', noteWarning)
  expect(warnings).toEqual(['log lines are lost: the log cannot be written'])
  expect(history.of('groupId', 'orders')).toHaveLength(2)
})

it('the error of a sink is logged, and the next sink receives the event', () => {
  const logger = new RecordingLogger()
  const failing = {
    emit: () => {
      throw new Error('the sink has no room')
    }
  }
  const history = new EventHistory()
  const events = new NodeEvents({ nodeId: 1, clocks: new ManualClock(), logger, sinks: [failing, history] })
  events.emit(sample('GroupEpochBumped'))
  expect(logger.messages('error')).toEqual(['event sink failed: the sink has no room'])
  expect(history.of('groupId', 'orders')).toHaveLength(1)
})

it('a broker passes its events to the sinks of its options', async () => {
  const requests: string[] = []
  const sink = { emit: (event: Event) => void (event.type === 'RequestCompleted' && requests.push(event.api)) }
  await using broker = await Harness.start({ sinks: [sink] })
  await broker.request('ListGroups', {})
  expect(requests).toEqual(['ListGroups'])
})

it('a debug event is observed only with a sink, or with a logger that takes debug lines', () => {
  const clocks = new ManualClock()
  const logger = Object.assign(new RecordingLogger(), { isLevelEnabled: (level: string) => level !== 'debug' })
  const observing = (options: { logger: Logger; sinks?: EventSink[] }) => {
    const events = new NodeEvents({ nodeId: 1, clocks, ...options })
    return [events.isObserved('RequestCompleted'), events.isObserved('ProducerFenced')]
  }
  expect(observing({ logger: silentLogger })).toEqual([false, false])
  expect(observing({ logger })).toEqual([false, true])
  expect(observing({ logger: new RecordingLogger() })).toEqual([true, true])
  expect(observing({ logger, sinks: [new EventHistory()] })).toEqual([true, true])
})
