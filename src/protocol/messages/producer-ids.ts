/** InitProducerId: producer ids and epochs for idempotent and transactional producers (KIP-98, KIP-360). */
import { api } from '../api.ts'
import { errorCode, int16, int32, int64, nullableString } from '../wire/schema.ts'
import { topLevelError } from './refusals.ts'

export const InitProducerId = api({
  key: 22,
  name: 'InitProducerId',
  versions: [0, 5],
  flexibleSince: 2,
  request: {
    transactionalId: nullableString,
    transactionTimeoutMs: int32,
    producerId: int64.since(3).or(-1n),
    producerEpoch: int16.since(3).or(-1)
  },
  response: { throttleTimeMs: int32.or(0), errorCode, producerId: int64.or(-1n), producerEpoch: int16.or(-1) },
  refuse: topLevelError
})
