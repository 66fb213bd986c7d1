import { describe, expect, it } from 'vitest'
import { type ConsumerMember, newMember } from '../../../src/group/consumer/member.ts'
import { type Destination, reconcile } from '../../../src/group/modern/reconcile.ts'

const FOO = 'AAAAAAAAAAAAAAAAAAAAAQ'
const BAR = 'AAAAAAAAAAAAAAAAAAAAAg'

/** Partitions by topic, each with its assignment epoch. */
type Epochs = Record<string, Record<number, number>>

const epochs = (topics: Epochs) =>
  new Map(
    Object.entries(topics).map(([topicId, partitions]) => [
      topicId,
      new Map(Object.entries(partitions).map(([partition, epoch]) => [Number(partition), epoch]))
    ])
  )

const plain = (member: ConsumerMember) => ({
  epochs: [member.previousMemberEpoch, member.memberEpoch],
  state: member.state,
  assigned: member.assigned,
  pendingRevocation: member.pendingRevocation
})

function member(
  changes: Partial<ConsumerMember>,
  assigned: Epochs = {},
  pendingRevocation: Epochs = {}
): ConsumerMember {
  const pending = { assigned: epochs(assigned), pendingRevocation: epochs(pendingRevocation) }
  return { ...newMember('m'), memberEpoch: 10, previousMemberEpoch: 9, ...pending, ...changes }
}

/** A destination at epoch 11 with both topics subscribed, without other owners and without reported partitions. */
function to(target: Record<string, number[]>, changes: Partial<Destination> = {}): Destination {
  return {
    targetEpoch: 11,
    target: new Map(Object.entries(target).map(([topicId, partitions]) => [topicId, new Set(partitions)])),
    subscribedTopicIds: new Set([FOO, BAR]),
    hasSubscriptionChanged: false,
    owned: null,
    ownerEpoch: () => undefined,
    ...changes
  }
}

const owning = (topicId: string, ...partitions: number[]) => ({ owned: [{ topicId, partitions }] })
const NOTHING = { owned: [] }
/** These partitions have another owner. */
const taken = (...partitions: number[]) => ({
  ownerEpoch: (_: string, partition: number) => (partitions.includes(partition) ? 10 : undefined)
})

describe('reconciliation of a stable member', () => {
  it('a member at the target epoch does not change', () => {
    const stable = member({}, { [FOO]: { 0: 9 } })
    expect(reconcile(stable, to({ [FOO]: [5] }, { targetEpoch: 10 }))).toBe(stable)
  })

  it('a member that keeps its partitions advances to the new epoch at once', () => {
    const next = reconcile(member({}, { [FOO]: { 0: 9 } }), to({ [FOO]: [0] }))
    expect(plain(next)).toEqual({
      epochs: [10, 11],
      state: 'Stable',
      assigned: epochs({ [FOO]: { 0: 9 } }),
      pendingRevocation: new Map()
    })
  })

  it('a member gets free partitions with the new epoch and keeps the epochs of its other partitions', () => {
    const next = reconcile(member({}, { [FOO]: { 3: 9 } }), to({ [FOO]: [3, 1], [BAR]: [2, 0] }))
    expect(plain(next)).toMatchObject({ epochs: [10, 11], state: 'Stable' })
    expect(next.assigned).toEqual(epochs({ [FOO]: { 1: 11, 3: 9 }, [BAR]: { 0: 11, 2: 11 } }))
    expect([...next.assigned.values()].map(partitions => [...partitions.keys()])).toEqual([
      [1, 3],
      [0, 2]
    ])
  })

  it('a member that must revoke partitions keeps its epoch until then', () => {
    const next = reconcile(member({}, { [FOO]: { 0: 9, 1: 9 } }), to({ [FOO]: [1, 2] }))
    expect(plain(next)).toEqual({
      epochs: [10, 10],
      state: 'UnrevokedPartitions',
      assigned: epochs({ [FOO]: { 1: 9 } }),
      pendingRevocation: epochs({ [FOO]: { 0: 9 } })
    })
  })

  it('a member advances at once if it does not report the partitions to revoke', () => {
    const next = reconcile(member({}, { [FOO]: { 0: 9, 1: 9 } }), to({ [FOO]: [1, 2] }, owning(FOO, 1)))
    expect(plain(next)).toEqual({
      epochs: [10, 11],
      state: 'Stable',
      assigned: epochs({ [FOO]: { 1: 9, 2: 11 } }),
      pendingRevocation: new Map()
    })
  })

  it('a member advances to the new epoch and waits for partitions that others own', () => {
    const next = reconcile(member({}, { [FOO]: { 0: 9 } }), to({ [FOO]: [0, 1, 2] }, taken(1)))
    expect(plain(next)).toEqual({
      epochs: [10, 11],
      state: 'UnreleasedPartitions',
      assigned: epochs({ [FOO]: { 0: 9, 2: 11 } }),
      pendingRevocation: new Map()
    })
    expect(reconcile(member({}), to({ [FOO]: [1] }, taken(1)))).toMatchObject({
      memberEpoch: 11,
      state: 'UnreleasedPartitions',
      assigned: new Map()
    })
  })

  it('a member revokes topics that it is not subscribed to, also if the target still has them', () => {
    const onlyFoo = { subscribedTopicIds: new Set([FOO]) }
    const all = member({}, { [FOO]: { 0: 9 }, [BAR]: { 0: 9 } })
    expect(plain(reconcile(all, to({ [FOO]: [0], [BAR]: [0] }, onlyFoo)))).toEqual({
      epochs: [10, 10],
      state: 'UnrevokedPartitions',
      assigned: epochs({ [FOO]: { 0: 9 } }),
      pendingRevocation: epochs({ [BAR]: { 0: 9 } })
    })
    const gets = reconcile(member({}), to({ [FOO]: [0], [BAR]: [0] }, onlyFoo))
    expect(plain(gets)).toMatchObject({ state: 'Stable', assigned: epochs({ [FOO]: { 0: 11 } }) })
  })
})

