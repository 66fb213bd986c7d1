/** Members and admins of classic groups on a broker that can crash. Their responses are recorded in a ledger. */
import { expect } from 'vitest'
import type { ApiName } from '../../src/protocol/messages/index.ts'
import { yieldToEventLoop } from '../../src/runtime/pace.ts'
import { Harness, type HarnessOptions } from '../../src/testing/harness.ts'
import { subscriptionOf } from '../group/embedded.ts'
import { type GroupLedger, NO_GROUP, type Place, textOf } from './group-ledger.ts'
import type { Fact } from './promises.ts'

/** The maximum session timeout: clock steps are for cleaning only. */
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

/** Members by name; an upper-case name is a group.instance.id. */
const instanceOf = (name: string) => (name === name.toUpperCase() ? name : null)

export class GroupLife {
  readonly harness: Harness
  readonly #ledger: GroupLedger
  /** Throws if the process is dead and its response therefore counts as lost. */
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

  async #sendRequest<N extends ApiName>(api: N, request: Request<N>, clientId = 'admin', version?: number) {
    const answer = await this.harness.request(api, request, { clientId, ...(version !== undefined && { version }) })
    this.#heard()
    return answer
  }

  /** The topic of all members, and segments of __consumer_offsets so small that they are compacted soon. */
  async prepare(): Promise<void> {
    await this.harness.createTopic('t', 2)
    this.#heard()
    await this.#sendRequest('FindCoordinator', { keyType: 0, coordinatorKeys: ['any'] })
    const configs = [{ name: 'internal.segment.bytes', configOperation: 0, value: '600' }]
    const resources = [{ resourceType: 2, resourceName: '__consumer_offsets', configs }]
    await this.#sendRequest('IncrementalAlterConfigs', { resources })
  }

  /** A member joins an empty group, or a static member replaces its earlier instance. */
  async join(groupId: string, name: string): Promise<Place> {
    const answer = await this.#join(groupId, name, '')
    this.#heard()
    expect(answer.errorCode).toBe('NONE')
    return this.#take(groupId, name, answer)
  }

  /** Like `join`, for a missing group, which exists from then on. */
  async found(groupId: string, name: string): Promise<void> {
    const view = this.#ledger.view(groupId)
    await view.set('Empty', async () => {
      await this.join(groupId, name)
      return 'Empty'
    })
  }

  /** All members of a group join again in this order. The first one must be a member whose join starts a rebalance. */
  async gather(groupId: string, ...names: readonly string[]): Promise<void> {
    const places = this.#ledger.places(groupId)
    const joining = names.map(name => this.#join(groupId, name, places.get(name)?.memberId ?? ''))
    // No response arrives before the last join.
    const answers = await Promise.all(joining)
    this.#heard()
    for (const [index, answer] of answers.entries()) {
      expect(answer.errorCode).toBe('NONE')
      this.#take(groupId, names[index] ?? '', answer)
    }
  }

  /** The leader assigns, and every member gets its assignment. */
  async assign(groupId: string, leader: string, assignments: ReadonlyMap<string, string>): Promise<void> {
    const places = this.#ledger.places(groupId)
    const assigned = [...assignments].map(([name, assignment]) => {
      return { memberId: places.get(name)?.memberId ?? '', assignment: Buffer.from(assignment) }
    })
    const followers = [...assignments.keys()].filter(name => name !== leader)
    // A crash of the broker rejects them before the test awaits them.
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

  /** A static member restarts: it gets a new member id and keeps its assignment. */
  async restart(groupId: string, name: string, assigned: string): Promise<void> {
    const places = this.#ledger.places(groupId)
    const former = places.get(name)
    // The old member id can be valid or fenced until the response arrives.
    this.#ledger.kept(groupId).delete(name)
    this.#ledger.kept(groupId).set(name, await this.join(groupId, name))
    expect((await this.#sync(groupId, name, [])).assignment.toString()).toBe(assigned)
    this.#heard()
    const fenced = await this.#sendRequest('Heartbeat', {
      groupId,
      ...former,
      memberId: former?.memberId ?? '',
      generationId: 1
    })
    expect(fenced.errorCode).toBe('FENCED_INSTANCE_ID')
  }

  /** Every member still gets a valid heartbeat. */
  async heartbeats(groupId: string): Promise<void> {
    for (const member of this.#ledger.places(groupId).values()) {
      expect((await this.#sendRequest('Heartbeat', { groupId, ...member })).errorCode).toBe('NONE')
    }
  }

  /** The last member leaves its group. */
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

  /** An admin removes a static member from a group with others, which must join again. */
  async expel(groupId: string, name: string): Promise<void> {
    this.#ledger.places(groupId).delete(name)
    await this.#remove(groupId, { memberId: '', groupInstanceId: name })
  }

  async #remove(groupId: string, member: { memberId: string; groupInstanceId: string | null }): Promise<void> {
    const answer = await this.#sendRequest('LeaveGroup', { groupId, members: [{ ...member, reason: null }] })
    expect(answer.members[0]?.errorCode).toBe('NONE')
  }

  /** Commits as a member, or as a simple consumer, which also creates the group. */
  async commit(groupId: string, partitionIndex: number, committedOffset: bigint, name?: string): Promise<void> {
    const member = name === undefined ? undefined : this.#ledger.places(groupId).get(name)
    const { generationId: generationIdOrMemberEpoch = -1, memberId = '', groupInstanceId = null } = member ?? {}
    const topics = [{ name: 't', partitions: [{ partitionIndex, committedOffset, committedMetadata: null }] }]
    const request = { groupId, generationIdOrMemberEpoch, memberId, groupInstanceId, topics }
    const view = this.#ledger.view(groupId)
    const made = view.promised === NO_GROUP ? 'Empty' : view.promised
    const offset = this.#ledger.offset(groupId, partitionIndex)
    await setAll([setting(view, made), setting(offset, committedOffset)], async () => {
      const answer = await this.#sendRequest('OffsetCommit', request, 'admin', 9)
      expect(answer.topics[0]?.partitions[0]?.errorCode).toBe('NONE')
    })
  }

  async deleteOffset(groupId: string, partitionIndex: number): Promise<void> {
    await setAll([setting(this.#ledger.offset(groupId, partitionIndex), -1n)], async () => {
      const topics = [{ name: 't', partitions: [{ partitionIndex }] }]
      const answer = await this.#sendRequest('OffsetDelete', { groupId, topics })
      expect(answer.topics[0]?.partitions[0]?.errorCode).toBe('NONE')
    })
  }

  async deleteGroup(groupId: string): Promise<void> {
    const offsets = [...this.#ledger.offsets(groupId).values()]
    const ends = [setting(this.#ledger.view(groupId), NO_GROUP), ...offsets.map(offset => setting(offset, -1n))]
    await setAll(ends, async () => {
      const { results } = await this.#sendRequest('DeleteGroups', { groupsNames: [groupId] })
      expect(results[0]?.errorCode).toBe('NONE')
    })
  }

  /** An empty group can expire at any later time. */
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
    // Before version 4 JoinGroup needs no member id.
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

/** A value that a request sets if it is acknowledged. */
type Setting = (sendRequest: () => Promise<void>) => Promise<void>

function setting<T>(fact: Fact<T>, value: T): Setting {
  return sendRequest =>
    fact.set(value, async () => {
      await sendRequest()
      return value
    })
}

/** One request sets several values. */
function setAll(settings: readonly Setting[], sendRequest: () => Promise<void>): Promise<void> {
  return settings.reduce<() => Promise<void>>((then, set) => () => set(then), sendRequest)()
}
