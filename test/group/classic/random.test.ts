/**
 * Simulates classic groups with random members: dynamic and static, of old and new versions, which join, leave, time out, vanish
 * and restart while writes fail and coordinators restart. MINIKAFKA_GROUP_SEEDS is the number of runs, MINIKAFKA_GROUP_SEED
 * repeats a single run.
 */
import { expect, test } from 'vitest'
import { type GroupSimulation, seeds } from '../group-simulation.ts'
import { ClassicGroupModel } from './classic-group-model.ts'
import type { Client } from './random-client.ts'

const { MINIKAFKA_GROUP_SEED, MINIKAFKA_GROUP_SEEDS } = process.env
const STEPS = 150
/** Rounds for the longest rebalance after the longest session, and rounds without a change at the end. */
const CALM = { mostRounds: 2_000, calmRounds: 20, isPresent: ({ phase }: Client) => phase !== 'dead' }

/** Performs a random action, by weight. */
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

/** Removes a static member: as an administrator, or as a member with the wrong id. */
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
  'seed %i: each partition has one owner, generations never decrease and each request gets a response',
  { timeout: 60_000 },
  live
)
