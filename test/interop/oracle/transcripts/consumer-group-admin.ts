// Admin requests for groups of any kind, sent for consumer groups (KIP-848): while members join, stay and leave, with
// subscriptions by name and by regular expression, and for empty, deleted and recreated groups.
import { APIS } from '../../../../src/protocol/messages/index.ts'
import { arrange, atEachVersion, call, type Step } from '../transcript.ts'
import { Group } from './group.ts'
import { records } from './group-records.ts'
import { topic } from './topic.ts'

const {
  ConsumerGroupDescribe,
  ConsumerGroupHeartbeat,
  DeleteGroups,
  DescribeGroups,
  ListGroups,
  OffsetCommit,
  OffsetDelete,
  OffsetFetch
} = APIS
const TOPIC = 'consumer-admin'
const OTHER = 'consumer-admin-other'
const PREFIX = 'consumer-admin-'
const BROUGHT = { [DeleteGroups.versions[1]]: '4.4.0' }

/** The step name under which the session keeps the last epoch of a member. */
const epochOf = (groupId: string, memberId: string) => `the epoch of ${memberId} in ${groupId}`

/** A heartbeat. Compares only response fields that do not depend on timing. */
function beat(groupId: string, memberId: string, name: string, more: { memberEpoch?: number } = {}): Step {
  const step = call(
    `${memberId} ${name}`,
    ConsumerGroupHeartbeat,
    1,
    session => {
      const { memberEpoch = Number(session.recall(epochOf(groupId, memberId))) } = more
      return { groupId, memberId, ...more, memberEpoch }
    },
    { compare: ({ errorCode, memberEpoch }) => ({ errorCode, memberEpoch }) }
  )
  return {
    ...step,
    play: async session => {
      const outcome = await step.play(session)
      const { errorCode, memberEpoch } = step.answerTo(session)
      if (errorCode === 'NONE') session.remember(epochOf(groupId, memberId), memberEpoch)
      return outcome
    }
  }
}

const joins = (groupId: string, memberId: string, subscription: object): Step =>
  beat(groupId, memberId, 'joins', {
    ...{ memberEpoch: 0, rebalanceTimeoutMs: 30_000, topicPartitions: [], subscribedTopicNames: [] },
    ...subscription
  })

const leaves = (groupId: string, memberId: string): Step => beat(groupId, memberId, 'leaves', { memberEpoch: -1 })

/** Members report their assignments until the group is stable. */
const settles = (groupId: string, ...memberIds: string[]): Step =>
  arrange(`${groupId} is stable`, async session => {
    for (let isStable = false; !isStable; ) {
      for (const memberId of memberIds) {
        const memberEpoch = Number(session.recall(epochOf(groupId, memberId)))
        const owned = session.recall(`what ${memberId} owns`) as readonly object[]
        const request = { groupId, memberId, memberEpoch, topicPartitions: [...owned] as never }
        const answer = await session.sendRequest(ConsumerGroupHeartbeat, 1, request)
        if (typeof answer === 'string') throw new Error(`the heartbeat of ${memberId} is ${answer}`)
        session.remember(epochOf(groupId, memberId), answer.memberEpoch)
        if (answer.assignment) session.remember(`what ${memberId} owns`, answer.assignment.topicPartitions)
      }
      const described = await session.sendRequest(ConsumerGroupDescribe, 1, { groupIds: [groupId] })
      const [group] = typeof described === 'string' ? [] : described.groups
      const hasAll = group?.members.every(({ assignment }) => assignment.topicPartitions.length > 0)
      isStable = group?.groupState === 'Stable' && hasAll === true
    }
  })

const ownsNothing = (...memberIds: string[]): Step =>
  arrange('no member owns partitions', async session => {
    for (const memberId of memberIds) session.remember(`what ${memberId} owns`, [])
  })

const commits = (groupId: string, memberId: string | null, ...names: string[]): Step =>
  call(`${groupId} commits`, OffsetCommit, 9, session => ({
    groupId,
    ...(memberId && {
      memberId,
      generationIdOrMemberEpoch: Number(session.recall(epochOf(groupId, memberId)))
    }),
    topics: names.map(name => {
      return { name, partitions: [{ partitionIndex: 0, committedOffset: 3n, committedMetadata: '' }] }
    })
  }))

const offsets = (groupId: string): Step => call(`offsets of ${groupId}`, OffsetFetch, 7, { groupId, topics: null })

