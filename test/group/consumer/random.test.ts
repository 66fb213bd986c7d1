/**
 * Simulates consumer groups with random members of both protocols, which join, leave, time out, vanish, revoke slowly, lose
 * responses and change their subscriptions, while topics change, writes fail, the log is compacted and coordinators restart.
 * MINIKAFKA_CONSUMER_GROUP_SEEDS is the number of runs, MINIKAFKA_CONSUMER_GROUP_SEED repeats a single run.
 */
import { expect, test } from 'vitest'
import type { ConsumerGroup } from '../../../src/group/consumer/group.ts'
import { isReconciledTo } from '../../../src/group/modern/member.ts'
import { seeds } from '../group-simulation.ts'
import { ConsumerGroupModel } from './consumer-group-model.ts'
import type { Client } from './random-client.ts'
import { RandomConsumer } from './random-consumer.ts'

const { MINIKAFKA_CONSUMER_GROUP_SEED, MINIKAFKA_CONSUMER_GROUP_SEEDS } = process.env
const STEPS = 150
/** Rounds for all timeouts, one after the other. */
const CALM = { mostRounds: 400, calmRounds: 5, isPresent: ({ isMember }: Client) => isMember }

/** Performs a random action, by weight. */
async function happen(model: ConsumerGroupModel): Promise<void> {
  const { simulation } = model
  const client = simulation.pick(model.clients)
  const choice = simulation.random.below(100)
  if (choice < 60) await simulation.act(() => client.step())
  else if (choice < 70) await simulation.pass(simulation.random.below(1_500))
  else if (choice < 73) await simulation.pass(simulation.random.below(15_000))
  else if (choice < 78) client.vanish()
  else if (choice < 82) await simulation.act(() => client.leave())
  else if (choice < 88 && client instanceof RandomConsumer) client.wish = model.aWish()
  else if (choice < 93) model.changeTopics()
  else if (choice < 95) simulation.failOnce()
  else if (choice < 97) await simulation.act(() => model.commit())
  else {
    if (simulation.random.below(2) === 0) model.compact()
    await model.restart()
  }
}

/** Clients with the same instance id would fence each other forever: all but one vanish. */
function distinctInstances({ clients }: ConsumerGroupModel): Client[] {
  const instances = new Map(clients.map(client => [client.instanceId ?? client, client]))
  for (const client of clients) if (instances.get(client.instanceId ?? client) !== client) client.vanish()
  return [...instances.values()]
}

function expectArrived({ members, groupEpoch, assignmentEpoch, targets }: ConsumerGroup): void {
  expect(assignmentEpoch).toBe(groupEpoch)
  expect([...members.keys()]).toEqual(expect.arrayContaining([...targets.keys()]))
  for (const member of members.values()) expect(isReconciledTo(member, groupEpoch)).toBe(true)
}

async function live(seed: number): Promise<void> {
  const model = new ConsumerGroupModel(seed)
  const { simulation } = model
  for (let step = 0; step < STEPS; step++) await happen(model)
  const present = await simulation.calm(distinctInstances(model), CALM)
  const { group } = simulation
  if (group?.type === 'consumer') expectArrived(group)
  const epoch = group?.type === 'consumer' ? group.groupEpoch : group?.generationId
  for (const client of present) expect(client.epoch).toBe(epoch)
  await model.restart()
  await simulation.end()
}

test.each(seeds(MINIKAFKA_CONSUMER_GROUP_SEED, Number(MINIKAFKA_CONSUMER_GROUP_SEEDS ?? 16)))(
  'seed %i: each partition has one owner, epochs never decrease, the log is complete and rebalances end',
  { timeout: 60_000 },
  live
)
