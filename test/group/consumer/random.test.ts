/**
 * Consumer groups under random members of both protocols that join, leave, time out, vanish, are slow or deaf, and change
 * their minds, while topics come, grow and go, writes fail, the log is compacted and the coordinator goes and comes.
 * MINIKAFKA_CONSUMER_GROUP_SEEDS tells how many runs, MINIKAFKA_CONSUMER_GROUP_SEED repeats one.
 */
import { expect, test } from 'vitest'
import type { ConsumerGroup } from '../../../src/group/consumer/group.ts'
import { isReconciledTo } from '../../../src/group/consumer/member.ts'
import type { Client } from './random-client.ts'
import { RandomConsumer } from './random-consumer.ts'
import { World } from './random-world.ts'

const { MINIKAFKA_CONSUMER_GROUP_SEED, MINIKAFKA_CONSUMER_GROUP_SEEDS } = process.env
const STEPS = 150
/** Enough for the longest of all timeouts, one after the other. */
const ROUNDS = 400
const CALM_ROUNDS = 5
const ROUND_MS = 500
const SEEDS = MINIKAFKA_CONSUMER_GROUP_SEED
  ? [Number(MINIKAFKA_CONSUMER_GROUP_SEED)]
  : Array.from({ length: Number(MINIKAFKA_CONSUMER_GROUP_SEEDS ?? 16) }, (_, index) => index + 1)
const DAY_MS = 86_400_000

/** One thing that happens, by its weight among others. */
async function happen(world: World): Promise<void> {
  const client = world.pick(world.clients)
  const what = world.random.below(100)
  if (what < 60) await world.act(() => client.step())
  else if (what < 70) await world.pass(world.random.below(1_500))
  else if (what < 73) await world.pass(world.random.below(15_000))
  else if (what < 78) client.vanish()
  else if (what < 82) await world.act(() => client.leave())
  else if (what < 88 && client instanceof RandomConsumer) client.wish = world.aWish()
  else if (what < 93) world.changeTopics()
  else if (what < 95) world.failOnce()
  else if (what < 97) await world.act(() => world.commit())
  else {
    if (world.random.below(2) === 0) world.compact()
    await world.restart()
  }
}

/** From now on all is well: whoever is there does what it has to, until nothing moves any more. */
async function calm(world: World): Promise<readonly Client[]> {
  world.journal.failure = undefined
  world.isCalm = true
  const clients = onePerInstance(world)
  let present: readonly Client[] = []
  for (let round = 0, calmRounds = 0; round < ROUNDS && calmRounds < CALM_ROUNDS; round++) {
    for (const client of clients) await world.act(() => client.step())
    await world.pass(ROUND_MS)
    present = clients.filter(({ isMember }) => isMember)
    calmRounds = hasSettled(world, present) ? calmRounds + 1 : 0
  }
  return present
}

/** Two that claim the same place would drive each other out for ever: all but one go, without a word. */
function onePerInstance({ clients }: World): Client[] {
  const instances = new Map(clients.map(client => [client.instanceId ?? client, client]))
  for (const client of clients) if (instances.get(client.instanceId ?? client) !== client) client.vanish()
  return [...instances.values()]
}

function hasSettled({ group }: World, present: readonly Client[]): boolean {
  const members = [...(group?.members.keys() ?? [])].sort()
  const isStable = group === undefined || group.state === 'Empty' || group.state === 'Stable'
  return isStable && String(members) === String(present.map(({ memberId }) => memberId).sort())
}

function expectArrived({ members, groupEpoch, assignmentEpoch, targets }: ConsumerGroup): void {
  expect(assignmentEpoch).toBe(groupEpoch)
  expect([...members.keys()]).toEqual(expect.arrayContaining([...targets.keys()]))
  for (const member of members.values()) expect(isReconciledTo(member, groupEpoch)).toBe(true)
}

async function live(seed: number): Promise<void> {
  const world = new World(seed)
  for (let step = 0; step < STEPS; step++) await happen(world)
  const present = await calm(world)
  const { group } = world
  expect(group?.state ?? 'Empty').toBe(present.length > 0 ? 'Stable' : 'Empty')
  expect([...(group?.members.keys() ?? [])].sort()).toEqual(present.map(({ memberId }) => memberId).sort())
  if (group?.type === 'consumer') expectArrived(group)
  const epoch = group?.type === 'consumer' ? group.groupEpoch : group?.generationId
  for (const client of present) expect(client.epoch).toBe(epoch)
  await world.restart()
  // Everybody goes, without a word.
  await world.pass(DAY_MS)
  expect([...world.unanswered]).toEqual([])
  expect(world.group?.state ?? 'Empty').toBe('Empty')
  await world.pass(10 * DAY_MS)
  expect(world.group).toBeUndefined()
}

test.each(SEEDS)(
  'seed %i: one owner a partition, all partitions owned, epochs go on, the log tells all, and rebalances end',
  { timeout: 60_000 },
  live
)
