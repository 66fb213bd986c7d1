import { expect, test } from 'vitest'
import { recoveryBar } from '../../../src/cli/commands/start.ts'
import { emittedProgress, progressBar, progressText } from '../../../src/log/recovery/recovery-progress.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { RecordingEvents } from '../../../src/testing/recording-events.ts'

const HALF = { partitions: 3, partitionsTotal: 12, bytes: 600 * 2 ** 20, bytesTotal: 1200 * 2 ** 20 }

test.each([
  [HALF, '50% of 1.2 GiB, 3 of 12 partitions'],
  [{ ...HALF, bytes: 0, bytesTotal: 900 }, '0% of 900 bytes, 3 of 12 partitions'],
  [{ ...HALF, bytes: 0, bytesTotal: 0 }, '25% of 0 bytes, 3 of 12 partitions'],
  [{ partitions: 0, partitionsTotal: 0, bytes: 0, bytesTotal: 0 }, '100% of 0 bytes, 0 of 0 partitions'],
  // Files may have grown since they were counted.
  [{ ...HALF, bytes: 9999, bytesTotal: 1024 }, '100% of 1.0 KiB, 3 of 12 partitions'],
  [{ ...HALF, bytes: 999, bytesTotal: 1000 }, '99% of 1000 bytes, 3 of 12 partitions']
])('progress %j is shown as %s', (progress, text) => {
  expect(progressText(progress)).toBe(text)
})

test('a progress bar fits into its terminal', () => {
  expect(progressBar(HALF, 100)).toBe('recovering [###############...............] 50% of 1.2 GiB, 3 of 12 partitions')
  expect(progressBar(HALF, 40)).toBe('recovering [###############............')
  expect(progressBar(HALF, 0)).toBe('')
})

test('a terminal gets a progress bar on each change, and is cleared at the end', () => {
  const written: string[] = []
  const draw = recoveryBar({ columns: 60, write: text => written.push(text) })
  for (const bytes of [100, 101, 500, 900]) draw({ partitions: 0, partitionsTotal: 1, bytes, bytesTotal: 1000 })
  draw({ partitions: 1, partitionsTotal: 1, bytes: 1000, bytesTotal: 1000 })
  expect(written.map(text => /\d+%/.exec(text)?.[0])).toEqual(['10%', '50%', '90%', undefined])
  expect(written.at(-1)).toBe('\x1b[2K\r')
})

test('a recovery emits its progress every few seconds, and a short recovery emits none', () => {
  const clock = new ManualClock()
  const events = new RecordingEvents()
  const progressed = emittedProgress(events, clock.loop)
  progressed(HALF)
  expect(events.all).toEqual([])
  for (let second = 0; second < 12; second++) {
    clock.advance(1000)
    progressed(HALF)
  }
  expect(events.all).toEqual(Array(2).fill({ type: 'RecoveryProgressed', ...HALF }))
})
