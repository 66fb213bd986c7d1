/** The classic group protocol: FindCoordinator, JoinGroup, SyncGroup, Heartbeat, LeaveGroup (KIP-345, KIP-699). */
import { api } from '../api.ts'
import { array, boolean, bytes, errorCode, int8, int32, nullableString, string } from '../wire/schema.ts'
import { errorFields, topLevelError } from './refusals.ts'

/** First version of FindCoordinator with several keys. */
const BATCHED_SINCE = 4
/** First version of JoinGroup with null for the protocol of a failed join. */
const NULL_PROTOCOL_NAME_SINCE = 7

export const FindCoordinator = api({
  key: 10,
  name: 'FindCoordinator',
  versions: [0, 6],
  flexibleSince: 3,
  request: {
    key: string.until(3).or(''),
    keyType: int8.since(1).or(0),
    coordinatorKeys: array(string).since(4).or([])
  },
  response: {
    throttleTimeMs: int32.since(1).or(0),
    errorCode: errorCode.until(3).or('NONE'),
    errorMessage: nullableString.since(1).until(3),
    nodeId: int32.until(3).or(0),
    host: string.until(3).or(''),
    port: int32.until(3).or(0),
    coordinators: array({
      key: string,
      nodeId: int32,
      host: string,
      port: int32,
      errorCode,
      errorMessage: nullableString
    })
      .since(4)
      .or([])
  },
  refuse({ coordinatorKeys }, error, version) {
    const none = { ...errorFields(error), nodeId: -1, host: '', port: -1 }
    return version < BATCHED_SINCE ? none : { coordinators: coordinatorKeys.map(key => ({ key, ...none })) }
  }
})

export const JoinGroup = api({
  key: 11,
  name: 'JoinGroup',
  versions: [0, 9],
  flexibleSince: 6,
  request: {
    groupId: string,
    sessionTimeoutMs: int32,
    /** -1 in version 0, in which the session timeout is also the rebalance timeout. */
    rebalanceTimeoutMs: int32.since(1).or(-1),
    memberId: string,
    groupInstanceId: nullableString.since(5),
    protocolType: string,
    protocols: array({ name: string, metadata: bytes }),
    reason: nullableString.since(8)
  },
  response: {
    throttleTimeMs: int32.since(2).or(0),
    errorCode,
    generationId: int32.or(-1),
    protocolType: nullableString.since(7),
    protocolName: string.nullableSince(7).or(''),
    leader: string.or(''),
    skipAssignment: boolean.since(9).or(false),
    memberId: string.or(''),
    members: array({ memberId: string, groupInstanceId: nullableString.since(5), metadata: bytes }).or([])
  },
  refuse: (_request, { code }, version) => ({
    errorCode: code,
    protocolName: version < NULL_PROTOCOL_NAME_SINCE ? '' : null
  })
})

export const SyncGroup = api({
  key: 14,
  name: 'SyncGroup',
  versions: [0, 5],
  flexibleSince: 4,
  request: {
    groupId: string,
    generationId: int32,
    memberId: string,
    groupInstanceId: nullableString.since(3),
    protocolType: nullableString.since(5),
    protocolName: nullableString.since(5),
    assignments: array({ memberId: string, assignment: bytes })
  },
  response: {
    throttleTimeMs: int32.since(1).or(0),
    errorCode,
    protocolType: nullableString.since(5),
    protocolName: nullableString.since(5),
    assignment: bytes.or(bytes.absent)
  },
  refuse: topLevelError
})

export const Heartbeat = api({
  key: 12,
  name: 'Heartbeat',
  versions: [0, 4],
  flexibleSince: 4,
  request: { groupId: string, generationId: int32, memberId: string, groupInstanceId: nullableString.since(3) },
  response: { throttleTimeMs: int32.since(1).or(0), errorCode },
  refuse: topLevelError
})

export const LeaveGroup = api({
  key: 13,
  name: 'LeaveGroup',
  versions: [0, 5],
  flexibleSince: 4,
  request: {
    groupId: string,
    /** The leaving member in versions 0 to 2. Later versions have `members`. */
    memberId: string.until(2).or(''),
    members: array({ memberId: string, groupInstanceId: nullableString, reason: nullableString.since(5) })
      .since(3)
      .or([])
  },
  response: {
    throttleTimeMs: int32.since(1).or(0),
    errorCode,
    members: array({ memberId: string, groupInstanceId: nullableString, errorCode }).since(3).or([])
  },
  refuse: topLevelError
})
