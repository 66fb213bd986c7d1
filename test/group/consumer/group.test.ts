// The records of a consumer group, one after the other: what they make of it, and which cannot be.
import { beforeEach, describe, expect, it } from 'vitest'
import { ConsumerGroup } from '../../../src/group/consumer/group.ts'
import {
  type ConsumerMember,
  currentAssignmentOf,
  memberMetadataOf,
  newMember
} from '../../../src/group/consumer/member.ts'
import type { ConsumerGroupRecord } from '../../../src/group/consumer/records.ts'
import { MalformedFrame } from '../../../src/protocol/wire/bytes.ts'

const FOO = 'AAAAAAAAAAAAAAAAAAAAAQ'
const BAR = 'AAAAAAAAAAAAAAAAAAAAAg'
const groupId = 'g'

let group: ConsumerGroup

beforeEach(() => {
  group = new ConsumerGroup(groupId)
})

const epochs = (topicId: string, ...partitions: number[]) =>
  new Map(partitions.length > 0 ? [[topicId, new Map(partitions.map(partition => [partition, 1]))]] : [])

const member = (memberId: string, memberEpoch: number, ...partitions: number[]): ConsumerMember => ({
  ...newMember(memberId),
  ...{ memberEpoch, assigned: epochs(FOO, ...partitions), subscribedTopicNames: ['foo'] }
})

type Keyed =
  | 'ConsumerGroupMemberMetadata'
  | 'ConsumerGroupTargetAssignmentMember'
  | 'ConsumerGroupCurrentMemberAssignment'

const tombstone = (type: Keyed, memberId: string): ConsumerGroupRecord => ({
  type,
  key: { groupId, memberId },
  value: null
})
const metadata = (of: ConsumerMember): ConsumerGroupRecord => ({
  ...{ type: 'ConsumerGroupMemberMetadata', key: { groupId, memberId: of.memberId }, value: memberMetadataOf(of) }
})
const current = (of: ConsumerMember): ConsumerGroupRecord => ({
  ...{ type: 'ConsumerGroupCurrentMemberAssignment', key: { groupId, memberId: of.memberId } },
  value: currentAssignmentOf(of)
})
const target = (memberId: string, ...partitions: number[]): ConsumerGroupRecord => ({
  ...{ type: 'ConsumerGroupTargetAssignmentMember', key: { groupId, memberId } },
  value: { topicPartitions: [{ topicId: FOO, partitions }] }
})
const GROUP_END: ConsumerGroupRecord = { type: 'ConsumerGroupMetadata', key: { groupId }, value: null }
const TARGET_END: ConsumerGroupRecord = { type: 'ConsumerGroupTargetAssignmentMetadata', key: { groupId }, value: null }

function apply(...records: ConsumerGroupRecord[]): void {
  for (const record of records) group.apply(record)
}

describe('the owner of a partition', () => {
  it('is who was assigned it, also while it is being given up', () => {
    apply(current({ ...member('a', 3, 0), pendingRevocation: epochs(BAR, 1) }))
    expect([group.ownerEpoch(FOO, 0), group.ownerEpoch(BAR, 1), group.ownerEpoch(FOO, 1)]).toEqual([3, 3, undefined])
  })

  it('changes when one gives it up and another gets it, in whatever order a compacted log tells it', () => {
    apply(current(member('a', 3, 0)), current(member('b', 4, 0)), current(member('a', 4)))
    expect(group.ownerEpoch(FOO, 0)).toBe(4)
    apply(current(member('b', 5)))
    expect(group.ownerEpoch(FOO, 0)).toBeUndefined()
  })

  it('is none any more when its member goes', () => {
    apply(current(member('a', 3, 0)), tombstone('ConsumerGroupCurrentMemberAssignment', 'a'))
    expect(group.ownerEpoch(FOO, 0)).toBeUndefined()
    expect(group.members.get('a')?.memberEpoch).toBe(-1)
  })

  it('cannot be two in the same epoch', () => {
    apply(current(member('a', 3, 0)))
    expect(() => apply(current(member('b', 3, 0)))).toThrow(MalformedFrame)
  })
})

