/** Type checks of log bindings: the compiler, which also checks this file, refuses an Error under any name except err. */
import { expect, it } from 'vitest'
import type { Logger } from '../../src/runtime/logger.ts'
import { RecordingLogger } from '../../src/testing/recording-logger.ts'

it('a log line takes an error under err and under no other name', () => {
  const recorded = new RecordingLogger()
  const logger: Logger = recorded
  const error = new Error('the disk is full')
  const thrown: unknown = error
  logger.warn({ folder: 'orders-0', err: error }, 'a snapshot could not be written')
  logger.warn({ folder: 'orders-0', err: thrown }, 'a snapshot could not be written')
  // @ts-expect-error an Error under another name
  logger.warn({ folder: 'orders-0', error }, 'a snapshot could not be written')
  // @ts-expect-error a caught value, which may be an Error
  logger.warn({ folder: 'orders-0', cause: thrown }, 'a snapshot could not be written')
  const bindings = { folder: 'orders-0', reason: error }
  // @ts-expect-error bindings in a variable
  logger.warn(bindings, 'a snapshot could not be written')
  const fields: Record<string, unknown> = { folder: 'orders-0' }
  // @ts-expect-error bindings of unknown fields
  logger.warn(fields, 'a snapshot could not be written')
  // @ts-expect-error bindings of a child logger
  logger.child({ error })
  expect(recorded.lines.map(line => line.bindings)).toEqual([
    { folder: 'orders-0', err: error },
    { folder: 'orders-0', err: error },
    { folder: 'orders-0', error },
    { folder: 'orders-0', cause: error },
    bindings,
    fields
  ])
})
