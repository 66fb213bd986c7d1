/**
 * Groups under random members that join, leave, time out, vanish and restart, dynamic and static, of old clients and new,
 * while writes fail and the coordinator goes and comes. MINIKAFKA_GROUP_SEEDS tells how many runs, MINIKAFKA_GROUP_SEED
 * repeats one.
 */
import { expect, test } from 'vitest'
import { type GroupSimulation, seeds } from '../group-simulation.ts'
import { ClassicGroupModel } from './classic-group-model.ts'
import type { Client } from './random-client.ts'

const { MINIKAFKA_GROUP_SEED, MINIKAFKA_GROUP_SEEDS } = process.env
const STEPS = 150
/** Enough for the longest rebalance after the longest session, and for those to be sure that nothing moves any more. */
const CALM = { mostRounds: 2_000, calmRounds: 20, isPresent: ({ phase }: Client) => phase !== 'dead' }

/** One thing that happens, by its weight among others. */
async function happen(model: ClassicGroupModel, step: number): Promise<void> {
  const { simulation } = model
  const client = simulation.pick(model.clients)
  const choice = simulation.random.below(100)
  if (choice < 55) await simulation.act(() => client.step())
  else if (choice < 65) await simulation.pass(simulation.random.below(2_000))
  else if (choice < 70) await simulation.pass(simulation.random.below(40_000))
  else if (choice < 78) await simulation.act(() => client.commit(BigInt(step)))
  else if (choice < 84) client.vanish()
  else if (choice < 89) await simulation.act(() => client.leave())
  else if (choice < 92) await simulation.act(() => expel(simulation))
  else if (choice < 97) simulation.failOnce()
  else await model.restart()
}

/** An admin removes a static member; a stranger claims to be one. */
async function expel(simulation: GroupSimulation): Promise<void> {
  const memberId = simulation.pick(['', '', 'stranger'])
  const leaving = simulation.coordinator.classic.leaveGroup('g', [
    { memberId, groupInstanceId: simulation.pick(['A', 'B', 'C']) }
  ])
  await simulation.awaited('leave', leaving)
}

async function live(seed: number): Promise<void> {
  const model = new ClassicGroupModel(seed)
  const { simulation } = model
  for (let step = 0; step < STEPS; step++) await happen(model, step)
  const present = await simulation.calm(model.clients, CALM)
  for (const { phase, generationId } of present) {
    expect([phase, generationId]).toEqual(['member', model.group?.generationId])
  }
  await model.restart()
  await simulation.end()
  model.offsets.clear()
  await model.restart()
}

test.each(seeds(MINIKAFKA_GROUP_SEED, Number(MINIKAFKA_GROUP_SEEDS ?? 12)))(
  'seed %i: one owner a partition, all partitions owned, generations go on, everybody is answered',
  { timeout: 60_000 },
  live
)