describe('reconciliation of a changed subscription', () => {
  const changed = {
    targetEpoch: 10,
    hasSubscriptionChanged: true,
    subscribedTopicIds: new Set([FOO])
  }

  it('a member without partitions to revoke does not change', () => {
    const stable = member({}, { [FOO]: { 0: 9 } })
    expect(reconcile(stable, to({ [FOO]: [5] }, changed))).toBe(stable)
    const empty = member({})
    expect(reconcile(empty, to({}, { ...changed, subscribedTopicIds: new Set<string>() }))).toBe(empty)
  })

  it('a member revokes unsubscribed topics and gets no partitions of its target', () => {
    const next = reconcile(member({}, { [FOO]: { 0: 9 }, [BAR]: { 1: 8 } }), to({ [FOO]: [0, 5] }, changed))
    expect(plain(next)).toEqual({
      epochs: [10, 10],
      state: 'UnrevokedPartitions',
      assigned: epochs({ [FOO]: { 0: 9 } }),
      pendingRevocation: epochs({ [BAR]: { 1: 8 } })
    })
  })

  it('a member loses unsubscribed partitions at once if it does not report them', () => {
    const next = reconcile(
      member({}, { [FOO]: { 0: 9 }, [BAR]: { 1: 8 } }),
      to({ [FOO]: [0] }, { ...changed, ...owning(FOO, 0) })
    )
    expect(plain(next)).toEqual({
      epochs: [10, 10],
      state: 'Stable',
      assigned: epochs({ [FOO]: { 0: 9 } }),
      pendingRevocation: new Map()
    })
  })
})

