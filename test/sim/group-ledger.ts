/** Acknowledged state of groups on a broker that can crash, and its comparison with the next broker. */
import { expect } from 'vitest'
import type { Harness } from '../../src/testing/harness.ts'
import { Fact } from './promises.ts'

/** A missing group, as DescribeGroups returns it. */
export const NO_GROUP = 'Dead'

/** A member with its own state. */
export interface Place {
  readonly memberId: string
  readonly groupInstanceId: string | null
  readonly generationId: number
}

export class GroupLedger {
  /** The state of each group, and the assignment of each member by group.instance.id or client id. */
  readonly #views = new Map<string, Fact<string>>()
  /** By group and partition. */
  readonly #offsets = new Map<string, Map<number, Fact<bigint>>>()
  /** By group, the latest response to each member, by name. */
  readonly #places = new Map<string, Map<string, Place>>()
  /** The durable members, of the generation with the latest assignment. */
  readonly #kept = new Map<string, Map<string, Place>>()

  view(groupId: string): Fact<string> {
    const fact = this.#views.get(groupId) ?? new Fact(NO_GROUP)
    this.#views.set(groupId, fact)
    return fact
  }

  offset(groupId: string, partition: number): Fact<bigint> {
    const offsets = this.offsets(groupId)
    const fact = offsets.get(partition) ?? new Fact(-1n)
    offsets.set(partition, fact)
    return fact
  }

  offsets(groupId: string): Map<number, Fact<bigint>> {
    const facts = this.#offsets.get(groupId) ?? new Map<number, Fact<bigint>>()
    this.#offsets.set(groupId, facts)
    return facts
  }

  places(groupId: string): Map<string, Place> {
    const members = this.#places.get(groupId) ?? new Map<string, Place>()
    this.#places.set(groupId, members)
    return members
  }

  /** The durable members of a group. */
  kept(groupId: string): Map<string, Place> {
    const members = this.#kept.get(groupId) ?? new Map<string, Place>()
    this.#kept.set(groupId, members)
    return members
  }

  /** A generation was assigned or ended: its present members are durable. */
  keep(groupId: string): void {
    this.#kept.set(groupId, new Map(this.places(groupId)))
  }

  get groupIds(): string[] {
    return [...this.#views.keys()]
  }

  /** A broker has all acknowledged state, or at least no state without a request. */
  async check(harness: Harness, kept: 'all' | 'nothing wrong'): Promise<void> {
    for (const groupId of this.groupIds) {
      const { possible, asked } = this.view(groupId)
      const found = await viewOf(harness, groupId)
      expect(kept === 'all' ? possible : asked, `group ${groupId}`).toContain(found)
      for (const [partition, offset] of this.offsets(groupId)) {
        const expected = kept === 'all' ? offset.possible : offset.asked
        expect(expected, `${groupId} of ${partition}`).toContain(await committedOf(harness, groupId, partition))
      }
      if (kept === 'all' && possible.length === 1) await this.#checkPlaces(harness, groupId)
    }
  }

  /** The durable members are still in the group. */
  async #checkPlaces(harness: Harness, groupId: string): Promise<void> {
    for (const member of this.kept(groupId).values()) {
      const { errorCode } = await harness.request('Heartbeat', { groupId, ...member })
      expect(errorCode, `${member.memberId} in ${groupId}`).toBe('NONE')
    }
  }
}

/** A group as DescribeGroups returns it. */
export async function viewOf(harness: Harness, groupId: string): Promise<string> {
  await harness.request('FindCoordinator', { keyType: 0, coordinatorKeys: [groupId] })
  const { groups } = await harness.request('DescribeGroups', { groups: [groupId] }, { version: 5 })
  const [group] = groups
  expect(group?.errorCode).toBe('NONE')
  const members = (group?.members ?? []).map(({ groupInstanceId, clientId, memberAssignment }) => {
    return [groupInstanceId ?? clientId, memberAssignment.toString()] as const
  })
  return textOf(group?.groupState ?? '', new Map(members))
}

export function textOf(state: string, assignments: ReadonlyMap<string, string>): string {
  return [state, ...[...assignments].map(([name, assignment]) => `${name}=${assignment}`).sort()].join(' ')
}

export async function committedOf(harness: Harness, groupId: string, partition: number): Promise<bigint> {
  const topics = [{ name: 't', partitionIndexes: [partition] }]
  const answer = await harness.request('OffsetFetch', { groups: [{ groupId, memberId: null, topics }] }, { version: 9 })
  expect(answer.groups[0]?.errorCode).toBe('NONE')
  return answer.groups[0]?.topics[0]?.partitions[0]?.committedOffset ?? -1n
}
