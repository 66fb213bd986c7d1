/**
 * Exactly once after any crash: a broker with two transactional producers, which copy from the input of a group to two
 * partitions, crashes at every operation on its disk and at random moments during syncs.
 */
import { expect, test } from 'vitest'
import { yieldToEventLoop } from '../../src/runtime/pace.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import type { HarnessOptions } from '../../src/testing/harness.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { Refused } from '../broker/transactional.ts'
import { HeldStorage } from '../log/partition-log/held-storage.ts'
import { type Cause, dieEverywhere, type Life } from './death.ts'
import { type Copier, CopyApplication, checkExactlyOnce, Ledger, TOTAL } from './exactly-once.ts'

const SYNCED = { 'log.flush.interval.messages': 1 }
const cases: { cause: Cause; config: HarnessOptions['config'] }[] = [
  { cause: 'process death', config: {} },
  { cause: 'power loss', config: SYNCED },
  { cause: 'power loss without a journal of names', config: SYNCED }
]

const SHARE = 0.25

test.each(cases)(
  '$cause, $config: every transaction counts once',
  { timeout: 3_600_000 },
  async ({ cause, config }) => {
    const operations = await dieEverywhere(cause, {
      witness: () => new Ledger(),
      script: (life, ledger) => run(life, ledger, config),
      check: checkExactlyOnce,
      share: SHARE
    })
    expect(operations).toBeGreaterThan(200)
  }
)

/** A fenced instance, a clean restart, a transaction timeout, a kill, and compaction of the coordinators' topics. */
async function run(life: Life, ledger: Ledger, config: HarnessOptions['config']): Promise<void> {
  let clock = new ManualClock()
  const start = async () => {
    const { storage, random } = life
    clock = new ManualClock(clock.wall.now())
    const application = await CopyApplication.start({ storage, random, clock, config: config ?? {} }, ledger, () =>
      life.mustGoOn()
    )
    for (const copier of application.copiers) await copier.begin()
    return application
  }
  let application = await start()
  await application.shrink()
  await application.copy(2)
  for (const copier of application.copiers) await leaveOpen(copier)
  for (const copier of application.copiers) await copier.begin()
  await application.copy(3)
  await application.pass(60_000)
  for (const copier of application.copiers) await leaveOpen(copier)
  await application.harness.stop()
  life.mustGoOn()

  application = await start()
  for (const copier of application.copiers) await leaveOpen(copier)
  await application.pass(80_000)
  for (const copier of application.copiers) {
    await copier.checkFenced()
    await copier.begin()
  }
  await application.copy(4)
  for (const copier of application.copiers) await leaveOpen(copier)
  life.kill()

  application = await start()
  await application.copy(5)
  await application.harness.stop()
}

/** All steps except the end of a transaction. */
async function leaveOpen(copier: Copier): Promise<void> {
  for (const step of [...copier.transaction()].slice(0, -1)) await step()
}

const SEEDS = Math.ceil(60 * Number(process.env.MINIKAFKA_CRASH_ROUNDS ?? 0.1))
const TURNS = 300

test.each(Array.from({ length: SEEDS }, (_, seed) => seed))(
  'every transaction counts once after a power failure during concurrent copies on a busy disk (seed %i)',
  { timeout: 60_000 },
  async seed => {
    const random = seededRandom(seed)
    const storage = new HeldStorage({ canLosePower: true })
    storage.hasSynced = () => random.below(2) === 0
    const ledger = new Ledger()
    let isDead = false
    const heard = () => {
      if (isDead) throw new Refused('everything', 'the process is dead')
    }
    const application = await CopyApplication.start({ storage, random, config: SYNCED }, ledger, heard)
    storage.hold()
    const copying = Promise.allSettled(application.copiers.map(copier => copyAlone(copier)))
    for (let turn = random.below(TURNS); turn > 0; turn--) {
      if (random.below(3) > 0) await storage.release()
      else await yieldToEventLoop()
    }
    isDead = true
    const left = storage.losePower(random, 'any', { canLosePower: true })
    await storage.flow()
    for (const result of await copying) {
      if (result.status === 'rejected' && !(result.reason instanceof Refused)) throw result.reason
    }
    await checkExactlyOnce(left, ledger, random)
  }
)

async function copyAlone(copier: Copier): Promise<void> {
  await copier.begin()
  while (copier.next < TOTAL) for (const step of copier.transaction()) await step()
}
