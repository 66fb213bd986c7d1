/** What takes the place of older records must outlive a loss of power, or those must stay. */
import { expect, test } from 'vitest'
import { yieldToEventLoop } from '../../../src/runtime/pace.ts'
import { seededRandom } from '../../../src/runtime/random.ts'
import { HeldStorage } from '../partition-log/held-storage.ts'
import { clean, dataIn, openCompacted, put, reopenCompacted, roll } from './compacted.ts'

/** So much that no two segments become one. */
const MUCH = 'x'.repeat(250)

/** A log of two full segments, with 'a' in each; the disk is slow with the second one, and whatever is made of it. */
async function slowSecond() {
  const storage = new HeldStorage({ canLosePower: true })
  const log = openCompacted(storage)
  put(log, ['a=1', `b=${MUCH}`])
  roll(log)
  log.syncNow()
  await yieldToEventLoop()
  const second = String(log.segments.at(-1)?.baseOffset).padStart(20, '0')
  storage.hold(path => path.includes(second))
  put(log, ['a=2', `c=${MUCH}`])
  roll(log)
  return { storage, log }
}

test('a record goes only when the newer one of its key is on the disk', async () => {
  for (let seed = 0; seed < 10; seed++) {
    const { storage, log } = await slowSecond()
    clean(log).catch(() => {})
    await yieldToEventLoop()
    const left = reopenCompacted(storage.losePower(seededRandom(seed), 'any', { canLosePower: true }))
    expect(dataIn(left), `seed ${seed}`).toContainEqual(expect.stringMatching(/ a=[12]$/))
  }
})

test('a round goes on when the disk has what it needs', async () => {
  const { storage, log } = await slowSecond()
  const cleaned = clean(log)
  await storage.flow()
  await cleaned
  expect(dataIn(log).filter(text => text.includes(' a='))).toEqual([expect.stringMatching(/a=2$/)])
})
