/**
 * Simulates a group coordinator and its clients by a seed: clients act, time passes, writes fail, coordinators restart. After
 * each step it calls `check`; the models of classic and consumer groups say what must hold.
 */
import { expect } from 'vitest'
import type { GroupCoordinator } from '../../src/group/coordinator.ts'
import type { Group } from '../../src/group/group.ts'
import { KafkaError } from '../../src/protocol/errors.ts'
import { yieldToEventLoop } from '../../src/runtime/pace.ts'
import type { Random } from '../../src/runtime/random.ts'
import type { Given } from '../config/settings-with.ts'
import type { ClusterTopics } from './consumer/cluster-topics.ts'
import { GroupCoordinatorDriver } from './group-coordinator-driver.ts'

export const DAY_MS = 86_400_000

interface GroupSimulationOptions {
  readonly random: Random
  readonly settings?: Given
  readonly topics?: ClusterTopics
  /** Checks all that must hold at any moment. */
  readonly check: () => void
}

/** A client, as far as the simulation needs it. */
interface SimulatedClient {
  readonly memberId: string
  /** The next action of a client in this state. */
  step(): Promise<void>
}

/** The end of a calm: after so many rounds without a change, and at the latest after so many rounds. */
interface Calm<Client> {
  readonly mostRounds: number
  readonly calmRounds: number
  isPresent(client: Client): boolean
}

export class GroupSimulation {
  readonly random: Random
  readonly driver: GroupCoordinatorDriver
  /** Requests without a response. */
  readonly unanswered = new Set<string>()
  /** True once no failure is simulated any more. */
  isCalm = false
  readonly #check: () => void
  #requests = 0
  #failure: unknown

  constructor({ check, ...options }: GroupSimulationOptions) {
    this.random = options.random
    this.#check = check
    this.driver = new GroupCoordinatorDriver({ ...options, failed: error => this.#fail(error) })
  }

  get coordinator(): GroupCoordinator {
    return this.driver.coordinator
  }

  get group(): Group | undefined {
    return this.driver.group
  }

  pick<T>(items: readonly T[]): T {
    return pick(this.random, items)
  }

  /** Notes that a request has no response yet. */
  async awaited<T>(request: string, response: Promise<T>): Promise<T> {
    const name = `${request} (${++this.#requests})`
    this.unanswered.add(name)
    try {
      return await response
    } finally {
      this.unanswered.delete(name)
    }
  }

  /** Lets a client act as far as it does not wait. */
  async act(acting: () => Promise<void>): Promise<void> {
    acting().catch(error => this.#fail(error))
    await this.#settle()
  }

  async pass(ms: number): Promise<void> {
    this.driver.clock.advance(ms)
    await this.#settle()
  }

  /** Makes the next write fail. */
  failOnce(): void {
    const { journal } = this.driver
    journal.failure = new KafkaError('KAFKA_STORAGE_ERROR', 'simulated')
    journal.attempted = () => {
      journal.failure = undefined
    }
  }

  /** Stops the coordinator, which answers every request; another one loads what was written. */
  async restart(): Promise<void> {
    this.driver.stop()
    await yieldToEventLoop()
    expect([...this.unanswered]).toEqual([])
    this.driver.restart()
    await this.#settle()
  }

  /** Simulates no more failures; clients act until nothing changes. Resolves with the clients that are present. */
  async calm<C extends SimulatedClient>(clients: readonly C[], calm: Calm<C>): Promise<readonly C[]> {
    this.isCalm = true
    this.driver.heal()
    let present: readonly C[] = []
    for (let round = 0, calmRounds = 0; round < calm.mostRounds && calmRounds < calm.calmRounds; round++) {
      for (const client of clients) await this.act(() => client.step())
      await this.pass(500)
      present = clients.filter(client => calm.isPresent(client))
      calmRounds = this.#hasSettled(present) ? calmRounds + 1 : 0
    }
    expect(this.group?.state ?? 'Empty').toBe(present.length > 0 ? 'Stable' : 'Empty')
    expect(this.#memberIds()).toEqual(idsOf(present))
    return present
  }

  /** All clients vanish: the group becomes empty, and is deleted later. */
  async end(): Promise<void> {
    await this.pass(DAY_MS)
    expect([...this.unanswered]).toEqual([])
    expect(this.group?.state ?? 'Empty').toBe('Empty')
    await this.pass(10 * DAY_MS)
    expect(this.group).toBeUndefined()
  }

  #hasSettled(present: readonly SimulatedClient[]): boolean {
    const { group } = this
    const isStable = group === undefined || group.state === 'Empty' || group.state === 'Stable'
    return isStable && String(this.#memberIds()) === String(idsOf(present))
  }

  #memberIds(): string[] {
    return [...(this.group?.members.keys() ?? [])].sort()
  }

  async #settle(): Promise<void> {
    await yieldToEventLoop()
    if (this.#failure) throw this.#failure
    this.#check()
  }

  #fail(error: unknown): void {
    this.#failure ??= error
  }
}

export function pick<T>(random: Random, items: readonly T[]): T {
  const item = items[random.below(items.length)]
  if (item === undefined) throw new Error('nothing to pick from')
  return item
}

/** The seed to repeat, if any; else so many seeds from 1 on. */
export function seeds(repeated: string | undefined, count: number): number[] {
  return repeated ? [Number(repeated)] : Array.from({ length: count }, (_, index) => index + 1)
}

function idsOf(clients: readonly SimulatedClient[]): string[] {
  return clients.map(({ memberId }) => memberId).sort()
}
