/**
 * The logs of a directory that crash at every operation on their disk, through rolls, retention, compaction, changes of the log
 * start and restarts. A plain log is a list of batches, and a compacted log has the last value of every key.
 */

import { expect, test } from 'vitest'
import { verify } from '../../src/dump/checks/verify.ts'
import { textOf } from '../../src/dump/items.ts'
import type { LogConfig } from '../../src/log/partition-log/log-config.ts'
import { type Random, seededRandom } from '../../src/runtime/random.ts'
import type { MemoryStorage } from '../../src/storage/memory-storage.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { foldersOf, options } from '../dump/folder.ts'
import { DEFAULT_LOG_CONFIG } from '../log/default-log-config.ts'
import { type Cause, dieEverywhere, type Life } from './death.ts'
import { checkIndexes, LogDirectoryDriver } from './log-directory-driver.ts'
import { type Promised, Written } from './written.ts'

const SMALL: LogConfig = {
  ...DEFAULT_LOG_CONFIG,
  segmentBytes: 500,
  indexIntervalBytes: 100,
  fileDeleteDelayMs: 1000,
  retentionBytes: 1500,
  deleteRetentionMs: 20_000
}
const STEPS = 60

interface Logs {
  readonly plain: Written
  readonly keyed: Written
}

interface Case {
  readonly cause: Cause
  readonly flushMessages: number
  readonly promise: Promised
  /** True if new segments are preallocated. */
  readonly preallocate?: boolean
}

const cases: Case[] = [
  { cause: 'process death', flushMessages: DEFAULT_LOG_CONFIG.flushMessages, promise: 'all' },
  { cause: 'power loss', flushMessages: DEFAULT_LOG_CONFIG.flushMessages, promise: 'a prefix' },
  { cause: 'power loss', flushMessages: 1, promise: 'all' },
  { cause: 'power loss without a journal of names', flushMessages: 1, promise: 'all' },
  { cause: 'power loss without a journal of names', flushMessages: 5, promise: 'nothing wrong' },
  { cause: 'process death', flushMessages: DEFAULT_LOG_CONFIG.flushMessages, promise: 'all', preallocate: true },
  { cause: 'power loss', flushMessages: 1, promise: 'all', preallocate: true }
]

test.each(cases)(
  '$cause, flush.messages $flushMessages, preallocate $preallocate: $promise',
  { timeout: 600_000 },
  async given => {
    const config = { ...SMALL, flushMessages: given.flushMessages, preallocate: given.preallocate ?? false }
    const operations = await dieEverywhere(given.cause, {
      witness: (): Logs => ({ plain: new Written('plain'), keyed: new Written('keyed') }),
      script: (life, logs) => script(life, logs, config),
      check: (left, logs, random) => check(left, logs, random, config, given.promise)
    })
    expect(operations).toBeGreaterThan(300)
  }
)

/** The same steps for every crash. */
async function script(life: Life, logs: Logs, config: LogConfig): Promise<void> {
  const random = seededRandom(11)
  let clock = new ManualClock()
  const open = () =>
    LogDirectoryDriver.open({ storage: life.storage, random: life.random, clocks: clock, config }, () =>
      life.mustGoOn()
    )
  let driver = await open()
  for (let step = 0; step < STEPS; step++) {
    clock.advance(500)
    life.mustGoOn()
    const choice = random.below(100)
    if (choice < 34) await driver.append(logs.plain, random)
    else if (choice < 72) await driver.append(logs.keyed, random)
    else if (choice < 76) driver.moveStart(logs.plain, random)
    else if (choice < 80) driver.retain(logs.plain)
    else if (choice < 91) await driver.compact(logs.keyed)
    else if (choice < 93) driver.checkpoint()
    else {
      if (choice < 97) await driver.close()
      else life.kill()
      // Timers of the previous process do not fire.
      clock = new ManualClock(clock.wall.now())
      driver = await open()
    }
  }
  await driver.close()
}

async function check(
  storage: MemoryStorage,
  { plain, keyed }: Logs,
  random: Random,
  config: LogConfig,
  promise: Promised
): Promise<void> {
  const clock = new ManualClock()
  clock.stepWall(STEPS * 500)
  const open = () => LogDirectoryDriver.open({ storage, random, clocks: clock, config })
  const driver = await open()
  driver.checkList(plain, promise)
  driver.checkMap(keyed, promise)
  const ends = { plain: driver.end(plain), keyed: driver.end(keyed) }
  for (const log of [plain, keyed]) {
    log.continueAt(driver.end(log))
    for (let more = 0; more < 6; more++) await driver.append(log, random)
  }
  await driver.compact(keyed)
  driver.retain(plain)
  await driver.close()
  expect([...verify(storage, foldersOf(storage), options())].map(textOf)).toEqual([
    expect.stringMatching(/no problems found$/)
  ])
  checkIndexes(storage, 'plain-0', ends.plain, config.indexIntervalBytes)
  checkIndexes(storage, 'keyed-0', ends.keyed, config.indexIntervalBytes)
  const again = await open()
  again.checkList(plain, 'all')
  again.checkMap(keyed, 'all')
  await again.close()
}
