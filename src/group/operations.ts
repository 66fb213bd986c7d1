/**
 * Runs the operations of groups on their shards: commits their records and effects, completes delayed responses, and resolves
 * regular expressions afterwards.
 */
import type { Settings } from '../config/settings.ts'
import { CoordinatorRuntime, type RuntimeWorld } from '../coordinator/runtime.ts'
import type { Shard } from '../coordinator/shard.ts'
import { NO_MEMBER, type Timer } from '../coordinator/timers.ts'
import { KafkaError } from '../protocol/errors.ts'
import { type Deferred, deferred } from '../runtime/deferred.ts'
import { readClocks } from '../runtime/time.ts'
import { ClassicGroup } from './classic/group.ts'
import { expire, unload } from './classic/membership.ts'
import { CLASSIC_GROUP_ROWS, ClassicOperation, type GroupLimits } from './classic/operation.ts'
import { expire as expireConsumer } from './consumer/downgrade.ts'
import { ConsumerGroup } from './consumer/group.ts'
import { ConsumerOperation } from './consumer/operation.ts'
import { regexesResolved } from './consumer/subscription.ts'
import {
  type DelayedResponse,
  GroupEffects,
  type GroupTimer,
  type JoinGroupResult,
  type SyncGroupResult
} from './effects.ts'
import type { Touch } from './group.ts'
import { RegexResolution } from './modern/regexes.ts'
import type { GroupTopics } from './modern/topics.ts'
import { decodeRecord, encodeRecord, type GroupRecord } from './records.ts'
import { GroupState, type ServedGroup } from './state.ts'

/** One partition of `__consumer_offsets`. */
export type GroupShard = Shard<GroupState, GroupRecord, GroupTimer>

export interface GroupWorld extends RuntimeWorld {
  readonly settings: Settings
  readonly topics: GroupTopics
}

export class GroupOperations {
  readonly delayedResponses = new DelayedResponses()
  readonly runtime: CoordinatorRuntime<GroupState, GroupRecord, GroupTimer>
  readonly #world: GroupWorld
  readonly #classicLimits: GroupLimits
  readonly #regexes: RegexResolution

  constructor(world: GroupWorld) {
    this.#world = world
    this.#classicLimits = world.settings.view(CLASSIC_GROUP_ROWS)
    this.#regexes = new RegexResolution(world)
    this.runtime = new CoordinatorRuntime<GroupState, GroupRecord, GroupTimer>(world, {
      timersName: 'timers of groups',
      format: { encode: encodeRecord, decode: decodeRecord },
      newState: timers => new GroupState(timers),
      loaded: shard => this.#loaded(shard),
      unloading: shard => this.#unloading(shard),
      expired: (shard, timer) => this.#expired(shard, timer)
    })
  }

  /**
   * As CoordinatorRuntime.request, for requests of members. As in Kafka, commits and fetches may use the empty group id; requests
   * of members get INVALID_GROUP_ID.
   */
  memberRequest<T>(
    groupId: string,
    operation: (shard: GroupShard) => T | Promise<T>,
    failed: (error: KafkaError) => T,
    check?: () => void
  ): Promise<T> {
    return this.runtime.request(groupId, operation, failed, () => {
      if (groupId === '') throw new KafkaError('INVALID_GROUP_ID', 'the group id is empty')
      check?.()
    })
  }

  /**
   * Runs one operation of a classic group. Throws as Shard.commit. `before` has the tombstones of a consumer group that the classic
   * group replaces.
   */
  runClassic<T>(
    shard: GroupShard,
    group: ClassicGroup,
    act: (operation: ClassicOperation) => T,
    before: readonly GroupRecord[] = []
  ): T {
    const operation = this.#classicOperation(group)
    const reply = act(operation)
    const { records, ...result } = operation.result()
    this.#commit(shard, { ...result, records: [...before, ...records] })
    return reply
  }

  /** Runs one operation of a consumer group, which may convert it to a classic group. Throws as Shard.commit. */
  runConsumer<T>(shard: GroupShard, group: ConsumerGroup, act: (operation: ConsumerOperation) => T): T {
    const { clocks, topics, settings } = this.#world
    const { groupId } = group
    const operation = new ConsumerOperation(group, {
      now: readClocks(clocks),
      topics,
      settings: settings.group(groupId),
      classicLimits: this.#classicLimits
    })
    const reply = act(operation)
    this.#commit(shard, operation.result())
    if (operation.regexesToResolve) this.#resolve(shard, groupId, operation.regexesToResolve)
    return reply
  }

