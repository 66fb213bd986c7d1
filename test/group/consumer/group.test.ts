// Replay of the records of a consumer group, valid and invalid ones.
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

describe('owners of partitions', () => {
  it('the owner of a partition is its member, also while the member revokes the partition', () => {
    apply(current({ ...member('a', 3, 0), pendingRevocation: epochs(BAR, 1) }))
    expect([group.ownerEpoch(FOO, 0), group.ownerEpoch(BAR, 1), group.ownerEpoch(FOO, 1)]).toEqual([3, 3, undefined])
  })

  it('the owner of a partition changes in any order of the records of a compacted log', () => {
    apply(current(member('a', 3, 0)), current(member('b', 4, 0)), current(member('a', 4)))
    expect(group.ownerEpoch(FOO, 0)).toBe(4)
    apply(current(member('b', 5)))
    expect(group.ownerEpoch(FOO, 0)).toBeUndefined()
  })

  it('a removed member owns no partitions', () => {
    apply(current(member('a', 3, 0)), tombstone('ConsumerGroupCurrentMemberAssignment', 'a'))
    expect(group.ownerEpoch(FOO, 0)).toBeUndefined()
    expect(group.members.get('a')?.memberEpoch).toBe(-1)
  })

  it('a partition with two owners in the same epoch is malformed', () => {
    apply(current(member('a', 3, 0)))
    expect(() => apply(current(member('b', 3, 0)))).toThrow(MalformedFrame)
  })
})

describe('replay of a consumer group', () => {
  it('tombstones in another order than member assignments, targets, members and group are malformed', () => {
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

  it('tombstones without their records are accepted, as in a compacted log', () => {
    apply(
      tombstone('ConsumerGroupCurrentMemberAssignment', 'a'),
      tombstone('ConsumerGroupTargetAssignmentMember', 'a'),
      tombstone('ConsumerGroupMemberMetadata', 'a'),
      TARGET_END,
      GROUP_END
    )
    expect(group.members.size).toBe(0)
  })

  it('a record of the current assignment may precede the metadata of its member', () => {
    apply(current(member('a', 3, 0)), metadata({ ...member('a', 0), instanceId: 'i' }))
    expect(group.staticMember('i')).toMatchObject({ memberEpoch: 3, assigned: epochs(FOO, 0) })
    expect(group.subscribedTopics).toEqual(new Set(['foo']))
  })

  it('an assignment of a broker before 4.3 has no assignment epochs and gets the epoch of its member', () => {
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

  it('a member in a state of a newer broker has the state Unknown', () => {
    const record = current(member('a', 3, 0))
    if (record.type === 'ConsumerGroupCurrentMemberAssignment' && record.value) record.value.state = 9
    apply(record)
    expect(group.members.get('a')?.state).toBe('Unknown')
  })
})

describe('copies of consumer groups', () => {
  it('a copy does not change with its original', () => {
    apply(metadata(member('a', 0)), current(member('a', 3, 0)), target('a', 0))
    const copy = group.copy()
    apply(metadata({ ...member('b', 0), instanceId: 'i', subscribedTopicNames: ['bar'] }), current(member('b', 3, 1)))
    apply(target('b', 1), tombstone('ConsumerGroupCurrentMemberAssignment', 'a'))
    expect([...copy.members.keys()]).toEqual(['a'])
    expect([...copy.targets.keys()]).toEqual(['a'])
    expect(copy.members.get('a')?.memberEpoch).toBe(3)
    expect([copy.ownerEpoch(FOO, 0), copy.ownerEpoch(FOO, 1)]).toEqual([3, undefined])
    expect(copy.staticMember('i')).toBeUndefined()
    expect(copy.subscribedTopics).toEqual(new Set(['foo']))
  })
})
