/** Admin APIs of transactions and features (KIP-664, KIP-584). */
import { api } from '../api.ts'
import { array, boolean, errorCode, int8, int16, int32, int64, nullableString, string } from '../wire/schema.ts'
import { errorFields, topLevelError } from './refusals.ts'

export const UpdateFeatures = api({
  key: 57,
  name: 'UpdateFeatures',
  versions: [0, 2],
  flexibleSince: 0,
  request: {
    timeoutMs: int32.or(60_000),
    featureUpdates: array({
      feature: string,
      maxVersionLevel: int16,
      allowDowngrade: boolean.until(0).or(false),
      /** 1: upgrade, 2: safe downgrade, 3: unsafe downgrade. */
      upgradeType: int8.since(1).or(1)
    }),
    validateOnly: boolean.since(1).or(false)
  },
  response: {
    throttleTimeMs: int32.or(0),
    errorCode,
    errorMessage: nullableString,
    results: array({ feature: string, errorCode, errorMessage: nullableString }).until(1).or([])
  },
  refuse: (_request, error) => errorFields(error)
})

export const DescribeProducers = api({
  key: 61,
  name: 'DescribeProducers',
  versions: [0, 0],
  flexibleSince: 0,
  request: { topics: array({ name: string, partitionIndexes: array(int32) }) },
  response: {
    throttleTimeMs: int32.or(0),
    topics: array({
      name: string,
      partitions: array({
        partitionIndex: int32,
        errorCode,
        errorMessage: nullableString,
        activeProducers: array({
          producerId: int64,
          producerEpoch: int32,
          lastSequence: int32.or(-1),
          lastTimestamp: int64.or(-1n),
          coordinatorEpoch: int32,
          currentTxnStartOffset: int64.or(-1n)
        })
      })
    })
  },
  refuse: ({ topics }, { code }) => ({
    topics: topics.map(({ name, partitionIndexes }) => ({
      name,
      partitions: partitionIndexes.map(partitionIndex => ({ partitionIndex, errorCode: code, activeProducers: [] }))
    }))
  })
})

export const DescribeTransactions = api({
  key: 65,
  name: 'DescribeTransactions',
  versions: [0, 0],
  flexibleSince: 0,
  request: { transactionalIds: array(string) },
  response: {
    throttleTimeMs: int32.or(0),
    transactionStates: array({
      errorCode,
      transactionalId: string,
      transactionState: string.or(''),
      transactionTimeoutMs: int32.or(0),
      transactionStartTimeMs: int64.or(0n),
      producerId: int64.or(0n),
      producerEpoch: int16.or(0),
      topics: array({ topic: string, partitions: array(int32) }).or([])
    })
  },
  refuse: ({ transactionalIds }, { code }) => ({
    transactionStates: transactionalIds.map(transactionalId => ({ transactionalId, errorCode: code }))
  })
})

export const ListTransactions = api({
  key: 66,
  name: 'ListTransactions',
  versions: [0, 2],
  flexibleSince: 0,
  request: {
    stateFilters: array(string),
    producerIdFilters: array(int64),
    /** Lists only transactions that are open longer than this, in milliseconds. A negative value lists all. */
    durationFilter: int64.since(1).or(-1n),
    transactionalIdPattern: nullableString.since(2)
  },
  response: {
    throttleTimeMs: int32.or(0),
    errorCode,
    unknownStateFilters: array(string).or([]),
    transactionStates: array({ transactionalId: string, producerId: int64, transactionState: string }).or([])
  },
  refuse: topLevelError
})
