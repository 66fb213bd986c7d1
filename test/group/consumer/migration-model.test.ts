/**
 * One group whose clients join, leave, crash and restart with the other protocol, while coordinators restart. No partition ever
 * has two consumers; at the end each partition has one, and the group is of the type that its members need. A consumer client
 * joins a classic group only while no rebalance is in progress: in Kafka too, partitions that a member keeps from an interrupted
 * rebalance may be assigned twice.
 */
import { expect, test } from 'vitest'
import { type Random, seededRandom } from '../../../src/runtime/random.ts'
import type { GroupCoordinatorDriver } from '../group-coordinator-driver.ts'
import { GroupSimulation } from '../group-simulation.ts'
import { ClassicClient, type Client, ConsumerClient } from './migration-clients.ts'

const MOST_CLIENTS = 4
const QUIET_ROUNDS = 150

class MigrationModel {
  readonly simulation: GroupSimulation
  clients: Client[] = []
  readonly #random: Random
  readonly #isEager: boolean
  #names = 0

  constructor(random: Random) {
    this.#random = random
    this.#isEager = random.below(2) === 0
    this.simulation = new GroupSimulation({ random, check: () => this.#check() })
  }

  get driver(): GroupCoordinatorDriver {
    return this.simulation.driver
  }

  #check(): void {
    const consumed = this.clients.flatMap(({ owned }) => [...owned])
    expect(consumed.toSorted(), 'nothing is consumed by two').toEqual([...new Set(consumed)].sort())
  }

  anyClient(): Client | undefined {
    return this.clients[this.#random.below(this.clients.length)]
  }

  come(kind: Client['kind']): void {
    if (this.clients.length === MOST_CLIENTS) return
    const { driver } = this
    const { group } = driver
    const isQuiet = group?.type !== 'classic' || group.state === 'Empty' || group.state === 'Stable'
    const isCalm = isQuiet && this.clients.every(({ isSettled }) => isSettled)
    if (kind === 'classic') this.clients.push(new ClassicClient(driver, this.#isEager))
    else if (group?.type === 'consumer' || isCalm) this.clients.push(new ConsumerClient(driver, `c${++this.#names}`))
  }

  /** Removes a client, which leaves the group or crashes. */
  async go(client: Client, end: 'leaves' | 'crashes'): Promise<void> {
    this.clients = this.clients.filter(other => other !== client)
    if (end === 'leaves') await this.simulation.act(() => client.leave())
  }

  async round(): Promise<void> {
    for (const client of [...this.clients]) await this.simulation.act(() => client.act())
    await this.simulation.pass(500 + this.#random.below(2_000))
  }

  async restart(): Promise<void> {
    const before = persistentState(this.driver)
    await this.simulation.restart()
    expect(persistentState(this.driver)).toEqual(before)
  }

  async step(): Promise<void> {
    const client = this.anyClient()
    const choice = this.#random.below(100)
    if (choice < 70) await this.round()
    else if (choice < 78) this.come('classic')
    else if (choice < 86) this.come('consumer')
    else if (choice < 90) await this.restart()
    else if (client && choice < 96) {
      await this.go(client, 'leaves')
      this.come(client.kind === 'classic' ? 'consumer' : 'classic')
    } else if (client) await this.go(client, 'crashes')
  }
}

/** The persistent state of a consumer group. */
function persistentState({ group }: GroupCoordinatorDriver): unknown {
  if (group?.type !== 'consumer') return group?.type
  const { groupEpoch, metadataHash, assignmentEpoch, assignmentTimestamp, members, targets } = group
  return { groupEpoch, metadataHash, assignmentEpoch, assignmentTimestamp, members, targets }
}

test.each(Array.from({ length: 40 }, (_, seed) => seed))(
  'seed %i: no partition has two consumers during upgrades and downgrades, and the group becomes stable',
  { timeout: 60_000 },
  async seed => {
    const model = new MigrationModel(seededRandom(seed))
    for (let step = 0; step < 150; step++) await model.step()
    if (model.clients.length === 0) model.come('classic')
    for (let round = 0; round < QUIET_ROUNDS; round++) await model.round()
    const { group } = model.driver
    const kinds = new Set(model.clients.map(({ kind }) => kind))
    expect(group?.type).toBe(kinds.has('consumer') ? 'consumer' : 'classic')
    expect(group?.state).toBe('Stable')
    expect(group?.members.size).toBe(model.clients.length)
    expect(model.clients.flatMap(({ owned }) => [...owned]).sort()).toEqual([0, 1, 2, 3])
  }
)
