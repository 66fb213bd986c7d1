/** A whole broker that crashes at every operation on its disk. The next broker starts and keeps all acknowledged changes. */
import { expect, test } from 'vitest'
import { verify } from '../../src/dump/checks/verify.ts'
import { textOf } from '../../src/dump/items.ts'
import type { Random } from '../../src/runtime/random.ts'
import type { MemoryStorage } from '../../src/storage/memory-storage.ts'
import type { HarnessOptions } from '../../src/testing/harness.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { foldersOf, options } from '../dump/folder.ts'
import { Client } from './client.ts'
import { type Cause, dieEverywhere } from './death.ts'
import { Promises, type Sent, SOME_ID } from './promises.ts'
import { Scenario } from './scenario.ts'

/** The clock of the next broker is later. */
const LATER_MS = 1_700_000_600_000

/** The remaining records of a log: all acknowledged ones, a prefix, or some at their offsets. */
type Kept = 'all' | 'a prefix' | 'some'

interface Case {
  readonly cause: Cause
  readonly config: HarnessOptions['config']
  readonly kept: Kept
}

const SYNCED = { 'log.flush.interval.messages': 1 }
const cases: Case[] = [
  { cause: 'process death', config: {}, kept: 'all' },
  { cause: 'power loss', config: {}, kept: 'a prefix' },
  { cause: 'power loss', config: SYNCED, kept: 'all' },
  { cause: 'power loss without a journal of names', config: {}, kept: 'some' },
  { cause: 'power loss without a journal of names', config: SYNCED, kept: 'all' }
]

test.each(cases)('$cause, $config: $kept of the records', { timeout: 600_000 }, async ({ cause, config, kept }) => {
  const operations = await dieEverywhere(cause, {
    witness: () => new Promises(),
    script: (life, promises) => new Scenario(life, promises, config).run(),
    check: (left, promises, random) => check(left, promises, random, kept)
  })
  expect(operations).toBeGreaterThan(300)
})

/** All acknowledged changes exist, the broker continues from them, and its files are sound after a clean stop. */
async function check(storage: MemoryStorage, promises: Promises, random: Random, kept: Kept): Promise<void> {
  const start = () => Client.start({ storage, random, clock: new ManualClock(LATER_MS) }, promises)
  const client = await start()
  const live = await checkTopics(client, promises)
  for (const sent of live) await checkSent(client, sent, kept)
  if (live.some(({ topic }) => topic === 'orders')) await checkOrders(client, promises, kept)
  await client.newProducer()
  const before = await Promise.all(live.map(sent => client.read(sent)))
  await client.stop()
  expect([...verify(storage, foldersOf(storage), options())].map(textOf)).toEqual([
    expect.stringMatching(/no problems found$/)
  ])
  const again = await start()
  expect(await Promise.all(live.map(sent => again.read(sent)))).toEqual(before)
  await again.stop()
}

/** Returns the logs that must still exist. */
async function checkTopics(client: Client, promises: Promises): Promise<Sent[]> {
  const ids: (string | null)[] = []
  for (const [name, { possible, asked }] of promises.topics) {
    const found = await client.topicId(name)
    ids.push(found)
    if (found !== null && possible.includes(SOME_ID) && !asked.includes(found)) continue
    expect(possible, `the id of ${name}`).toContain(found)
  }
  return promises.sent.filter(({ topicId }) => ids.includes(topicId))
}

async function checkSent(client: Client, sent: Sent, kept: Kept): Promise<void> {
  const { start, records } = await client.read(sent)
  const end = Number((records.at(-1)?.offset ?? start - 1n) + 1n)
  for (const { offset, value } of records) expect(value).toBe(sent.values[Number(offset)])
  if (kept === 'all') expect(end).toBeGreaterThanOrEqual(sent.acknowledged)
  if (kept !== 'some') {
    // The log start is at the requested offset or before it: a crash can precede its checkpoint, but files are deleted after it.
    if (!sent.isShort) expect(start).toBeLessThanOrEqual(sent.logStart.asked.at(-1) ?? 0n)
    expect(records, 'no offset is missing').toHaveLength(end - Number(start))
  }
  if (kept === 'some') await client.send(sent, end)
  else await checkRetries(client, sent, end)
  expect((await client.read(sent)).records).toHaveLength(records.length + 1)
}

/** Retries of the last batches are recognised, and lost or new batches are appended. */
async function checkRetries(client: Client, sent: Sent, end: number): Promise<void> {
  for (let sequence = Math.max(0, end - 5); sequence < end - 1; sequence++) {
    const { errorCode, baseOffset } = await client.trySend(sent, sequence)
    // As in Kafka, a snapshot has only the last batch of a producer: an older one is refused, and never duplicated.
    if (errorCode === 'NONE') expect(baseOffset).toBe(BigInt(sequence))
    else expect(errorCode).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER')
  }
  for (let sequence = Math.max(0, end - 1); sequence <= end; sequence++) {
    expect(await client.send(sent, sequence), `the offset of sequence ${sequence}`).toBe(BigInt(sequence))
  }
}

async function checkOrders(client: Client, { committed, retentionMs }: Promises, kept: Kept): Promise<void> {
  expect(kept === 'all' ? committed.possible : committed.asked).toContain(await client.committed('orders'))
  expect(retentionMs.possible).toContain(await client.retention('orders'))
}
