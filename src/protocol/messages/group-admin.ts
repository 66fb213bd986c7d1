/** Admin APIs of groups: describe, list and delete groups, and delete committed offsets (KIP-518, KIP-496). */
import { api } from '../api.ts'
import { array, boolean, bytes, errorCode, int32, nullableString, string } from '../wire/schema.ts'
import { NOT_ASKED_FOR } from './metadata.ts'
import { topLevelError } from './refusals.ts'

export const DescribeGroups = api({
  key: 15,
  name: 'DescribeGroups',
  versions: [0, 6],
  flexibleSince: 5,
  request: { groups: array(string), includeAuthorizedOperations: boolean.since(3).or(false) },
  response: {
    throttleTimeMs: int32.since(1).or(0),
    groups: array({
      errorCode,
      errorMessage: nullableString.since(6),
      groupId: string,
      groupState: string.or(''),
      protocolType: string.or(''),
      /** Name of the selected protocol while the group is stable. */
      protocolData: string.or(''),
      members: array({
        memberId: string,
        groupInstanceId: nullableString.since(4),
        clientId: string,
        clientHost: string,
        memberMetadata: bytes,
        memberAssignment: bytes
      }).or([]),
      authorizedOperations: int32.since(3).or(NOT_ASKED_FOR)
    })
  },
  refuse: ({ groups }, { code }) => ({ groups: groups.map(groupId => ({ groupId, errorCode: code })) })
})

export const ListGroups = api({
  key: 16,
  name: 'ListGroups',
  versions: [0, 5],
  flexibleSince: 3,
  request: {
    /** Empty requests all groups. */
    statesFilter: array(string).since(4).or([]),
    typesFilter: array(string).since(5).or([])
  },
  response: {
    throttleTimeMs: int32.since(1).or(0),
    errorCode,
    groups: array({
      groupId: string,
      protocolType: string,
      groupState: string.since(4).or(''),
      groupType: string.since(5).or('')
    }).or([])
  },
  refuse: topLevelError
})

export const DeleteGroups = api({
  key: 42,
  name: 'DeleteGroups',
  versions: [0, 3],
  flexibleSince: 2,
  request: { groupsNames: array(string) },
  response: {
    throttleTimeMs: int32.or(0),
    results: array({ groupId: string, errorCode, errorMessage: nullableString.since(3) })
  },
  refuse: ({ groupsNames }, { code }) => ({ results: groupsNames.map(groupId => ({ groupId, errorCode: code })) })
})

export const OffsetDelete = api({
  key: 47,
  name: 'OffsetDelete',
  versions: [0, 0],
  // OffsetDelete has no flexible version yet.
  flexibleSince: 1,
  request: {
    groupId: string,
    topics: array({ name: string, partitions: array({ partitionIndex: int32 }) })
  },
  response: {
    errorCode,
    throttleTimeMs: int32.or(0),
    topics: array({ name: string, partitions: array({ partitionIndex: int32, errorCode }) }).or([])
  },
  refuse: topLevelError
})
