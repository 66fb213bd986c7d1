/** Members of classic groups and their admins, at a broker that may die under them. What they are told goes into a ledger. */
import { expect } from 'vitest'
import type { ApiName } from '../../src/protocol/messages/index.ts'
import { yieldToEventLoop } from '../../src/runtime/pace.ts'
import { Harness, type HarnessOptions } from '../../src/testing/harness.ts'
import { subscriptionOf } from '../group/embedded.ts'
import { type GroupLedger, NO_GROUP, type Place, textOf } from './group-ledger.ts'
import type { Fact } from './promises.ts'

/** As long as is allowed: time that passes here is for cleaning up. */
export const SESSION_MS = 1_800_000
const REBALANCE_MS = 60_000

const CONFIG = {
  'offsets.topic.num.partitions': 1,
  'offsets.topic.replication.factor': 1,
  'log.cleaner.backoff.ms': 20_000,
  'log.segment.delete.delay.ms': 1000,
  'offsets.retention.minutes': 10
}

type Request<N extends ApiName> = Parameters<typeof Harness.prototype.request<N>>[1]

/** Members by name; a name in capitals is a group.instance.id. */
const instanceOf = (name: string) => (name === name.toUpperCase() ? name : null)

export class GroupLife {
  readonly harness: Harness
  readonly #ledger: GroupLedger
  /** Throws where the answer that has just arrived never did. */
  readonly #heard: () => void

  private constructor(harness: Harness, ledger: GroupLedger, heard: () => void) {
    this.harness = harness
    this.#ledger = ledger
    this.#heard = heard
  }

  static async start(options: HarnessOptions, ledger: GroupLedger, heard: () => void = () => {}): Promise<GroupLife> {
    const harness = await Harness.start({ ...options, config: { ...CONFIG, ...options.config } })
    heard()
    return new GroupLife(harness, ledger, heard)
  }

  async stop(): Promise<void> {
    await this.harness.stop()
    this.#heard()
  }

