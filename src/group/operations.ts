/**
 * Runs the operations of groups: appends their records, applies the new state, completes delayed responses, and keeps one alarm
 * for the nearest deadline of all groups.
 */
import type { Settings } from '../config/settings.ts'
import { KafkaError } from '../protocol/errors.ts'
import type { BackgroundLoop, BackgroundLoops } from '../runtime/background.ts'
import { type Deferred, deferred } from '../runtime/deferred.ts'
import type { Logger } from '../runtime/logger.ts'
import type { Steps } from '../runtime/pace.ts'
import { type Alarm, type Clocks, readClocks } from '../runtime/time.ts'
import { type ClassicGroup, NEVER } from './classic/group.ts'
import { expire, resume, unload } from './classic/membership.ts'
import {
  beginOperation,
  CLASSIC_GROUP_ROWS,
  type ClassicOperation,
  type DelayedResponse,
  type GroupLimits,
  type JoinGroupResult,
  type SyncGroupResult,
  type Touch
} from './classic/operation.ts'
import { expire as expireConsumer, startDeadlines } from './consumer/downgrade.ts'
import type { ConsumerGroup } from './consumer/group.ts'
import { ConsumerOperation } from './consumer/operation.ts'
import { RegexResolution } from './consumer/regexes.ts'
import { regexesResolved } from './consumer/subscription.ts'
import type { GroupTopics } from './consumer/topics.ts'
import { type CoordinatorResult, coordinatorResultOf } from './coordinator-result.ts'
import { deadlineOf, type Group } from './group.ts'
import type { GroupPartition } from './partition.ts'
import type { GroupRecord } from './records.ts'

/** Delay before an operation is retried whose records could not be written. */
const RETRY_MS = 1_000

interface OperationPorts {
  readonly clocks: Clocks
  readonly logger: Logger
  readonly settings: Settings
  readonly topics: GroupTopics
  readonly background: BackgroundLoops
}

export class GroupOperations {
  readonly delayedResponses = new DelayedResponses()
  readonly #ports: OperationPorts
  readonly #classicLimits: GroupLimits
  readonly #partitions = new Set<GroupPartition>()
  readonly #regexes: RegexResolution
  readonly #expiration: BackgroundLoop
  #alarm: Alarm | undefined
  /** The time of the alarm. The deadline that it was set for may be later by then; the alarm is then set again. */
  #alarmAt = NEVER

  constructor(ports: OperationPorts) {
    this.#ports = ports
    this.#classicLimits = ports.settings.view(CLASSIC_GROUP_ROWS)
    this.#regexes = new RegexResolution(ports)
    this.#expiration = ports.background.start({ name: 'deadlines of groups', work: () => this.#expireAll() })
  }

  /** The partitions whose groups are loaded. */
  get partitions(): ReadonlySet<GroupPartition> {
    return this.#partitions
  }

