/**
 * The consumer group protocol (KIP-848): one heartbeat joins, reports, reconciles and leaves; Describe shows a group.
 * In a heartbeat null, or -1 for the timeout, says that nothing has changed since the member's last one.
 */
import { api } from '../api.ts'
import { array, boolean, errorCode, int8, int32, nullableString, string, struct, uuid } from '../wire/schema.ts'
import { NOT_ASKED_FOR } from './metadata.ts'
import { topLevelError } from './refusals.ts'

/** Partitions of a topic, as member and coordinator name them to each other. */
const topicPartitions = array({ topicId: uuid, partitions: array(int32) })

export const ConsumerGroupHeartbeat = api({
  key: 68,
  name: 'ConsumerGroupHeartbeat',
  versions: [0, 1],
  flexibleSince: 0,
  request: {
    groupId: string,
    /** Chosen by the member from version 1 on (KIP-1082); empty in version 0 asks the coordinator for one. */
    memberId: string,
    /** 0 joins, -1 leaves, -2 is a static member that will be back. */
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
    /** Null where it is the one that the member knows already. */
    assignment: struct({ topicPartitions }).nullableSince(0).or(null)
  },
  refuse: topLevelError
})

/** Partitions that a member has, or shall have, for people to read. */
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
        /** 0: a classic member, 1: one of the consumer protocol (KIP-1099). */
        memberType: int8.since(1).or(-1)
      }).or([]),
      authorizedOperations: int32.or(NOT_ASKED_FOR)
    })
  },
  refuse: ({ groupIds }, { code }) => ({ groups: groupIds.map(groupId => ({ groupId, errorCode: code })) })
})