  async #ask<N extends ApiName>(api: N, request: Request<N>, clientId = 'admin', version?: number) {
    const answer = await this.harness.request(api, request, { clientId, ...(version !== undefined && { version }) })
    this.#heard()
    return answer
  }

  /** The topic that all read, and segments of committed offsets so small that they are compacted soon. */
  async prepare(): Promise<void> {
    await this.harness.createTopic('t', 2)
    this.#heard()
    await this.#ask('FindCoordinator', { keyType: 0, coordinatorKeys: ['any'] })
    const configs = [{ name: 'internal.segment.bytes', configOperation: 0, value: '600' }]
    const resources = [{ resourceType: 2, resourceName: '__consumer_offsets', configs }]
    await this.#ask('IncrementalAlterConfigs', { resources })
  }

  /** A member comes into a group without others, or in the place of its former self. */
  async join(groupId: string, name: string): Promise<Place> {
    const answer = await this.#join(groupId, name, '')
    this.#heard()
    expect(answer.errorCode).toBe('NONE')
    return this.#take(groupId, name, answer)
  }

  /** As `join`, into a group that is not there yet: it exists from then on. */
  async found(groupId: string, name: string): Promise<void> {
    const view = this.#ledger.view(groupId)
    await view.set('Empty', async () => {
      await this.join(groupId, name)
      return 'Empty'
    })
  }

  /** All of a group join anew, in that order: the first must be one for whom there is a rebalance. */
  async gather(groupId: string, ...names: readonly string[]): Promise<void> {
    const places = this.#ledger.places(groupId)
    const joining = names.map(name => this.#join(groupId, name, places.get(name)?.memberId ?? ''))
    // None of them is answered before the last has come.
    const answers = await Promise.all(joining)
    this.#heard()
    for (const [index, answer] of answers.entries()) {
      expect(answer.errorCode).toBe('NONE')
      this.#take(groupId, names[index] ?? '', answer)
    }
  }

  /** The leader assigns, and everybody is told. */
  async assign(groupId: string, leader: string, assignments: ReadonlyMap<string, string>): Promise<void> {
    const places = this.#ledger.places(groupId)
    const assigned = [...assignments].map(([name, assignment]) => {
      return { memberId: places.get(name)?.memberId ?? '', assignment: Buffer.from(assignment) }
    })
    const followers = [...assignments.keys()].filter(name => name !== leader)
    // Whoever dies meanwhile has them fail before anybody waits for them.
    const delayed = Promise.allSettled(followers.map(name => this.#sync(groupId, name, [])))
    await yieldToEventLoop()
    const text = textOf('Stable', assignments)
    await this.#ledger.view(groupId).set(text, async () => {
      const answer = await this.#sync(groupId, leader, assigned)
      this.#heard()
      expect(answer.errorCode).toBe('NONE')
      this.#ledger.keep(groupId)
      return text
    })
    for (const [index, answer] of (await delayed).entries()) {
      if (answer.status === 'rejected') throw answer.reason
      expect(answer.value.assignment.toString()).toBe(assignments.get(followers[index] ?? ''))
    }
  }

  /** A static member starts again: it has a new id from then on, and what it had. */
  async restart(groupId: string, name: string, assigned: string): Promise<void> {
    const places = this.#ledger.places(groupId)
    const former = places.get(name)
    // Whether its old id still counts is open until it has an answer.
    this.#ledger.kept(groupId).delete(name)
    this.#ledger.kept(groupId).set(name, await this.join(groupId, name))
    expect((await this.#sync(groupId, name, [])).assignment.toString()).toBe(assigned)
    this.#heard()
    const fenced = await this.#ask('Heartbeat', {
      groupId,
      ...former,
      memberId: former?.memberId ?? '',
      generationId: 1
    })
    expect(fenced.errorCode).toBe('FENCED_INSTANCE_ID')
  }

  /** Everybody is still there. */
  async heartbeats(groupId: string): Promise<void> {
    for (const member of this.#ledger.places(groupId).values()) {
      expect((await this.#ask('Heartbeat', { groupId, ...member })).errorCode).toBe('NONE')
    }
  }

  /** The last of a group leaves it. */
  async leave(groupId: string, name: string): Promise<void> {
    const member = this.#ledger.places(groupId).get(name)
    this.#ledger.places(groupId).delete(name)
    await this.#ledger.view(groupId).set('Empty', async () => {
      await this.#remove(groupId, {
        memberId: member?.memberId ?? '',
        groupInstanceId: member?.groupInstanceId ?? null
      })
      this.#ledger.keep(groupId)
      return 'Empty'
    })
  }

  /** An admin takes a static member out, where others stay: they must join again. */
  async expel(groupId: string, name: string): Promise<void> {
    this.#ledger.places(groupId).delete(name)
    await this.#remove(groupId, { memberId: '', groupInstanceId: name })
  }

  async #remove(groupId: string, member: { memberId: string; groupInstanceId: string | null }): Promise<void> {
    const answer = await this.#ask('LeaveGroup', { groupId, members: [{ ...member, reason: null }] })
    expect(answer.members[0]?.errorCode).toBe('NONE')
  }

  /** Commits as a member, or from outside; that alone makes a group. */
  async commit(groupId: string, partitionIndex: number, committedOffset: bigint, name?: string): Promise<void> {
    const member = name === undefined ? undefined : this.#ledger.places(groupId).get(name)
    const { generationId: generationIdOrMemberEpoch = -1, memberId = '', groupInstanceId = null } = member ?? {}
    const topics = [{ name: 't', partitions: [{ partitionIndex, committedOffset, committedMetadata: null }] }]
    const request = { groupId, generationIdOrMemberEpoch, memberId, groupInstanceId, topics }
    const view = this.#ledger.view(groupId)
    const made = view.promised === NO_GROUP ? 'Empty' : view.promised
    const offset = this.#ledger.offset(groupId, partitionIndex)
    await setAll([setting(view, made), setting(offset, committedOffset)], async () => {
      const answer = await this.#ask('OffsetCommit', request, 'admin', 9)
      expect(answer.topics[0]?.partitions[0]?.errorCode).toBe('NONE')
    })
  }

  async deleteOffset(groupId: string, partitionIndex: number): Promise<void> {
    await setAll([setting(this.#ledger.offset(groupId, partitionIndex), -1n)], async () => {
      const topics = [{ name: 't', partitions: [{ partitionIndex }] }]
      const answer = await this.#ask('OffsetDelete', { groupId, topics })
      expect(answer.topics[0]?.partitions[0]?.errorCode).toBe('NONE')
    })
  }

  async deleteGroup(groupId: string): Promise<void> {
    const offsets = [...this.#ledger.offsets(groupId).values()]
    const ends = [setting(this.#ledger.view(groupId), NO_GROUP), ...offsets.map(offset => setting(offset, -1n))]
    await setAll(ends, async () => {
      const { results } = await this.#ask('DeleteGroups', { groupsNames: [groupId] })
      expect(results[0]?.errorCode).toBe('NONE')
    })
  }

  /** What becomes of an empty group with time, at some moment. */
  mayEnd(groupId: string): void {
    this.#ledger.view(groupId).may(NO_GROUP)
    for (const offset of this.#ledger.offsets(groupId).values()) offset.may(-1n)
  }

  #join(groupId: string, clientId: string, memberId: string) {
    const request = {
      ...{ groupId, memberId, groupInstanceId: instanceOf(clientId), protocolType: 'consumer' },
      ...{ sessionTimeoutMs: SESSION_MS, rebalanceTimeoutMs: REBALANCE_MS },
      protocols: [{ name: 'range', metadata: subscriptionOf(['t']) }]
    }
    // Before version 4 nobody needs an id beforehand.
    return this.harness.request('JoinGroup', request, { clientId, version: instanceOf(clientId) ? 9 : 3 })
  }

  #sync(groupId: string, name: string, assignments: readonly { memberId: string; assignment: Buffer }[]) {
    const member = this.#ledger.places(groupId).get(name)
    const { memberId = '', groupInstanceId = null, generationId = -1 } = member ?? {}
    const claim = { groupId, memberId, groupInstanceId, generationId }
    return this.harness.request('SyncGroup', { ...claim, protocolType: 'consumer', protocolName: 'range', assignments })
  }

  #take(groupId: string, name: string, { memberId, generationId }: Pick<Place, 'memberId' | 'generationId'>): Place {
    const member = { memberId, generationId, groupInstanceId: instanceOf(name) }
    this.#ledger.places(groupId).set(name, member)
    return member
  }
}

/** A value that a request sets, if it is answered. */
type Setting = (ask: () => Promise<void>) => Promise<void>

function setting<T>(fact: Fact<T>, value: T): Setting {
  return ask =>
    fact.set(value, async () => {
      await ask()
      return value
    })
}

/** One request sets several values. */
function setAll(settings: readonly Setting[], ask: () => Promise<void>): Promise<void> {
  return settings.reduce<() => Promise<void>>((then, set) => () => set(then), ask)()
}
