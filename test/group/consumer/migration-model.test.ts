/**
 * One group, clients of both protocols that come, leave, crash and are restarted as the other kind, coordinators that take
 * over. No partition is ever consumed by two; when all is quiet each is consumed by one, and the group is of the kind that
 * its members want. A group is upgraded while nobody is between two assignments: what a member still has that its group has
 * lost sight of (a rebalance cut short by another) is nothing that Kafka would save from being assigned twice.
 */
import { expect, test } from 'vitest'
import { nextTurn } from '../../../src/runtime/pace.ts'
import { type Random, seededRandom } from '../../../src/runtime/random.ts'
import { ClassicClient, type Client, ConsumerClient } from './migration-clients.ts'
import { MigrationStage } from './migration-stage.ts'

const MOST_CLIENTS = 4
const QUIET_ROUNDS = 150

class World {
  readonly stage = new MigrationStage()
  readonly #random: Random
  readonly #isEager: boolean
  clients: Client[] = []
  #names = 0
  #failure: unknown

  constructor(random: Random) {
    this.#random = random
    this.#isEager = random.below(2) === 0
  }

  anyClient(): Client | undefined {
    return this.clients[this.#random.below(this.clients.length)]
  }

  come(kind: Client['kind']): void {
    if (this.clients.length === MOST_CLIENTS) return
    const { stage } = this
    const { group } = stage
    const isQuiet = group?.type !== 'classic' || group.state === 'Empty' || group.state === 'Stable'
    const isCalm = isQuiet && this.clients.every(({ isSettled }) => isSettled)
    if (kind === 'classic') this.clients.push(new ClassicClient(stage, this.#isEager))
    else if (group?.type === 'consumer' || isCalm) this.clients.push(new ConsumerClient(stage, `c${++this.#names}`))
  }

  /** It is there no more; with a word, or without. */
  async go(client: Client, says: boolean): Promise<void> {
    this.clients = this.clients.filter(other => other !== client)
    if (says) await this.settle(client.leave())
  }

  async round(): Promise<void> {
    for (const client of [...this.clients]) await this.settle(client.act())
    this.stage.clock.advance(500 + this.#random.below(2_000))
    await this.settle(Promise.resolve())
  }

  /** Lets it go on as far as it does not wait for others. */
  async settle(acting: Promise<void>): Promise<void> {
    acting.catch(error => {
      this.#failure ??= error
    })
    await nextTurn()
    if (this.#failure) throw this.#failure
    const consumed = this.clients.flatMap(({ owned }) => [...owned])
    expect(consumed.toSorted(), 'nothing is consumed by two').toEqual([...new Set(consumed)].sort())
  }

  async restart(): Promise<void> {
    const before = persistentState(this.stage)
    this.stage.restart()
    expect(persistentState(this.stage)).toEqual(before)
    await this.settle(Promise.resolve())
  }

  async step(): Promise<void> {
    const client = this.anyClient()
    const choice = this.#random.below(100)
    if (choice < 70) await this.round()
    else if (choice < 78) this.come('classic')
    else if (choice < 86) this.come('consumer')
    else if (choice < 90) await this.restart()
    else if (client && choice < 96) {
      await this.go(client, true)
      this.come(client.kind === 'classic' ? 'consumer' : 'classic')
    } else if (client) await this.go(client, false)
  }
}

/** All of a consumer group that lasts. */
function persistentState({ group }: MigrationStage): unknown {
  if (group?.type !== 'consumer') return group?.type
  const { groupEpoch, metadataHash, assignmentEpoch, assignmentTimestamp, members, targets } = group
  return { groupEpoch, metadataHash, assignmentEpoch, assignmentTimestamp, members, targets }
}

test.each(Array.from({ length: 40 }, (_, seed) => seed))('seed %i', { timeout: 60_000 }, async seed => {
  const world = new World(seededRandom(seed))
  for (let step = 0; step < 150; step++) await world.step()
  if (world.clients.length === 0) world.come('classic')
  for (let round = 0; round < QUIET_ROUNDS; round++) await world.round()
  const { group } = world.stage
  const kinds = new Set(world.clients.map(({ kind }) => kind))
  expect(group?.type).toBe(kinds.has('consumer') ? 'consumer' : 'classic')
  expect(group?.state).toBe('Stable')
  expect(group?.members.size).toBe(world.clients.length)
  expect(world.clients.flatMap(({ owned }) => [...owned]).sort()).toEqual([0, 1, 2, 3])
})