const listed = (name: string, version: number, request: object = {}): Step =>
  call(name, ListGroups, version, request, {
    compare: ({ groups, ...answer }) => ({
      ...answer,
      groups: groups.filter(group => group.groupId.startsWith(PREFIX))
    })
  })

/** All requests without side effects. */
const look = (groupId: string, state: string): Step[] => [
  ...atEachVersion(`described, ${state}`, DescribeGroups, version => ({
    groups: [groupId],
    ...(version >= 3 && { includeAuthorizedOperations: true })
  })),
  ...[0, 1, 2, 3, 4, 5].map(version => listed(`all, ${state}`, version)),
  listed(`of consumer groups, ${state}`, 5, { typesFilter: ['Consumer'] }),
  listed(`of classic groups, ${state}`, 5, { typesFilter: ['classic'] }),
  ...['stable', ' RECONCILING ', 'assigning', 'empty', 'PreparingRebalance'].map(stateFilter =>
    listed(`${stateFilter}, ${state}`, 4, { statesFilter: [stateFilter] })
  )
]

const refused = (groupId: string, state: string): Step[] => [
  ...atEachVersion(`deleted, ${state}`, DeleteGroups, () => ({ groupsNames: [groupId] }), { since: BROUGHT }),
  ...undone(groupId, state)
]

const undone = (groupId: string, state: string): Step[] => [
  call(`offsets deleted, ${state}`, OffsetDelete, 0, {
    groupId,
    topics: [TOPIC, OTHER, 'nowhere'].map(name => ({
      name,
      partitions: [{ partitionIndex: 0 }, { partitionIndex: 9 }]
    }))
  }),
  offsets(groupId)
]

/**
 * The tombstones of a group, in order. The order of other records depends on topic ids and on the timing of heartbeats.
 */
function ended(groupId: string): Step {
  const step = records(groupId)
  return {
    ...step,
    play: async session => {
      const { records: recorded } = (await step.play(session)) as {
        records: readonly { type: string; value: unknown }[]
      }
      return recorded.filter(({ value }) => value === null)
    }
  }
}

const named = 'consumer-admin-named'
const byNames: Step[] = [
  new Group(named).found(),
  ownsNothing('one', 'two'),
  joins(named, 'one', { subscribedTopicNames: [TOPIC] }),
  settles(named, 'one'),
  commits(named, 'one', TOPIC, OTHER),
  ...look(named, 'stable'),
  ...refused(named, 'stable'),
  joins(named, 'two', { subscribedTopicNames: [TOPIC] }),
  ...look(named, 'reconciling'),
  ...refused(named, 'reconciling'),
  settles(named, 'one', 'two'),
  commits(named, 'two', TOPIC, OTHER),
  leaves(named, 'one'),
  leaves(named, 'two'),
  ...look(named, 'empty'),
  ...undone(named, 'empty'),
  // Kafka writes the tombstones of several topics in the order of a hash map.
  commits(named, null, TOPIC),
  call('it is deleted', DeleteGroups, 2, { groupsNames: [named] }),
  offsets(named),
  ...look(named, 'deleted'),
  beat(named, 'one', 'is not a member now'),
  call('the response has no more', ConsumerGroupDescribe, 1, { groupIds: [named] }),
  commits(named, null, TOPIC),
  ...look(named, 'recreated by a commit'),
  call('it is deleted again', DeleteGroups, 2, { groupsNames: [named] }),
  joins(named, 'one', { subscribedTopicNames: [TOPIC] }),
  leaves(named, 'one'),
  call('it is deleted a third time', DeleteGroups, 2, { groupsNames: [named] }),
  ended(named)
]

const matched = 'consumer-admin-matched'
const byRegex: Step[] = [
  new Group(matched).found(),
  ownsNothing('three'),
  joins(matched, 'three', { subscribedTopicRegex: 'consumer-admin' }),
  settles(matched, 'three'),
  commits(matched, 'three', TOPIC, OTHER),
  ...refused(matched, 'by a regular expression'),
  leaves(matched, 'three'),
  ...undone(matched, 'without a regular expression'),
  call('it is deleted', DeleteGroups, 2, { groupsNames: [matched] })
]

export const consumerGroupAdmin: Step[] = [topic(TOPIC, 2), topic(OTHER), ...byNames, ...byRegex]
