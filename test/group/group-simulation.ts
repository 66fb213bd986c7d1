/**
 * Simulates a group coordinator and its clients by a seed: clients act, time passes, writes fail, coordinators restart. The
 * simulation calls `check` after each step; the models of classic and consumer groups check the invariants.
 */
import { expect } from 'vitest'
import type { GroupCoordinator } from '../../src/group/coordinator.ts'
import type { ServedGroup } from '../../src/group/state.ts'
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
  /** Checks the invariants that hold at any moment. */
  readonly check: () => void
}

/** The part of a client that the simulation needs. */
interface SimulatedClient {
  readonly memberId: string
  /** Performs the next action of the client in its current state. */
  step(): Promise<void>
}

/** The end of a calm phase: after `calmRounds` rounds without a change, at most after `mostRounds` rounds. */
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
  /** True once failures are no longer simulated. */
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

  get group(): ServedGroup | undefined {
    return this.driver.group
  }

  pick<T>(items: readonly T[]): T {
    return pick(this.random, items)
  }

  /** Tracks a request until its response. */
  async awaited<T>(request: string, response: Promise<T>): Promise<T> {
    const name = `${request} (${++this.#requests})`
    this.unanswered.add(name)
    try {
      return await response
    } finally {
      this.unanswered.delete(name)
    }
  }

  /** Starts an action of a client and lets it run until it waits for a response. */
  async act(acting: () => Promise<void>): Promise<void> {
    acting().catch(error => this.#fail(error))
    await this.#settle()
  }

  async pass(ms: number): Promise<void> {
    this.driver.clock.advance(ms)
    await this.#settle()
  }

  /** Makes the next append fail. */
  failOnce(): void {
    const { journal } = this.driver
    journal.failure = new KafkaError('KAFKA_STORAGE_ERROR', 'simulated')
    journal.attempted = () => {
      journal.failure = undefined
    }
  }

  /** Stops the coordinator, which answers every request, and starts another one on the same journal. */
  async restart(): Promise<void> {
    this.driver.stop()
    await yieldToEventLoop()
    expect([...this.unanswered]).toEqual([])
    this.driver.restart()
    await this.#settle()
  }

  /** Stops the failures; clients act until nothing changes. Resolves with the present clients. */
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

  /** Lets all sessions end and all offsets expire: the group becomes empty and is deleted. */
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

/** The seed to repeat, if given; else the seeds from 1 to `count`. */
export function seeds(repeated: string | undefined, count: number): number[] {
  return repeated ? [Number(repeated)] : Array.from({ length: count }, (_, index) => index + 1)
}

function idsOf(clients: readonly SimulatedClient[]): string[] {
  return clients.map(({ memberId }) => memberId).sort()
}
