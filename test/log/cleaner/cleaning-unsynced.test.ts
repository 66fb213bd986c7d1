/** Records that replace older ones survive a loss of power, or the older ones stay. */
import { expect, test } from 'vitest'
import { yieldToEventLoop } from '../../../src/runtime/pace.ts'
import { seededRandom } from '../../../src/runtime/random.ts'
import { HeldStorage } from '../partition-log/held-storage.ts'
import { clean, dataIn, openCompacted, put, reopenCompacted, roll } from './compacted.ts'

/** A size at which no two segments are merged. */
const MUCH = 'x'.repeat(250)

/** A log of two full segments, each with key 'a'. The syncs of the second one and of its cleaned copy are slow. */
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

test('a record is removed only when the newer record of its key is synced', async () => {
  for (let seed = 0; seed < 10; seed++) {
    const { storage, log } = await slowSecond()
    clean(log).catch(() => {})
    await yieldToEventLoop()
    const left = reopenCompacted(storage.losePower(seededRandom(seed), 'any', { canLosePower: true }))
    expect(dataIn(left), `seed ${seed}`).toContainEqual(expect.stringMatching(/ a=[12]$/))
  }
})

test('a round continues when the records that it needs are synced', async () => {
  const { storage, log } = await slowSecond()
  const cleaned = clean(log)
  await storage.flow()
  await cleaned
  expect(dataIn(log).filter(text => text.includes(' a='))).toEqual([expect.stringMatching(/a=2$/)])
})
