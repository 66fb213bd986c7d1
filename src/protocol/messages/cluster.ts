/** DescribeCluster: cluster id, controller and brokers, for admin clients (KIP-700). */
import { api } from '../api.ts'
import { array, boolean, errorCode, int8, int32, nullableString, string } from '../wire/schema.ts'
import { NOT_ASKED_FOR } from './metadata.ts'
import { errorFields } from './refusals.ts'

export const DescribeCluster = api({
  key: 60,
  name: 'DescribeCluster',
  versions: [0, 2],
  flexibleSince: 0,
  request: {
    includeClusterAuthorizedOperations: boolean.or(false),
    /** 1 requests brokers, 2 controllers (KIP-919). */
    endpointType: int8.since(1).or(1),
    includeFencedBrokers: boolean.since(2).or(false)
  },
  response: {
    throttleTimeMs: int32.or(0),
    errorCode,
    errorMessage: nullableString,
    endpointType: int8.since(1).or(1),
    clusterId: string,
    controllerId: int32.or(-1),
    brokers: array({
      brokerId: int32,
      host: string,
      port: int32,
      rack: nullableString,
      isFenced: boolean.since(2).or(false)
    }),
    clusterAuthorizedOperations: int32.or(NOT_ASKED_FOR)
  },
  refuse: (_request, error) => ({ ...errorFields(error), clusterId: '', brokers: [] })
})
