// The visible state of groups: ListGroups, both kinds of descriptions, committed offsets, group configs.
import { expect } from 'vitest'
import { APIS } from '../../../src/protocol/messages/index.ts'
import type { Session } from '../oracle/session.ts'
import { received } from './cluster-view.ts'

const { ConsumerGroupDescribe, DescribeConfigs, DescribeGroups, ListConfigResources, ListGroups, OffsetFetch } = APIS
const GROUP = 32
/** The config source of a group config. */
const SET = 8

/** The state as plain data. */
export async function viewGroups(session: Session, groupIds: readonly string[]) {
  const groups = [...groupIds]
  const listed = received(await session.sendRequest(ListGroups, 5, {})).groups
  const classic = received(await session.sendRequest(DescribeGroups, 6, { groups })).groups
  const consumer = received(await session.sendRequest(ConsumerGroupDescribe, 1, { groupIds: groups })).groups
  for (const { groupId, members } of consumer) {
    const owned = members.flatMap(({ memberId: _, assignment }) =>
      assignment.topicPartitions.flatMap(({ topicName, partitions }) =>
        partitions.map(partition => `${topicName}-${partition}`)
      )
    )
    expect(owned.toSorted(), `what members of ${groupId} own`).toEqual([...new Set(owned)].toSorted())
  }
  return {
    listed: inOrder(listed, ({ groupId }) => groupId),
    classic: inOrder(classic, ({ groupId }) => groupId).map(({ members, ...group }) => ({
      ...group,
      members: inOrder(members, member => member.memberId)
    })),
    consumer: inOrder(consumer, ({ groupId }) => groupId).map(({ members, ...group }) => ({
      ...group,
      members: inOrder(members, member => member.memberId).map(({ assignment, targetAssignment, ...member }) => ({
        ...member,
        subscribedTopicNames: member.subscribedTopicNames.toSorted(),
        assignment: lines(assignment),
        targetAssignment: lines(targetAssignment)
      }))
    })),
    committed: await committedBy(session, groups),
    settings: await settingsOf(session, groups)
  }
}

function lines({
  topicPartitions
}: {
  readonly topicPartitions: readonly {
    readonly topicName: string
    readonly topicId: string
    readonly partitions: readonly number[]
  }[]
}): string[] {
  return topicPartitions
    .map(({ topicName, topicId, partitions }) => `${topicName} ${topicId}: ${partitions.toSorted((a, b) => a - b)}`)
    .toSorted()
}

async function committedBy(session: Session, groupIds: readonly string[]) {
  const asked = { groups: groupIds.map(groupId => ({ groupId, topics: null })) }
  const { groups } = received(await session.sendRequest(OffsetFetch, 9, asked))
  return inOrder(groups, ({ groupId }) => groupId).map(({ groupId, errorCode, topics }) => ({
    ...{ groupId, errorCode },
    topics: inOrder(topics, ({ name }) => name).map(({ name, partitions }) => ({
      name,
      partitions: partitions.toSorted((a, b) => a.partitionIndex - b.partitionIndex)
    }))
  }))
}

async function settingsOf(session: Session, groupIds: readonly string[]) {
  const { configResources } = received(await session.sendRequest(ListConfigResources, 1, { resourceTypes: [GROUP] }))
  const resources = groupIds.map(resourceName => ({ resourceType: GROUP, resourceName }))
  const { results } = received(await session.sendRequest(DescribeConfigs, 4, { resources }))
  const set = inOrder(results, result => result.resourceName).map(({ resourceName, errorCode, configs }) => ({
    ...{ resourceName, errorCode },
    configs: inOrder(configs, ({ name }) => name).filter(({ configSource }) => configSource === SET)
  }))
  return { listed: inOrder(configResources, resource => resource.resourceName), set }
}

function inOrder<T>(things: readonly T[], nameOf: (thing: T) => string): T[] {
  return things.toSorted((thing, other) => (nameOf(thing) < nameOf(other) ? -1 : 1))
}
