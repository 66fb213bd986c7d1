/**
 * Consumer groups under random members of both protocols that join, leave, time out, vanish, are slow or deaf, and change
 * their minds, while topics come, grow and go, writes fail, the log is compacted and the coordinator goes and comes.
 * MINIKAFKA_CONSUMER_GROUP_SEEDS tells how many runs, MINIKAFKA_CONSUMER_GROUP_SEED repeats one.
 */
import { expect, test } from 'vitest'
import type { ConsumerGroup } from '../../../src/group/consumer/group.ts'
import { isReconciledTo } from '../../../src/group/consumer/member.ts'
import { seeds } from '../random-world.ts'
import type { Client } from './random-client.ts'
import { RandomConsumer } from './random-consumer.ts'
import { World } from './random-world.ts'

const { MINIKAFKA_CONSUMER_GROUP_SEED, MINIKAFKA_CONSUMER_GROUP_SEEDS } = process.env
const STEPS = 150
/** Enough for the longest of all timeouts, one after the other. */
const CALM = { mostRounds: 400, calmRounds: 5, isPresent: ({ isMember }: Client) => isMember }

/** One thing that happens, by its weight among others. */
async function happen(world: World): Promise<void> {
  const client = world.pick(world.clients)
  const choice = world.random.below(100)
  if (choice < 60) await world.act(() => client.step())
  else if (choice < 70) await world.pass(world.random.below(1_500))
  else if (choice < 73) await world.pass(world.random.below(15_000))
  else if (choice < 78) client.vanish()
  else if (choice < 82) await world.act(() => client.leave())
  else if (choice < 88 && client instanceof RandomConsumer) client.wish = world.aWish()
  else if (choice < 93) world.changeTopics()
  else if (choice < 95) world.failOnce()
  else if (choice < 97) await world.act(() => world.commit())
  else {
    if (world.random.below(2) === 0) world.compact()
    await world.restart()
  }
}

/** Two that claim the same place would drive each other out for ever: all but one go, without a word. */
function distinctInstances({ clients }: World): Client[] {
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
  const world = new World(seed)
  for (let step = 0; step < STEPS; step++) await happen(world)
  world.isCalm = true
  const present = await world.calm(distinctInstances(world), CALM)
  const { group } = world
  if (group?.type === 'consumer') expectArrived(group)
  const epoch = group?.type === 'consumer' ? group.groupEpoch : group?.generationId
  for (const client of present) expect(client.epoch).toBe(epoch)
  await world.restart()
  await world.end()
}

test.each(seeds(MINIKAFKA_CONSUMER_GROUP_SEED, Number(MINIKAFKA_CONSUMER_GROUP_SEEDS ?? 16)))(
  'seed %i: one owner a partition, all partitions owned, epochs go on, the log tells all, and rebalances end',
  { timeout: 60_000 },
  live
)
