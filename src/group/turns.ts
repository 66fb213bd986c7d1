/**
 * Runs the turns of groups: writes what they want written, puts the new state in place, answers those who are parked,
 * and keeps one alarm for the nearest deadline of all groups.
 */
import { KafkaError } from '../protocol/errors.ts'
import type { Alarm, Clock } from '../runtime/clock.ts'
import { type Deferred, deferred } from '../runtime/deferred.ts'
import type { Logger } from '../runtime/logger.ts'
import { type ClassicGroup, NEVER, nextDeadline } from './classic/group.ts'
import { checkSize, expire, unload } from './classic/membership.ts'
import {
  type Answer,
  beginTurn,
  type GroupLimits,
  type JoinAnswer,
  type SyncAnswer,
  type Touch,
  type Turn
} from './classic/turn.ts'
import type { GroupPartition } from './partition.ts'

/** How long to wait when the consequences of a deadline could not be written. */
const RETRY_MS = 1_000

export interface TurnPorts {
  readonly clock: Clock
  readonly logger: Logger
  readonly settings: GroupLimits
}

export class Turns {
  readonly #ports: TurnPorts
  readonly #partitions = new Set<GroupPartition>()
  readonly #joins = new Map<number, Deferred<JoinAnswer>>()
  readonly #syncs = new Map<number, Deferred<SyncAnswer>>()
  #lastTicket = 0
  #alarm: Alarm | undefined
  /** When the alarm goes off. The deadline it was set for may have moved away since; then it is set anew. */
  #alarmAt = NEVER

  constructor(ports: TurnPorts) {
    this.#ports = ports
  }

  /** Takes the groups of a partition that was just loaded into care. */
  adopt(partition: GroupPartition): void {
    this.#partitions.add(partition)
    for (const group of [...partition.groups.values()]) this.#attempt(partition, group, checkSize)
  }

  /** Answers all who are parked with NOT_COORDINATOR, and lets go of all groups. */
  abandon(): void {
    for (const partition of this.#partitions) {
      for (const group of partition.groups.values()) {
        const turn = this.#begin(group)
        unload(turn)
        this.#deliver(turn.answers)
      }
    }
    this.#partitions.clear()
    this.#alarm?.cancel()
    this.#alarmAt = NEVER
  }

  /** One turn of a group. Throws what the journal throws, and then nothing has changed. */
  run<T>(partition: GroupPartition, group: ClassicGroup, act: (turn: Turn) => T): T {
    const turn = this.#begin(group)
    const reply = act(turn)
    partition.conclude(turn)
    this.#deliver(turn.answers)
    this.#arm(nextDeadline(turn.group))
    this.#log(group, turn)
    return reply
  }

  /** Lets a command renew a session. Heartbeats are frequent and groups may be large, so this is done without a copy. */
  touch<T>(group: ClassicGroup, act: (touch: Touch) => T): T {
    const reply = act({ group, now: this.#ports.clock.now() })
    this.#arm(nextDeadline(group))
    return reply
  }

  /** Runs `act` with a ticket, and waits for the answer that this turn or a later one sends to it. */
  awaitJoin(act: (ticket: number) => void): Promise<JoinAnswer> {
    return this.#awaitAnswer(this.#joins, act)
  }

  /** As `awaitJoin`, for SyncGroup. */
  awaitSync(act: (ticket: number) => void): Promise<SyncAnswer> {
    return this.#awaitAnswer(this.#syncs, act)
  }

  async #awaitAnswer<T>(parked: Map<number, Deferred<T>>, act: (ticket: number) => void): Promise<T> {
    const ticket = ++this.#lastTicket
    const waiting = deferred<T>()
    parked.set(ticket, waiting)
    try {
      act(ticket)
      return await waiting.promise
    } finally {
      parked.delete(ticket)
    }
  }

  #begin(group: ClassicGroup): Turn {
    return beginTurn(group, this.#ports.clock.now(), this.#ports.settings)
  }

  #deliver(answers: readonly Answer[]): void {
    for (const { type, ticket, answer } of answers) {
      if (type === 'join') this.#joins.get(ticket)?.resolve(answer)
      else this.#syncs.get(ticket)?.resolve(answer)
    }
  }

  /** Deadlines that only move away need no new alarm, so a heartbeat costs none. */
  #arm(deadline: number): void {
    if (deadline >= this.#alarmAt) return
    this.#alarm?.cancel()
    this.#alarmAt = deadline
    this.#alarm = this.#ports.clock.at(deadline, () => this.#alarmRings())
  }

  #alarmRings(): void {
    this.#alarmAt = NEVER
    const now = this.#ports.clock.now()
    for (const partition of this.#partitions) {
      for (const group of [...partition.groups.values()]) {
        const deadline = nextDeadline(group)
        if (deadline <= now) this.#attempt(partition, group, expire)
        else this.#arm(deadline)
      }
    }
  }

  /** A turn that nobody asked for. If it fails it is tried again, for nothing has changed. */
  #attempt(partition: GroupPartition, group: ClassicGroup, act: (turn: Turn) => void): void {
    try {
      this.run(partition, group, act)
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      const { clock, logger } = this.#ports
      logger.warn({ err: error, groupId: group.groupId }, 'the state of a group cannot be written, trying again')
      this.#arm(clock.now() + RETRY_MS)
    }
  }

  #log(before: ClassicGroup, { group, reason }: Turn): void {
    if (group.state === before.state && reason === undefined) return
    const { groupId, generationId, members } = group
    const bindings = { groupId, generationId, members: members.size, ...(reason && { reason }) }
    this.#ports.logger.info(bindings, `group is now ${group.state}, was ${before.state}`)
  }
}