describe('a group in the log', () => {
  it('ends in order: members with what they have, targets, the group', () => {
    apply(metadata(member('a', 0)), current(member('a', 3, 0)), target('a', 0))
    expect(() => apply(tombstone('ConsumerGroupMemberMetadata', 'a'))).toThrow(MalformedFrame)
    apply(tombstone('ConsumerGroupCurrentMemberAssignment', 'a'))
    expect(() => apply(tombstone('ConsumerGroupMemberMetadata', 'a'))).toThrow(MalformedFrame)
    expect(() => apply(TARGET_END)).toThrow(MalformedFrame)
    apply(tombstone('ConsumerGroupTargetAssignmentMember', 'a'))
    apply(tombstone('ConsumerGroupMemberMetadata', 'a'))
    expect(() => apply(GROUP_END)).toThrow(MalformedFrame)
    apply(TARGET_END, GROUP_END)
    expect([group.members.size, group.targets.size, group.assignmentEpoch]).toEqual([0, 0, -1])
  })

  it('may end more than once, as far as it is compacted', () => {
    apply(
      tombstone('ConsumerGroupCurrentMemberAssignment', 'a'),
      tombstone('ConsumerGroupTargetAssignmentMember', 'a'),
      tombstone('ConsumerGroupMemberMetadata', 'a'),
      TARGET_END,
      GROUP_END
    )
    expect(group.members.size).toBe(0)
  })

  it('may have the assignment of a member before what that tells of itself', () => {
    apply(current(member('a', 3, 0)), metadata({ ...member('a', 0), instanceId: 'i' }))
    expect(group.staticMember('i')).toMatchObject({ memberEpoch: 3, assigned: epochs(FOO, 0) })
    expect(group.subscribedTopics).toEqual(new Set(['foo']))
  })

  it('of a broker before 4.3 does not say since when partitions are assigned: since the epoch of the member', () => {
    const { key, value, ...record } = current(member('a', 3, 0, 1)) as Extract<ConsumerGroupRecord, { type: Keyed }>
    const assignedPartitions = [{ topicId: FOO, partitions: [0, 1], assignmentEpochs: null }]
    apply({ ...record, key, value: { ...value, assignedPartitions } } as ConsumerGroupRecord)
    expect(group.members.get('a')?.assigned.get(FOO)).toEqual(
      new Map([
        [0, 3],
        [1, 3]
      ])
    )
  })

  it('of a broker that is newer may have members in states that we do not know', () => {
    const record = current(member('a', 3, 0))
    if (record.type === 'ConsumerGroupCurrentMemberAssignment' && record.value) record.value.state = 9
    apply(record)
    expect(group.members.get('a')?.state).toBe('Unknown')
  })
})

describe('a copy of a group', () => {
  it('changes alone', () => {
    apply(metadata(member('a', 0)), current(member('a', 3, 0)), target('a', 0))
    const copy = group.copy()
    apply(metadata({ ...member('b', 0), instanceId: 'i', subscribedTopicNames: ['bar'] }), current(member('b', 3, 1)))
    apply(target('b', 1), tombstone('ConsumerGroupCurrentMemberAssignment', 'a'))
    group.deadlines.set('b', 'session', 1)
    expect([...copy.members.keys()]).toEqual(['a'])
    expect([...copy.targets.keys()]).toEqual(['a'])
    expect(copy.members.get('a')?.memberEpoch).toBe(3)
    expect([copy.ownerEpoch(FOO, 0), copy.ownerEpoch(FOO, 1)]).toEqual([3, undefined])
    expect(copy.staticMember('i')).toBeUndefined()
    expect(copy.subscribedTopics).toEqual(new Set(['foo']))
    expect(copy.deadlines.next(0)).toBe(Number.POSITIVE_INFINITY)
  })
})
