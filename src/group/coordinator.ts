/**
 * The coordinator of classic groups: the thin shell around the machine and the offsets. Every request is one turn,
 * without an await between reading state and changing it: decide, append, evolve, answer. Whatever goes wrong is an
 * error code in the answer, as Kafka maps it; only our own bugs are thrown.
 */
import type { Texts } from '../config/values.ts'
import { toldAs } from '../coordination/errors.ts'
import { StatePartitions, type StateTopic } from '../coordination/partitions.ts'
import { type ErrorName, KafkaError } from '../protocol/errors.ts'
import type { Clock } from '../runtime/clock.ts'
import type { Logger } from '../runtime/logger.ts'
import type { Random } from '../runtime/random.ts'
import { finishFairly } from '../runtime/steps.ts'
import { GroupAdmin } from './admin.ts'
import { type ClassicGroup, emptyGroup, UNKNOWN_MEMBER_ID } from './classic/group.ts'
import { type Join, join } from './classic/join.ts'
import { newMemberId } from './classic/member-id.ts'
import { type Claim, heartbeat, type Leaving, leave } from './classic/membership.ts'
import { loseAssignment } from './classic/rebalance.ts'
import { type Sync, sync } from './classic/sync.ts'
import {
  failedJoin,
  failedSync,
  type GroupLimits,
  type JoinAnswer,
  recordGroup,
  type SyncAnswer
} from './classic/turn.ts'
import { CommittedOffsets, type OffsetSettings } from './committed-offsets.ts'
import type { ConsumerGroupSettings } from './consumer/settings.ts'
import { GroupPartition } from './partition.ts'
import { Retention, type RetentionSettings } from './retention.ts'
import { Turns } from './turns.ts'

/** What the broker's settings say. */
export interface GroupSettings extends GroupLimits, RetentionSettings, OffsetSettings {
  readonly minSessionTimeoutMs: number
  readonly maxSessionTimeoutMs: number
  readonly consumer: ConsumerGroupSettings
}

export interface GroupPorts {
  /** __consumer_offsets */
  readonly topic: StateTopic
  readonly clock: Clock
  readonly logger: Logger
  readonly random: Random
  readonly settings: GroupSettings
  /** What was set for a group alone. */
  configOf(groupId: string): Texts
}

export type JoinGroupRequest = { readonly groupId: string } & Omit<Join, 'ticket' | 'newMemberId'>
export type SyncGroupRequest = { readonly groupId: string } & Omit<Sync, 'ticket'>
export type HeartbeatRequest = { readonly groupId: string } & Claim

/** `members` is empty where `errorCode` speaks for all. */
export interface LeaveGroupAnswer {
  readonly errorCode: ErrorName
  readonly members: readonly (Leaving & { readonly errorCode: ErrorName })[]
}

export class GroupCoordinator {
  readonly #ports: GroupPorts
  readonly #turns: Turns
  readonly #partitions: StatePartitions<GroupPartition>
  readonly #retention: Retention
  /** What groups have committed. */
  readonly offsets: CommittedOffsets
  /** What administrators may ask. */
  readonly admin: GroupAdmin
  #stopped = false

  constructor(ports: GroupPorts) {
    this.#ports = ports
    this.#turns = new Turns(ports)
    const { topic, clock, logger } = ports
    this.#partitions = new StatePartitions(
      topic,
      journal => GroupPartition.load(journal, clock.now(), logger),
      partition => this.#turns.adopt(partition)
    )
    this.#retention = new Retention(ports, this.#partitions)
    const lookup = {
      of: (groupId: string) => this.#partitionOf(groupId),
      ofMembers: (groupId: string) => this.#partitionOfMembers(groupId),
      all: () => this.#allPartitions()
    }
    this.offsets = new CommittedOffsets(ports, this.#turns, lookup)
    this.admin = new GroupAdmin(ports, lookup)
  }

