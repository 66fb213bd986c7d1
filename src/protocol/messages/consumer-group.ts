/**
 * The consumer group protocol (KIP-848). A member joins, reports, reconciles and leaves by heartbeats. In a heartbeat, null (-1
 * for the rebalance timeout) means: unchanged since the last heartbeat.
 */
import { api } from '../api.ts'
import { array, boolean, errorCode, int8, int32, nullableString, string, struct, uuid } from '../wire/schema.ts'
import { NOT_ASKED_FOR } from './metadata.ts'
import { topLevelError } from './refusals.ts'

/** Partitions of a topic in heartbeats. */
const topicPartitions = array({ topicId: uuid, partitions: array(int32) })

export const ConsumerGroupHeartbeat = api({
  key: 68,
  name: 'ConsumerGroupHeartbeat',
  versions: [0, 1],
  flexibleSince: 0,
  request: {
    groupId: string,
    /** From version 1 on the member generates its id (KIP-1082). In version 0 an empty id requests one from the coordinator. */
    memberId: string,
    /** 0: join, -1: leave, -2: a static member leaves temporarily. */
    memberEpoch: int32,
    instanceId: nullableString,
    rackId: nullableString,
    rebalanceTimeoutMs: int32.or(-1),
    subscribedTopicNames: array(string).nullableSince(0).or(null),
    subscribedTopicRegex: nullableString.since(1),
    serverAssignor: nullableString,
    topicPartitions: topicPartitions.nullableSince(0).or(null)
  },
  response: {
    throttleTimeMs: int32.or(0),
    errorCode,
    errorMessage: nullableString,
    memberId: nullableString,
    memberEpoch: int32.or(0),
    heartbeatIntervalMs: int32.or(0),
    /** Null if the assignment is unchanged since the last response. */
    assignment: struct({ topicPartitions }).nullableSince(0).or(null)
  },
  refuse: topLevelError
})

/** Current or target assignment of a member, with topic names. */
const assignment = struct({
  topicPartitions: array({ topicId: uuid, topicName: string, partitions: array(int32) }).or([])
})

export const ConsumerGroupDescribe = api({
  key: 69,
  name: 'ConsumerGroupDescribe',
  versions: [0, 1],
  flexibleSince: 0,
  request: { groupIds: array(string), includeAuthorizedOperations: boolean.or(false) },
  response: {
    throttleTimeMs: int32.or(0),
    groups: array({
      errorCode,
      errorMessage: nullableString,
      groupId: string,
      groupState: string.or(''),
      groupEpoch: int32.or(0),
      assignmentEpoch: int32.or(0),
      assignorName: string.or(''),
      members: array({
        memberId: string,
        instanceId: nullableString,
        rackId: nullableString,
        memberEpoch: int32,
        clientId: string,
        clientHost: string,
        subscribedTopicNames: array(string),
        subscribedTopicRegex: nullableString,
        assignment,
        targetAssignment: assignment,
        /** 0: classic member, 1: member with the consumer protocol (KIP-1099). */
        memberType: int8.since(1).or(-1)
      }).or([]),
      authorizedOperations: int32.or(NOT_ASKED_FOR)
    })
  },
  refuse: ({ groupIds }, { code }) => ({ groups: groupIds.map(groupId => ({ groupId, errorCode: code })) })
})
