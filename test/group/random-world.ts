/**
 * A coordinator and its clients at the mercy of chance, on a clock that chance moves. The worlds of the two protocols say
 * who lives in them and what must always hold; how time passes, writes fail and coordinators go and come is the same.
 */
import { expect } from 'vitest'
import type { GroupCoordinator, GroupSettings } from '../../src/group/coordinator.ts'
import type { Group } from '../../src/group/group.ts'
import { KafkaError } from '../../src/protocol/errors.ts'
import { nextTurn } from '../../src/runtime/pace.ts'
import type { Random } from '../../src/runtime/random.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { MemoryJournal } from '../coordinator/memory-journal.ts'
import type { ClusterTopics } from './consumer/cluster-topics.ts'
import { startedCoordinator } from './coordinator-fixture.ts'

/** Where all of them are members. */
export const GROUP = 'g'
export const DAY_MS = 86_400_000

/** A client, as far as all worlds know it. */
interface Inhabitant {
  readonly memberId: string
  /** The next thing that a client in its place does. */
  step(): Promise<void>
}

/** How long all has to be well until nothing moves any more. */
interface Calm<Client> {
  /** Enough for the longest of all timeouts, one after the other. */
  readonly mostRounds: number
  /** So many without a change, and there will be none. */
  readonly calmRounds: number
  isPresent(client: Client): boolean
}

export abstract class RandomWorld {
  readonly random: Random
  readonly settings: GroupSettings
  readonly topics: ClusterTopics
  readonly clock = new ManualClock()
  readonly journal = new MemoryJournal()
  /** Requests without an answer. */
  readonly unanswered = new Set<string>()
  #coordinator: GroupCoordinator
  #requests = 0
  #failure: unknown

  constructor(random: Random, settings: GroupSettings, topics: ClusterTopics) {
    this.random = random
    this.settings = settings
    this.topics = topics
    this.#coordinator = this.#started()
  }

  /** All that must hold at any moment. */
  protected abstract check(): void

  coordinator(): GroupCoordinator {
    return this.#coordinator
  }

  get group(): Group | undefined {
    return [...this.#coordinator.groups()].find(({ groupId }) => groupId === GROUP)
  }

  pick<T>(items: readonly T[]): T {
    return pick(this.random, items)
  }

  async awaited<T>(label: string, answer: Promise<T>): Promise<T> {
    const request = `${label} (${++this.#requests})`
    this.unanswered.add(request)
    try {
      return await answer
    } finally {
      this.unanswered.delete(request)
    }
  }

  /** Lets a client act, and everything go on that does not wait. */
  async act(acting: () => Promise<void>): Promise<void> {
    acting().catch(error => this.#fail(error))
    await this.#settle()
  }

  async pass(ms: number): Promise<void> {
    this.clock.advance(ms)
    await this.#settle()
  }

  /** The next write fails. */
  failOnce(): void {
    this.journal.failure = new KafkaError('KAFKA_STORAGE_ERROR', 'chance')
    this.journal.attempted = () => {
      this.journal.failure = undefined
    }
  }

  /** The coordinator goes away, and another one finds what was written. */
  async restart(): Promise<void> {
    this.#coordinator.stop()
    await nextTurn()
    expect([...this.unanswered]).toEqual([])
    this.#coordinator = this.#started()
    await this.#settle()
  }

  /** From now on all is well: whoever is there does what it has to, until nothing moves any more. Gives who is there. */
  async calm<C extends Inhabitant>(clients: readonly C[], calm: Calm<C>): Promise<readonly C[]> {
    this.journal.failure = undefined
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

  /** Everybody goes, without a word: the group is empty, and then forgotten. */
  async end(): Promise<void> {
    await this.pass(DAY_MS)
    expect([...this.unanswered]).toEqual([])
    expect(this.group?.state ?? 'Empty').toBe('Empty')
    await this.pass(10 * DAY_MS)
    expect(this.group).toBeUndefined()
  }

  #hasSettled(present: readonly Inhabitant[]): boolean {
    const { group } = this
    const isStable = group === undefined || group.state === 'Empty' || group.state === 'Stable'
    return isStable && String(this.#memberIds()) === String(idsOf(present))
  }

  #memberIds(): string[] {
    return [...(this.group?.members.keys() ?? [])].sort()
  }

  async #settle(): Promise<void> {
    await nextTurn()
    if (this.#failure) throw this.#failure
    this.check()
  }

  #started(): GroupCoordinator {
    const { clock, journal, random, settings, topics } = this
    return startedCoordinator({ clocks: clock, journal, random, settings, topics, failed: error => this.#fail(error) })
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

/** One seed that is to be repeated; or the first of all, as many as told. */
export function seeds(repeated: string | undefined, count: number): number[] {
  return repeated ? [Number(repeated)] : Array.from({ length: count }, (_, index) => index + 1)
}

function idsOf(clients: readonly Inhabitant[]): string[] {
  return clients.map(({ memberId }) => memberId).sort()
}