  /**
   * Loads all groups, in slices, so that the sessions of their members begin to run, and begins to look for offsets to
   * expire. Rejects when `signal` calls it off.
   */
  async start(signal?: AbortSignal): Promise<void> {
    await finishFairly(this.#partitions.loadAll(), { clock: this.#ports.clock, signal })
    this.#retention.start()
  }

  /** Parked requests are answered with NOT_COORDINATOR, later ones with COORDINATOR_NOT_AVAILABLE. */
  stop(): void {
    this.#stopped = true
    this.#retention.stop()
    this.forgetAll()
  }

  /** Lets go of all groups: the broker stops, or __consumer_offsets is gone. Parked requests get NOT_COORDINATOR. */
  forgetAll(): void {
    this.#turns.abandon()
    this.#partitions.clear()
  }

  /** A topic was deleted: so are all offsets committed for it. */
  topicDeleted(topic: { readonly name: string; readonly topicId: string }): void {
    this.#retention.topicDeleted(topic)
  }

  /** All groups that are loaded. */
  *groups(): Iterable<ClassicGroup> {
    for (const partition of this.#partitions) yield* partition.groups.values()
  }

  /** Resolves when the next generation begins, or at once with what the client must do first. */
  async joinGroup(request: JoinGroupRequest): Promise<JoinAnswer> {
    try {
      const partition = this.#partitionOfMembers(request.groupId)
      this.#checkSessionTimeout(request.sessionTimeoutMs)
      const answer = await this.#turns.awaitJoin(ticket => this.#join(partition, request, ticket))
      await partition.journal.settled()
      return answer
    } catch (error) {
      return failedJoin(toldAs(error), request.memberId)
    }
  }

  #checkSessionTimeout(sessionTimeoutMs: number): void {
    const { minSessionTimeoutMs, maxSessionTimeoutMs } = this.#ports.settings
    if (sessionTimeoutMs >= minSessionTimeoutMs && sessionTimeoutMs <= maxSessionTimeoutMs) return
    throw new KafkaError('INVALID_SESSION_TIMEOUT', `${sessionTimeoutMs} ms is no session timeout we allow`)
  }

  #join(partition: GroupPartition, request: JoinGroupRequest, ticket: number): void {
    const { groupId, memberId, groupInstanceId, clientId } = request
    const { clock, random } = this.#ports
    const known = partition.groups.get(groupId)
    if (!known && memberId !== UNKNOWN_MEMBER_ID) throw new KafkaError('UNKNOWN_MEMBER_ID', `no group ${groupId}`)
    const command = { ...request, ticket, newMemberId: newMemberId(groupInstanceId, clientId, random) }
    this.#turns.run(partition, known ?? emptyGroup(groupId, clock.now()), turn => {
      // A new group exists from now on, whatever becomes of this request.
      if (!known) recordGroup(turn)
      join(turn, command)
    })
  }

  /** Resolves when the leader has brought the assignment. */
  async syncGroup(request: SyncGroupRequest): Promise<SyncAnswer> {
    try {
      const partition = this.#partitionOfMembers(request.groupId)
      const group = knownGroup(partition, request.groupId)
      const answer = await this.#turns.awaitSync(ticket => this.#sync(partition, group, { ...request, ticket }))
      await partition.journal.settled()
      return answer
    } catch (error) {
      return failedSync(toldAs(error))
    }
  }

  /** An assignment that cannot be written is lost for all who wait for it. */
  #sync(partition: GroupPartition, group: ClassicGroup, request: Sync): void {
    try {
      this.#turns.run(partition, group, turn => sync(turn, request))
    } catch (error) {
      const errorCode = toldAs(error)
      this.#turns.run(partition, group, turn => loseAssignment(turn, errorCode))
      throw error
    }
  }

  async heartbeat(request: HeartbeatRequest): Promise<ErrorName> {
    try {
      const partition = this.#partitionOfMembers(request.groupId)
      const group = knownGroup(partition, request.groupId)
      const answer = this.#turns.touch(group, touch => heartbeat(touch, request))
      await partition.journal.settled()
      return answer
    } catch (error) {
      return toldAs(error)
    }
  }

  /** Removes members, each with an error of its own, in the order of the request. */
  async leaveGroup(groupId: string, members: readonly Leaving[]): Promise<LeaveGroupAnswer> {
    try {
      const partition = this.#partitionOfMembers(groupId)
      const group = partition.groups.get(groupId)
      const results = group && this.#turns.run(partition, group, turn => leave(turn, members))
      await partition.journal.settled()
      const answers = members.map(({ memberId, groupInstanceId }, index) => {
        return { memberId, groupInstanceId, errorCode: results?.[index] ?? 'UNKNOWN_MEMBER_ID' }
      })
      return { errorCode: 'NONE', members: answers }
    } catch (error) {
      return { errorCode: toldAs(error), members: [] }
    }
  }

  /** The marker of a producer's transaction has been written to a partition of __consumer_offsets. */
  endTransaction(index: number, producerId: bigint, isCommitted: boolean): void {
    this.#partitions.at(index)?.endTransaction(producerId, isCommitted, this.#ports.clock.now())
  }

  /** Commits and fetches may name the empty group, as they always could; members may not. */
  #partitionOfMembers(groupId: string): GroupPartition {
    if (groupId === '' && !this.#stopped) throw new KafkaError('INVALID_GROUP_ID', 'a group must have a name')
    return this.#partitionOf(groupId)
  }

  #partitionOf(groupId: string): GroupPartition {
    this.#checkNotStopped()
    return this.#partitions.of(groupId)
  }

  #allPartitions(): Iterable<GroupPartition> {
    this.#checkNotStopped()
    return this.#partitions
  }

  #checkNotStopped(): void {
    if (this.#stopped) throw new KafkaError('COORDINATOR_NOT_AVAILABLE', 'the broker stops')
  }
}

function knownGroup(partition: GroupPartition, groupId: string): ClassicGroup {
  const group = partition.groups.get(groupId)
  if (group) return group
  throw new KafkaError('UNKNOWN_MEMBER_ID', `no group ${groupId}`)
}
