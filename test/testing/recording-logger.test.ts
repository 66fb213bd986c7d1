import { expect, it } from 'vitest'
import { RecordingLogger } from '../../src/testing/recording-logger.ts'

it('RecordingLogger keeps level, bindings and message of each line in order', () => {
  const logger = new RecordingLogger()
  logger.warn({ folder: 't-0' }, 'a log is damaged')
  logger.debug({}, 'request')
  logger.error({ err: 'the device is gone' }, 'a log is offline')
  expect(logger.lines).toEqual([
    { level: 'warn', bindings: { folder: 't-0' }, message: 'a log is damaged' },
    { level: 'debug', bindings: {}, message: 'request' },
    { level: 'error', bindings: { err: 'the device is gone' }, message: 'a log is offline' }
  ])
})

it('RecordingLogger records the lines of its children with the bindings of both', () => {
  const logger = new RecordingLogger()
  logger.child({ api: 'Fetch' }).child({ peer: 'a' }).info({ offset: 3n }, 'fetched')
  expect(logger.lines).toEqual([
    { level: 'info', bindings: { api: 'Fetch', peer: 'a', offset: 3n }, message: 'fetched' }
  ])
})

it('RecordingLogger finds messages by level and lines by text, and gives each line once to take', () => {
  const logger = new RecordingLogger()
  logger.info({}, 'a log was compacted')
  logger.warn({}, 'a log cannot be compacted')
  logger.debug({}, 'request')
  expect(logger.messages()).toHaveLength(3)
  expect(logger.messages('warn')).toEqual(['a log cannot be compacted'])
  expect(logger.linesWith('compact').map(({ level }) => level)).toEqual(['info', 'warn'])
  expect(logger.take()).toHaveLength(3)
  expect(logger.lines).toEqual([])
})
