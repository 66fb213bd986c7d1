/** The type of log bindings: an error under `error` is refused by the compiler, which checks this file too. */
import { expect, it } from 'vitest'
import { RecordingLogger } from '../../src/testing/recording-logger.ts'

it('a log line takes an error under err and under no other name that pino would drop', () => {
  const logger = new RecordingLogger()
  const error = new Error('the disk is full')
  logger.warn({ folder: 'orders-0', err: error }, 'a snapshot could not be written')
  // @ts-expect-error an error goes under err
  logger.warn({ folder: 'orders-0', error }, 'a snapshot could not be written')
  const bindings = { folder: 'orders-0', error }
  // @ts-expect-error also where the bindings have a name
  logger.warn(bindings, 'a snapshot could not be written')
  // @ts-expect-error and in the bindings of all lines of a logger
  logger.child({ error })
  expect(logger.lines.map(line => line.bindings)).toEqual([{ folder: 'orders-0', err: error }, bindings, bindings])
})
