import { expect, it } from 'vitest'
import { Warnings } from '../../src/net/warnings.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { RecordingLogger } from '../../src/testing/recording-logger.ts'

function limitedWarnings() {
  const logger = new RecordingLogger()
  const clock = new ManualClock()
  const warnings = new Warnings(clock.loop, logger)
  return { logger, clock, warnings }
}

it('the warnings of an address are limited to ten per minute, then counted', () => {
  const { logger, clock, warnings } = limitedWarnings()
  for (let count = 1; count <= 10_000; count++) warnings.warn('10.0.0.1', {}, `mistake ${count}`)
  warnings.warn('10.0.0.2', {}, 'another')
  expect(logger.messages('warn')).toEqual([
    ...Array.from({ length: 10 }, (_, index) => `mistake ${index + 1}`),
    'another'
  ])
  clock.advance(60_000)
  expect(logger.messages('warn').slice(11)).toEqual([
    expect.stringMatching(/^9990 more warnings about 10\.0\.0\.1 within a minute/)
  ])
  warnings.warn('10.0.0.1', {}, 'again')
  expect(logger.messages('warn').at(-1)).toBe('again')
})

it('the number of warnings is limited for thousands of addresses', () => {
  const { logger, warnings } = limitedWarnings()
  for (let count = 0; count < 20_000; count++) warnings.warn(`2001:db8::${count.toString(16)}`, {}, 'mistake')
  warnings.flush()
  expect(logger.messages('warn')).toHaveLength(100 + 10 + 1)
  expect(logger.messages('warn').at(-1)).toContain('19890 more warnings about other addresses')
})

it('the warnings schedule no work without a warning, or after the flush', () => {
  const { clock, warnings } = limitedWarnings()
  expect(clock.pendingAlarms).toBe(0)
  warnings.warn('10.0.0.1', {}, 'mistake')
  warnings.flush()
  expect(clock.pendingAlarms).toBe(0)
})