  /** Starts the deadlines of a loaded partition's groups. */
  adopt(partition: GroupPartition): void {
    this.#partitions.add(partition)
    for (const group of [...partition.groups.values()]) {
      this.#attempt(group, () => {
        if (group.type === 'classic') this.run(partition, group, resume)
        else this.runConsumer(partition, group, startDeadlines)
      })
    }
  }

  /** Completes all delayed responses with NOT_COORDINATOR and removes all groups. */
  abandon(): void {
    for (const partition of this.#partitions) {
      for (const group of partition.groups.values()) {
        if (group.type !== 'classic') continue
        const operation = this.#begin(group)
        unload(operation)
        this.delayedResponses.deliver(operation.responses)
      }
    }
    this.#partitions.clear()
    this.#regexes.abandon()
    this.#alarm?.cancel()
    this.#alarmAt = NEVER
  }

  /**
   * Runs one operation of a classic group. Throws as StateJournal.append; then nothing has changed. `before` has the tombstones
   * of a consumer group that the classic group replaces.
   */
  run<T>(
    partition: GroupPartition,
    group: ClassicGroup,
    act: (operation: ClassicOperation) => T,
    before: readonly GroupRecord[] = []
  ): T {
    const operation = this.#begin(group)
    const reply = act(operation)
    this.#conclude(partition, coordinatorResultOf(operation, before))
    this.#log(group, operation)
    return reply
  }

  /** As `run`, for a consumer group. The operation may convert it to a classic group. */
  runConsumer<T>(partition: GroupPartition, group: ConsumerGroup, act: (operation: ConsumerOperation) => T): T {
    const { clocks, topics, logger, settings } = this.#ports
    const { groupId } = group
    const operation = new ConsumerOperation(group, {
      now: readClocks(clocks),
      topics,
      settings: settings.group(groupId),
      classic: this.#classicLimits
    })
    const reply = act(operation)
    this.#conclude(partition, operation.result())
    for (const note of operation.notes) logger.info({ groupId, epoch: operation.group.groupEpoch }, note)
    if (operation.toResolve) this.#resolve(partition, groupId, operation.toResolve)
    return reply
  }

  /**
   * Runs a command that only renews a session. It changes the group without a copy, because heartbeats are frequent and groups
   * may be large.
   */
  touch<T>(group: ClassicGroup, act: (touch: Touch) => T): T {
    const reply = act({ group, now: readClocks(this.#ports.clocks) })
    this.#armFor(group)
    return reply
  }

  #begin(group: ClassicGroup): ClassicOperation {
    return beginOperation(group, readClocks(this.#ports.clocks), this.#classicLimits)
  }

  #conclude(partition: GroupPartition, result: CoordinatorResult): void {
    partition.conclude(result)
    this.delayedResponses.deliver(result.responses)
    this.#armFor(result.group)
  }

  /** Resolves regular expressions in the background. The group may have changed or be deleted when they are resolved. */
  #resolve(partition: GroupPartition, groupId: string, regexes: ReadonlySet<string>): void {
    this.#regexes.resolve(groupId, regexes, resolved => {
      const group = partition.groups.get(groupId)
      if (group?.type !== 'consumer') return
      this.#attempt(group, () => this.runConsumer(partition, group, operation => regexesResolved(operation, resolved)))
    })
  }

  #armFor(group: Group): void {
    this.#arm(deadlineOf(group, this.#ports.clocks.deadline.now()))
  }

  /** A deadline that moves to a later time needs no new alarm, so a heartbeat sets none. */
  #arm(deadline: number): void {
    if (deadline >= this.#alarmAt) return
    this.#alarm?.cancel()
    this.#alarmAt = deadline
    this.#alarm = this.#ports.clocks.deadline.at(deadline, () => this.#alarmRings())
  }

  /** Many deadlines may be due at once. No other alarm is set until all of them are handled. */
  #alarmRings(): void {
    this.#alarmAt = 0
    this.#expiration.run()
  }

  *#expireAll(): Steps {
    for (const partition of [...this.#partitions]) {
      for (const groupId of [...partition.groups.keys()]) {
        while (this.#partitions.has(partition) && this.#expire(partition, groupId)) yield
      }
    }
    this.#alarmAt = NEVER
    for (const partition of this.#partitions) {
      for (const group of partition.groups.values()) this.#armForNext(group)
    }
  }

  /** A deadline in the past belongs to an operation that failed: it is retried after RETRY_MS. */
  #armForNext(group: Group): void {
    const now = this.#ports.clocks.deadline.now()
    const deadline = deadlineOf(group, now)
    this.#arm(deadline > now ? deadline : now + RETRY_MS)
  }

  /** Runs one operation for a group with an expired deadline. Returns false if no deadline is due or the operation failed. */
  #expire(partition: GroupPartition, groupId: string): boolean {
    const group = partition.groups.get(groupId)
    const now = this.#ports.clocks.deadline.now()
    if (!group || deadlineOf(group, now) > now) return false
    return this.#attempt(group, () => {
      if (group.type === 'classic') this.run(partition, group, expire)
      // One member per operation: the operation may convert the group to a classic group.
      else this.runConsumer(partition, group, expireConsumer)
    })
  }

  /**
   * Runs an operation that no request waits for. If it fails, nothing has changed, and it is retried after RETRY_MS. Returns true
   * on success.
   */
  #attempt({ groupId }: Group, operation: () => void): boolean {
    try {
      operation()
      return true
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      const { clocks, logger } = this.#ports
      logger.warn({ err: error, groupId }, 'the state of a group cannot be written, trying again')
      this.#arm(clocks.deadline.now() + RETRY_MS)
      return false
    }
  }

  #log(before: ClassicGroup, { group, reason }: ClassicOperation): void {
    if (group.state === before.state && reason === undefined) return
    const { groupId, generationId, members } = group
    const bindings = { groupId, generationId, members: members.size, ...(reason && { reason }) }
    const news =
      group.state === before.state
        ? `group is still ${group.state}`
        : `group is now ${group.state}, was ${before.state}`
    this.#ports.logger.info(bindings, news)
  }
}

/**
 * JoinGroup and SyncGroup requests that a later operation of their group answers. Each has a ticket, which identifies its
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
