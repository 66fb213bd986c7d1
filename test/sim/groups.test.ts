/**
 * Classic groups on a broker that crashes at every operation on its disk: acknowledged memberships, assignments and commits
 * survive, and every group continues.
 */
import { expect, test } from 'vitest'
import { verify } from '../../src/dump/checks/verify.ts'
import { textOf as lineOf } from '../../src/dump/items.ts'
import { yieldToEventLoop } from '../../src/runtime/pace.ts'
import type { Random } from '../../src/runtime/random.ts'
import type { MemoryStorage } from '../../src/storage/memory-storage.ts'
import type { HarnessOptions } from '../../src/testing/harness.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { foldersOf, options } from '../dump/folder.ts'
import { type Cause, dieEverywhere, type Life } from './death.ts'
import { GroupLedger, viewOf } from './group-ledger.ts'
import { GroupLife, SESSION_MS } from './group-life.ts'

const SYNCED = { 'log.flush.interval.messages': 1 }
const cases: { cause: Cause; config: HarnessOptions['config']; kept: 'all' | 'nothing wrong' }[] = [
  { cause: 'process death', config: {}, kept: 'all' },
  { cause: 'power loss', config: {}, kept: 'nothing wrong' },
  { cause: 'power loss', config: SYNCED, kept: 'all' },
  { cause: 'power loss without a journal of names', config: {}, kept: 'nothing wrong' },
  { cause: 'power loss without a journal of names', config: SYNCED, kept: 'all' }
]

test.each(cases)('$cause, $config: $kept', { timeout: 3_600_000 }, async ({ cause, config, kept }) => {
  const operations = await dieEverywhere(cause, {
    witness: () => new GroupLedger(),
    script: (life, ledger) => run(life, ledger, config),
    check: (left, ledger, random) => check(left, ledger, random, kept),
    share: 0.25
  })
  expect(operations).toBeGreaterThan(150)
})

const assigned = (...all: (readonly [name: string, assignment: string])[]) => new Map(all)

/** A clean restart, a kill, static members that restart, and groups that become empty, are deleted or expire. */
async function run(life: Life, ledger: GroupLedger, config: HarnessOptions['config']): Promise<void> {
  let clock = new ManualClock()
  const start = () => {
    clock = new ManualClock(clock.wall.now())
    const { storage, random } = life
    return GroupLife.start({ storage, random, clock, config: config ?? {} }, ledger, () => life.mustGoOn())
  }
  const pass = async (ms: number) => {
    for (let step = 0; step < 4; step++) {
      clock.advance(ms / 4)
      for (let turn = 0; turn < 5; turn++) await yieldToEventLoop()
    }
    life.mustGoOn()
  }

  let groups = await start()
  await groups.prepare()
  await groups.found('team', 'A')
  await groups.assign('team', 'A', assigned(['A', 'alone']))
  await groups.commit('team', 0, 1n, 'A')
  await groups.gather('team', 'B', 'c', 'A')
  await groups.assign('team', 'A', assigned(['A', 'a2'], ['B', 'b2'], ['c', 'c2']))
  await groups.commit('team', 1, 2n, 'c')
  await groups.restart('team', 'B', 'b2')
  await groups.commit('team', 1, 3n, 'B')
  await groups.found('crowd', 'd')
  await groups.assign('crowd', 'd', assigned(['d', 'all']))
  await groups.commit('crowd', 0, 10n, 'd')
  await groups.leave('crowd', 'd')
  await groups.commit('crowd', 1, 11n)
  await groups.commit('doomed', 0, 20n)
  await pass(60_000)
  await groups.stop()

  groups = await start()
  await groups.heartbeats('team')
  await groups.restart('team', 'A', 'a2')
  await groups.deleteOffset('crowd', 1)
  await groups.deleteGroup('doomed')
  await groups.commit('doomed', 1, 21n)
  await groups.gather('team', 'A', 'B', 'c')
  await groups.assign('team', 'A', assigned(['A', 'a3'], ['B', 'b3'], ['c', 'c3']))
  groups.mayEnd('crowd')
  groups.mayEnd('doomed')
  await pass(1_300_000)
  await groups.heartbeats('team')
  life.kill()

  groups = await start()
  await groups.heartbeats('team')
  await groups.expel('team', 'B')
  await groups.gather('team', 'A', 'c')
  await groups.assign('team', 'A', assigned(['A', 'a4'], ['c', 'c4']))
  await groups.commit('team', 0, 5n, 'A')
  await groups.found('crowd', 'd')
  await groups.stop()
}

/** All acknowledged state exists, the groups continue, and the files are sound. */
async function check(storage: MemoryStorage, ledger: GroupLedger, random: Random, kept: 'all' | 'nothing wrong') {
  const clock = new ManualClock(1_700_010_000_000)
  const groups = await GroupLife.start({ storage, random, clock }, ledger)
  await ledger.check(groups.harness, kept)
  await ledger.check(groups.harness, kept)
  // Members that died with the broker are fenced, and others take over.
  clock.advance(SESSION_MS)
  await yieldToEventLoop()
  if ((await groups.harness.request('Metadata', { topics: [{ name: 't' }] })).topics[0]?.errorCode !== 'NONE') {
    await groups.harness.createTopic('t', 2)
  }
  for (const groupId of ledger.groupIds) {
    expect(['Empty', 'Dead']).toContain(await viewOf(groups.harness, groupId))
    await groups.join(groupId, 'next')
    await groups.assign(groupId, 'next', new Map([['next', 'all']]))
    await groups.commit(groupId, 0, 99n, 'next')
  }
  await groups.stop()
  expect([...verify(storage, foldersOf(storage), options())].map(lineOf)).toEqual([
    expect.stringMatching(/no problems found$/)
  ])
  const again = await GroupLife.start({ storage, random, clock: new ManualClock(clock.wall.now()) }, ledger)
  for (const groupId of ledger.groupIds) expect(await viewOf(again.harness, groupId)).toBe('Stable next=all')
  await again.stop()
}
