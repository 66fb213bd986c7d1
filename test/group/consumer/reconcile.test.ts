import { describe, expect, it } from 'vitest'
import { type ConsumerMember, newMember } from '../../../src/group/consumer/member.ts'
import { type Destination, reconcile } from '../../../src/group/consumer/reconcile.ts'

const FOO = 'AAAAAAAAAAAAAAAAAAAAAQ'
const BAR = 'AAAAAAAAAAAAAAAAAAAAAg'

/** Partitions by topic, each with the epoch in which it came. */
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

/** To epoch 11, subscribed to everything, with nobody else around, in a request that says nothing. */
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
/** Somebody else has these. */
const taken = (...partitions: number[]) => ({
  ownerEpoch: (_: string, partition: number) => (partitions.includes(partition) ? 10 : undefined)
})

describe('a stable member', () => {
  it('stays the same at the epoch of its target', () => {
    const stable = member({}, { [FOO]: { 0: 9 } })
    expect(reconcile(stable, to({ [FOO]: [5] }, { targetEpoch: 10 }))).toBe(stable)
  })

  it('goes to a new epoch at once when it keeps what it has', () => {
    const next = reconcile(member({}, { [FOO]: { 0: 9 } }), to({ [FOO]: [0] }))
    expect(plain(next)).toEqual({
      epochs: [10, 11],
      state: 'Stable',
      assigned: epochs({ [FOO]: { 0: 9 } }),
      pendingRevocation: new Map()
    })
  })

  it('gets what is free with the new epoch, and keeps the rest with its own', () => {
    const next = reconcile(member({}, { [FOO]: { 3: 9 } }), to({ [FOO]: [3, 1], [BAR]: [2, 0] }))
    expect(plain(next)).toMatchObject({ epochs: [10, 11], state: 'Stable' })
    expect(next.assigned).toEqual(epochs({ [FOO]: { 1: 11, 3: 9 }, [BAR]: { 0: 11, 2: 11 } }))
    expect([...next.assigned.values()].map(partitions => [...partitions.keys()])).toEqual([
      [1, 3],
      [0, 2]
    ])
  })

  it('revokes first, and keeps its epoch meanwhile', () => {
    const next = reconcile(member({}, { [FOO]: { 0: 9, 1: 9 } }), to({ [FOO]: [1, 2] }))
    expect(plain(next)).toEqual({
      epochs: [10, 10],
      state: 'UnrevokedPartitions',
      assigned: epochs({ [FOO]: { 1: 9 } }),
      pendingRevocation: epochs({ [FOO]: { 0: 9 } })
    })
  })

  it('need not revoke what it says it does not own', () => {
    const next = reconcile(member({}, { [FOO]: { 0: 9, 1: 9 } }), to({ [FOO]: [1, 2] }, owning(FOO, 1)))
    expect(plain(next)).toEqual({
      epochs: [10, 11],
      state: 'Stable',
      assigned: epochs({ [FOO]: { 1: 9, 2: 11 } }),
      pendingRevocation: new Map()
    })
  })

  it('waits in the new epoch for what others still own', () => {
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

  it('gives up topics that it is not subscribed to, though the target is still to change', () => {
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

describe('a stable member that changes its subscription within an epoch', () => {
  const changed = {
    targetEpoch: 10,
    hasSubscriptionChanged: true,
    subscribedTopicIds: new Set([FOO])
  }

  it('stays the same when it has nothing to give up', () => {
    const stable = member({}, { [FOO]: { 0: 9 } })
    expect(reconcile(stable, to({ [FOO]: [5] }, changed))).toBe(stable)
    const empty = member({})
    expect(reconcile(empty, to({}, { ...changed, subscribedTopicIds: new Set<string>() }))).toBe(empty)
  })

  it('revokes the topics that it left, and gets nothing of a target', () => {
    const next = reconcile(member({}, { [FOO]: { 0: 9 }, [BAR]: { 1: 8 } }), to({ [FOO]: [0, 5] }, changed))
    expect(plain(next)).toEqual({
      epochs: [10, 10],
      state: 'UnrevokedPartitions',
      assigned: epochs({ [FOO]: { 0: 9 } }),
      pendingRevocation: epochs({ [BAR]: { 1: 8 } })
    })
  })

  it('just loses what it says it does not own', () => {
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

describe('a member with partitions to revoke', () => {
  const revoking = member({ state: 'UnrevokedPartitions' }, { [FOO]: { 1: 9 } }, { [FOO]: { 0: 9 } })

  it('stays the same while its request does not say what it owns', () => {
    expect(reconcile(revoking, to({ [FOO]: [1, 2] }))).toBe(revoking)
  })

  it('stays the same while it owns any of them', () => {
    expect(reconcile(revoking, to({ [FOO]: [1, 2] }, owning(FOO, 0, 1)))).toBe(revoking)
  })

  it('goes on once it does not', () => {
    expect(plain(reconcile(revoking, to({ [FOO]: [1, 2] }, owning(FOO, 1))))).toEqual({
      epochs: [10, 11],
      state: 'Stable',
      assigned: epochs({ [FOO]: { 1: 9, 2: 11 } }),
      pendingRevocation: new Map()
    })
  })

  it('revokes more when the target has moved meanwhile', () => {
    const next = reconcile(revoking, to({ [FOO]: [2] }, owning(FOO, 1)))
    expect(plain(next)).toEqual({
      epochs: [10, 10],
      state: 'UnrevokedPartitions',
      assigned: new Map(),
      pendingRevocation: epochs({ [FOO]: { 1: 9 } })
    })
  })

  it('takes back at once what it had to revoke itself, in the new epoch', () => {
    const next = reconcile(revoking, to({ [FOO]: [0, 1] }, { ...owning(FOO, 1), ...taken(0, 1) }))
    expect(plain(next)).toMatchObject({ state: 'Stable', assigned: epochs({ [FOO]: { 0: 11, 1: 9 } }) })
  })

  it('revokes more when it leaves a topic meanwhile', () => {
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

describe('a member that waits for partitions of others', () => {
  const waiting = member({ state: 'UnreleasedPartitions', previousMemberEpoch: 10 }, { [FOO]: { 0: 9 } })

  it('stays the same while they are taken', () => {
    expect(reconcile(waiting, to({ [FOO]: [0, 1] }, { targetEpoch: 10, ...taken(1) }))).toBe(waiting)
  })

  it('forgets its former epoch on its next step, wherever that leads', () => {
    const fresh = { ...waiting, previousMemberEpoch: 9 }
    const next = reconcile(fresh, to({ [FOO]: [0, 1] }, { targetEpoch: 10, ...taken(1) }))
    expect(next).toEqual({ ...fresh, previousMemberEpoch: 10 })
  })

  it('gets them as they become free', () => {
    const first = reconcile(waiting, to({ [FOO]: [0, 1, 2] }, { targetEpoch: 10, ...taken(2) }))
    expect(plain(first)).toMatchObject({ state: 'UnreleasedPartitions', assigned: epochs({ [FOO]: { 0: 9, 1: 10 } }) })
    const second = reconcile(first, to({ [FOO]: [0, 1, 2] }, { targetEpoch: 10 }))
    expect(plain(second)).toMatchObject({ state: 'Stable', assigned: epochs({ [FOO]: { 0: 9, 1: 10, 2: 10 } }) })
  })

  it('revokes when the target has moved', () => {
    expect(reconcile(waiting, to({}))).toMatchObject({ memberEpoch: 10, state: 'UnrevokedPartitions' })
  })
})

describe('a member in a state of a newer broker', () => {
  const unknown = member({ state: 'Unknown' }, { [FOO]: { 0: 9 } }, { [FOO]: { 1: 9 } })

  it('is fenced until it says that it owns nothing', () => {
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

  it('then goes its way', () => {
    expect(plain(reconcile(unknown, to({ [FOO]: [2] }, NOTHING)))).toEqual({
      epochs: [10, 11],
      state: 'Stable',
      assigned: epochs({ [FOO]: { 2: 11 } }),
      pendingRevocation: new Map()
    })
  })
})