describe('reconciliation of a member in UnrevokedPartitions', () => {
  const revoking = member({ state: 'UnrevokedPartitions' }, { [FOO]: { 1: 9 } }, { [FOO]: { 0: 9 } })

  it('a member does not change while its requests report no partitions', () => {
    expect(reconcile(revoking, to({ [FOO]: [1, 2] }))).toBe(revoking)
  })

  it('a member does not change while it reports a partition to revoke', () => {
    expect(reconcile(revoking, to({ [FOO]: [1, 2] }, owning(FOO, 0, 1)))).toBe(revoking)
  })

  it('a member advances when it reports none of the partitions to revoke', () => {
    expect(plain(reconcile(revoking, to({ [FOO]: [1, 2] }, owning(FOO, 1))))).toEqual({
      epochs: [10, 11],
      state: 'Stable',
      assigned: epochs({ [FOO]: { 1: 9, 2: 11 } }),
      pendingRevocation: new Map()
    })
  })

  it('a member revokes more partitions after a change of its target', () => {
    const next = reconcile(revoking, to({ [FOO]: [2] }, owning(FOO, 1)))
    expect(plain(next)).toEqual({
      epochs: [10, 10],
      state: 'UnrevokedPartitions',
      assigned: new Map(),
      pendingRevocation: epochs({ [FOO]: { 1: 9 } })
    })
  })

  it('a member gets its own revoked partitions back at once, in the new epoch', () => {
    const next = reconcile(revoking, to({ [FOO]: [0, 1] }, { ...owning(FOO, 1), ...taken(0, 1) }))
    expect(plain(next)).toMatchObject({ state: 'Stable', assigned: epochs({ [FOO]: { 0: 11, 1: 9 } }) })
  })

  it('a member revokes more partitions when it unsubscribes from a topic', () => {
    const both = member(
      { state: 'UnrevokedPartitions' },
      { [FOO]: { 1: 9 }, [BAR]: { 5: 8 } },
      { [FOO]: { 0: 9 }, [BAR]: { 7: 9 } }
    )
    const changed = { hasSubscriptionChanged: true, subscribedTopicIds: new Set([FOO]) }
    expect(plain(reconcile(both, to({ [FOO]: [1] }, changed)))).toEqual({
      epochs: [10, 10],
      state: 'UnrevokedPartitions',
      assigned: epochs({ [FOO]: { 1: 9 } }),
      pendingRevocation: epochs({ [FOO]: { 0: 9 }, [BAR]: { 5: 8, 7: 9 } })
    })
    expect(reconcile(both, to({ [FOO]: [1] }, { ...changed, subscribedTopicIds: new Set([FOO, BAR]) }))).toBe(both)
  })
})

describe('reconciliation of a member in UnreleasedPartitions', () => {
  const waiting = member({ state: 'UnreleasedPartitions', previousMemberEpoch: 10 }, { [FOO]: { 0: 9 } })

  it('a member does not change while the partitions have other owners', () => {
    expect(reconcile(waiting, to({ [FOO]: [0, 1] }, { targetEpoch: 10, ...taken(1) }))).toBe(waiting)
  })

  it('a member replaces its previous epoch in its next step', () => {
    const fresh = { ...waiting, previousMemberEpoch: 9 }
    const next = reconcile(fresh, to({ [FOO]: [0, 1] }, { targetEpoch: 10, ...taken(1) }))
    expect(next).toEqual({ ...fresh, previousMemberEpoch: 10 })
  })

  it('a member gets partitions as they become free', () => {
    const first = reconcile(waiting, to({ [FOO]: [0, 1, 2] }, { targetEpoch: 10, ...taken(2) }))
    expect(plain(first)).toMatchObject({ state: 'UnreleasedPartitions', assigned: epochs({ [FOO]: { 0: 9, 1: 10 } }) })
    const second = reconcile(first, to({ [FOO]: [0, 1, 2] }, { targetEpoch: 10 }))
    expect(plain(second)).toMatchObject({ state: 'Stable', assigned: epochs({ [FOO]: { 0: 9, 1: 10, 2: 10 } }) })
  })

  it('a member revokes partitions after a change of its target', () => {
    expect(reconcile(waiting, to({}))).toMatchObject({ memberEpoch: 10, state: 'UnrevokedPartitions' })
  })
})

describe('reconciliation of a member in a state of a newer broker', () => {
  const unknown = member({ state: 'Unknown' }, { [FOO]: { 0: 9 } }, { [FOO]: { 1: 9 } })

  it('a member in an unknown state is fenced unless it reports no partitions', () => {
    for (const owned of [{}, owning(FOO, 0), owning(FOO)]) {
      expect(() => reconcile(unknown, to({ [FOO]: [0] }, owned))).toThrow(
        expect.objectContaining({
          code: 'FENCED_MEMBER_EPOCH',
          message:
            'The consumer group member is in a unknown state. The member must abandon all its partitions and rejoin.'
        })
      )
    }
  })

  it('a member in an unknown state that reports no partitions advances to its target', () => {
    expect(plain(reconcile(unknown, to({ [FOO]: [2] }, NOTHING)))).toEqual({
      epochs: [10, 11],
      state: 'Stable',
      assigned: epochs({ [FOO]: { 2: 11 } }),
      pendingRevocation: new Map()
    })
  })
})