  /**
   * Runs a request that changes at most timers, without a copy of the group: heartbeats and commits are frequent, and groups may be
   * large.
   */
  touch<T>(shard: GroupShard, groupId: string, act: (touch: Touch) => T): T {
    const effects = new GroupEffects()
    const reply = act({ now: readClocks(this.#world.clocks), effects })
    shard.commit({ timers: { subject: groupId, changes: effects.timers } })
    return reply
  }

  #classicOperation(group: ClassicGroup): ClassicOperation {
    return new ClassicOperation(group, readClocks(this.#world.clocks), this.#classicLimits)
  }

  #commit(shard: GroupShard, { group, records, effects }: GroupResult): void {
    const { timers: changes, events, responses } = effects
    const apply = () => shard.state.put(group)
    shard.commit({ records, apply, timers: { subject: group.groupId, changes }, events })
    this.delayedResponses.deliver(responses)
  }

  /** Starts the timers of the groups. */
  #loaded(shard: GroupShard): void {
    for (const subject of [...shard.state.groups.keys()]) {
      this.runtime.runTimer(shard, { subject, member: NO_MEMBER, kind: 'load' })
    }
  }

  /** Completes all delayed responses with NOT_COORDINATOR, and drops running resolutions of regular expressions. */
  #unloading({ state }: GroupShard): void {
    for (const group of state.groups.values()) {
      this.#regexes.abandon(group.groupId)
      if (!(group instanceof ClassicGroup)) continue
      const operation = this.#classicOperation(group)
      unload(operation)
      this.delayedResponses.deliver(operation.effects.responses)
    }
  }

  #expired(shard: GroupShard, timer: Timer<GroupTimer>): void {
    const group = shard.state.groups.get(timer.subject)
    if (group instanceof ClassicGroup) this.runClassic(shard, group, operation => expire(operation, timer))
    else if (group) this.runConsumer(shard, group, operation => expireConsumer(operation, timer))
  }

  /** Resolves regular expressions in the background. The group may have changed or be deleted when they are resolved. */
  #resolve(shard: GroupShard, groupId: string, regexes: ReadonlySet<string>): void {
    this.#regexes.resolve(groupId, regexes, resolved => {
      const group = shard.state.groups.get(groupId)
      if (!shard.isLoaded || !(group instanceof ConsumerGroup)) return
      try {
        this.runConsumer(shard, group, operation => regexesResolved(operation, resolved))
      } catch (error) {
        if (!(error instanceof KafkaError)) throw error
        // The expressions are still unresolved. The next heartbeat of a member resolves them again.
        const { events, topic } = this.#world
        events.emit({ type: 'CoordinatorWriteFailed', topic: topic.topic, key: groupId, error })
      }
    })
  }
}

interface GroupResult {
  readonly group: ServedGroup
  readonly records: readonly GroupRecord[]
  readonly effects: GroupEffects
}

/**
 * JoinGroup and SyncGroup requests to which a later operation of their group responds. Each has a ticket, which identifies its
 * response.
 */
class DelayedResponses {
  readonly #joins = new Map<number, Deferred<JoinGroupResult>>()
  readonly #syncs = new Map<number, Deferred<SyncGroupResult>>()
  #lastTicket = 0

  /** Runs `act` with a ticket and waits for the response that this or a later operation delivers. */
  join(act: (ticket: number) => void): Promise<JoinGroupResult> {
    return this.#awaitResponse(this.#joins, act)
  }

  /** As `join`, for SyncGroup. */
  sync(act: (ticket: number) => void): Promise<SyncGroupResult> {
    return this.#awaitResponse(this.#syncs, act)
  }

  deliver(responses: readonly DelayedResponse[]): void {
    for (const { type, ticket, response } of responses) {
      if (type === 'join') this.#joins.get(ticket)?.resolve(response)
      else this.#syncs.get(ticket)?.resolve(response)
    }
  }

  async #awaitResponse<T>(delayed: Map<number, Deferred<T>>, act: (ticket: number) => void): Promise<T> {
    const ticket = ++this.#lastTicket
    const waiting = deferred<T>()
    delayed.set(ticket, waiting)
    try {
      act(ticket)
      return await waiting.promise
    } finally {
      delayed.delete(ticket)
    }
  }
}
