/**
 * A simulated member of the classic protocol that behaves like a real client, one request at a time. It may vanish, and it
 * ignores responses to requests from before. Subclasses define its subscription, its assignments and its reaction to errors.
 */
import { expect } from 'vitest'
import type { Protocol } from '../../src/group/classic/group.ts'
import type { SyncGroupRequest } from '../../src/group/classic-groups.ts'
import type { JoinGroupResult, SyncGroupResult } from '../../src/group/effects.ts'
import type { ErrorName } from '../../src/protocol/errors.ts'
import { GROUP } from './group-coordinator-driver.ts'
import type { GroupSimulation } from './group-simulation.ts'

/** `away` has no member id or an old one; `joined` may send SyncGroup; `dead` got a fatal error. */
type Phase = 'away' | 'joining' | 'joined' | 'syncing' | 'member' | 'dead'

/** The fixed properties of a member. */
export interface Character {
  readonly name: string
  readonly groupInstanceId: string | null
  readonly sessionTimeoutMs: number
  readonly rebalanceTimeoutMs: number
}

export const START_ANEW: readonly ErrorName[] = ['UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION']
export const COME_AGAIN: readonly ErrorName[] = [
  'REBALANCE_IN_PROGRESS',
  'NOT_COORDINATOR',
  'COORDINATOR_NOT_AVAILABLE'
]
export const REFUSED: readonly ErrorName[] = [
  ...(['FENCED_INSTANCE_ID', 'GROUP_MAX_SIZE_REACHED', 'INCONSISTENT_GROUP_PROTOCOL'] as const)
]

export abstract class RandomMember<C extends Character> {
  readonly character: C
  phase: Phase = 'away'
  memberId = ''
  generationId = -1
  protected readonly simulation: GroupSimulation
  #joined: JoinGroupResult | undefined
  #life = 0

  constructor(simulation: GroupSimulation, character: C) {
    this.simulation = simulation
    this.character = character
  }

  /** The version and protocols of the next JoinGroup. */
  protected abstract bringing(): { readonly apiVersion: number; readonly protocols: readonly Protocol[] }

  /** The assignment that the member computes as leader. */
  protected abstract assign(joined: JoinGroupResult): SyncGroupRequest['assignments']

  /** Called with the assignment from SyncGroup. */
  protected abstract assigned(assignment: SyncGroupResult['assignment']): void

  /** Called with the error code of a refused request. */
  protected abstract fail(errorCode: ErrorName): void

  /** Sends the next request of a client in this phase. */
  async step(): Promise<void> {
    if (this.phase === 'away') await this.#join()
    else if (this.phase === 'joined') await this.#sync()
    else if (this.phase === 'member') await this.#heartbeat()
  }

  /** Vanishes without LeaveGroup; responses to pending requests are ignored. */
  vanish(): void {
    this.#life++
    this.phase = 'away'
    this.memberId = ''
  }

  async leave(): Promise<void> {
    const { memberId } = this
    const { groupInstanceId } = this.character
    this.vanish()
    if (memberId === '') return
    const leaving = this.simulation.coordinator.classic.leaveGroup(GROUP, [{ memberId, groupInstanceId }])
    await this.simulation.awaited('leave', leaving)
  }

  async #join(): Promise<void> {
    const { name, groupInstanceId, sessionTimeoutMs, rebalanceTimeoutMs } = this.character
    this.phase = 'joining'
    const joining = this.simulation.coordinator.classic.joinGroup({
      ...{ groupId: GROUP, memberId: this.memberId, groupInstanceId, sessionTimeoutMs, rebalanceTimeoutMs },
      ...{ clientId: name, clientHost: '/127.0.0.1', protocolType: 'consumer', reason: null },
      ...this.bringing()
    })
    const answer = await this.#heard(`join of ${name}`, joining)
    if (!answer) return
    if (answer.errorCode === 'MEMBER_ID_REQUIRED') {
      this.memberId = answer.memberId
      this.phase = 'away'
    } else if (this.isFine(answer.errorCode)) {
      this.memberId = answer.memberId
      this.generationId = answer.generationId
      this.#joined = answer
      this.phase = 'joined'
    }
  }

  async #sync(): Promise<void> {
    const joined = this.#joined
    if (!joined) return
    this.phase = 'syncing'
    const isLeader = joined.leader === this.memberId && !joined.skipAssignment
    const { protocolType, protocolName } = joined
    const assignments = isLeader ? this.assign(joined) : []
    const request = { ...this.claim(), protocolType, protocolName, assignments }
    const syncing = this.simulation.coordinator.classic.syncGroup(request)
    const synced = await this.#heard(`sync of ${this.character.name}`, syncing)
    if (!synced || !this.isFine(synced.errorCode)) return
    expect(synced.protocolName).toBe(protocolName)
    this.phase = 'member'
    this.assigned(synced.assignment)
  }

  async #heartbeat(): Promise<void> {
    const errorCode = await this.#heard('heartbeat', this.simulation.coordinator.classic.heartbeat(this.claim()))
    if (errorCode) this.isFine(errorCode)
  }

  protected claim() {
    const { memberId, generationId } = this
    return { groupId: GROUP, memberId, generationId, groupInstanceId: this.character.groupInstanceId }
  }

  protected isFine(errorCode: ErrorName): boolean {
    if (errorCode === 'NONE') return true
    expect([...START_ANEW, ...COME_AGAIN, ...REFUSED]).toContain(errorCode)
    this.fail(errorCode)
    return false
  }

  /** The response; undefined if the member has vanished since the request. */
  async #heard<T>(label: string, answer: Promise<T>): Promise<T | undefined> {
    const life = this.#life
    const heard = await this.simulation.awaited(label, answer)
    return this.#life === life ? heard : undefined
  }
}
