/**
 * Groups under random members that join, leave, time out, vanish and restart, dynamic and static, of old clients and new,
 * while writes fail and the coordinator goes and comes. MINIKAFKA_GROUP_SEEDS tells how many runs, MINIKAFKA_GROUP_SEED
 * repeats one.
 */
import { expect, test } from 'vitest'
import { seeds } from '../random-world.ts'
import type { Client } from './random-client.ts'
import { World } from './random-world.ts'

const { MINIKAFKA_GROUP_SEED, MINIKAFKA_GROUP_SEEDS } = process.env
const STEPS = 150
/** Enough for the longest rebalance after the longest session, and for those to be sure that nothing moves any more. */
const CALM = { mostRounds: 2_000, calmRounds: 20, isPresent: ({ phase }: Client) => phase !== 'dead' }

/** One thing that happens, by its weight among others. */
async function happen(world: World, step: number): Promise<void> {
  const client = world.pick(world.clients)
  const choice = world.random.below(100)
  if (choice < 55) await world.act(() => client.step())
  else if (choice < 65) await world.pass(world.random.below(2_000))
  else if (choice < 70) await world.pass(world.random.below(40_000))
  else if (choice < 78) await world.act(() => client.commit(BigInt(step)))
  else if (choice < 84) client.vanish()
  else if (choice < 89) await world.act(() => client.leave())
  else if (choice < 92) await world.act(() => expel(world))
  else if (choice < 97) world.failOnce()
  else await world.restart()
}

/** An admin removes a static member; a stranger claims to be one. */
async function expel(world: World): Promise<void> {
  const memberId = world.pick(['', '', 'stranger'])
  const leaving = world
    .coordinator()
    .classic.leaveGroup('g', [{ memberId, groupInstanceId: world.pick(['A', 'B', 'C']) }])
  await world.awaited('leave', leaving)
}

async function live(seed: number): Promise<void> {
  const world = new World(seed)
  for (let step = 0; step < STEPS; step++) await happen(world, step)
  const present = await world.calm(world.clients, CALM)
  for (const { phase, generationId } of present) {
    expect([phase, generationId]).toEqual(['member', world.group?.generationId])
  }
  await world.restart()
  await world.end()
  world.offsets.clear()
  await world.restart()
}

test.each(seeds(MINIKAFKA_GROUP_SEED, Number(MINIKAFKA_GROUP_SEEDS ?? 12)))(
  'seed %i: one owner a partition, all partitions owned, generations go on, everybody is answered',
  { timeout: 60_000 },
  live
)
