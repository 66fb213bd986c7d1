import { expect, it } from 'vitest'
import { LogLines } from '../../src/events/log-lines.ts'
import type { Logger } from '../../src/runtime/logger.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { RecordingLogger } from '../../src/testing/recording-logger.ts'
import { ALL_SAMPLES, sample } from './samples.ts'

function logging(levels: Pick<Logger, 'isLevelEnabled'> = {}) {
  const logger = Object.assign(new RecordingLogger(), levels)
  const clock = new ManualClock()
  return { logger, clock, lines: new LogLines(logger, clock.loop) }
}

it('every event has a log line', () => {
  const { logger, lines } = logging()
  for (const event of ALL_SAMPLES) lines.emit(event)
  const all = logger.lines.map(({ level, message }) => `${level} ${message}`)
  expect(all.join('\n')).toMatchSnapshot()
})

it('the bindings of a line are the fields of its event', () => {
  const { logger, lines } = logging()
  const event = sample('ProducerFenced')
  lines.emit(event)
  expect(logger.lines[0]?.bindings).toEqual(event)
})

it('the error of an event is the binding err', () => {
  const { logger, lines } = logging()
  const error = new Error('the disk is full')
  lines.emit({ type: 'StorageFailed', error })
  expect(logger.lines[0]?.bindings).toEqual({ type: 'StorageFailed', err: error })
})

it('the warnings of an address are limited to ten a minute, further ones are logged at debug level and counted', () => {
  const { logger, clock, lines } = logging()
  for (let limit = 1; limit <= 10_000; limit++) lines.emit(sample('ConnectionRefused', { limit }))
  lines.emit(sample('ConnectionRefused', { remoteAddress: '10.0.0.2' }))
  expect(logger.messages('warn')).toHaveLength(11)
  expect(logger.messages('debug')).toHaveLength(9990)
  clock.advance(60_000)
  expect(logger.messages('warn').slice(11)).toEqual([
    '9990 more events of 10.0.0.1 within a minute, logged at level debug'
  ])
  lines.emit(sample('ConnectionRefused', { limit: 7 }))
  expect(logger.messages('warn').at(-1)).toContain('max.connections.per.ip is 7')
})

it('the number of warnings is limited for thousands of addresses', () => {
  const { logger, lines } = logging()
  for (let count = 0; count < 20_000; count++) {
    lines.emit(sample('ConnectionRefused', { remoteAddress: `2001:db8::${count.toString(16)}` }))
  }
  lines.flush()
  expect(logger.messages('warn')).toHaveLength(100 + 10 + 1)
  expect(logger.messages('warn').at(-1)).toContain('19890 more events of others')
})

it('the warnings of operations that a coordinator cannot write are limited to ten a minute for each topic', () => {
  const { logger, clock, lines } = logging()
  for (let member = 0; member < 1_000; member++) lines.emit(sample('CoordinatorWriteFailed'))
  lines.emit(sample('CoordinatorWriteFailed', { topic: '__transaction_state' }))
  expect(logger.messages('warn')).toHaveLength(11)
  clock.advance(60_000)
  expect(logger.messages('warn').at(-1)).toContain('990 more events of __consumer_offsets')
})

it('a request that creates thousands of topics has a hundred lines and the number of the others', () => {
  const { logger, lines } = logging()
  for (let count = 0; count < 5_000; count++) lines.emit(sample('TopicCreated', { topic: `t-${count}` }))
  lines.flush()
  expect(logger.messages('info')).toHaveLength(100)
  expect(logger.messages('warn')).toEqual(['4900 more events of created topics within a minute, logged at level debug'])
})

it('a missing codec is logged once a minute, each codec by itself', () => {
  const { logger, lines } = logging()
  for (const codec of ['lz4', 'lz4', 'snappy', 'snappy']) lines.emit(sample('CodecMissing', { codec }))
  expect(logger.messages('warn')).toHaveLength(2)
})

it('log lines set no alarm without a limited line, or after the flush', () => {
  const { clock, lines } = logging()
  lines.emit(sample('ProducerFenced'))
  expect(clock.pendingAlarms).toBe(0)
  lines.emit(sample('ConnectionRefused'))
  lines.flush()
  expect(clock.pendingAlarms).toBe(0)
})

it('a line whose level the logger does not take is neither built nor written', () => {
  const { logger, lines } = logging({ isLevelEnabled: (level: string) => level !== 'debug' && level !== 'info' })
  const event = sample('ProducerFenced')
  Object.defineProperty(event, 'transactionalId', { get: () => expect.unreachable('the message is built') })
  lines.emit(event)
  expect(logger.lines).toEqual([])
  expect([lines.isEnabled('ProducerFenced'), lines.isEnabled('ConnectionRefused')]).toEqual([false, true])
})

it('events above a rate limit are counted if the logger does not take debug lines', () => {
  const { logger, lines } = logging({ isLevelEnabled: (level: string) => level !== 'debug' })
  for (let limit = 1; limit <= 12; limit++) lines.emit(sample('ConnectionRefused', { limit }))
  expect(logger.lines).toHaveLength(10)
  lines.flush()
  expect(logger.messages('warn').at(-1)).toContain('2 more events of 10.0.0.1')
})
