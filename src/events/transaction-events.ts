/** Events of transactional ids and of the coordinators' topics, and their log lines. */
import { debug, error, info, infoOfMany, type Lines, limited, reasonOf, warn } from './line.ts'

/** A transactional id and its producer before and after a change. `newProducerId` is absent if the producer id stays. */
interface ProducerChange {
  readonly transactionalId: string
  readonly producerId: bigint
  readonly oldEpoch: number
  readonly newProducerId?: bigint | undefined
  readonly newEpoch: number
}

/** The cause of an abort. The last two also fence the producer. */
export type AbortCause = 'EndTxn' | 'InitProducerId' | 'TransactionTimeout'

export type TransactionEvent =
  /** InitProducerId for a transactional id that has no state. */
  | ({ readonly type: 'TransactionalIdCreated'; readonly client: string } & ProducerChange)
  /** InitProducerId of a producer that continues with a new epoch (KIP-360). */
  | ({ readonly type: 'ProducerEpochBumped'; readonly client: string } & ProducerChange)
  /** The epoch of an earlier producer became invalid. `client` sent the InitProducerId; absent after a timeout. */
  | ({
      readonly type: 'ProducerFenced'
      readonly cause: Exclude<AbortCause, 'EndTxn'>
      readonly client?: string | undefined
    } & ProducerChange)
  /** The decision to abort. `client` sent the request; absent after a timeout. */
  | ({
      readonly type: 'TransactionAborted'
      readonly cause: AbortCause
      readonly timeoutMs: number
      readonly client?: string | undefined
    } & ProducerChange)
  /** Each write of a transaction's state. `from` equals `to` if only its partitions or its producer change. */
  | {
      readonly type: 'TransactionStateChanged'
      readonly transactionalId: string
      readonly producerId: bigint
      readonly producerEpoch: number
      readonly from: string
      readonly to: string
    }
  | { readonly type: 'TransactionalIdExpired'; readonly transactionalId: string; readonly producerId: bigint }
  /** The abort of a timed-out transaction could not be written. The next check retries it. */
  | { readonly type: 'TransactionAbortFailed'; readonly transactionalId: string; readonly error: unknown }
  /** Tombstones of expired transactional ids could not be written. The next check retries them. */
  | { readonly type: 'TransactionalIdExpirationFailed'; readonly error: unknown }
  /** Markers or the completed state could not be written. Emitted once for a transaction, although each attempt may fail. */
  | {
      readonly type: 'TransactionMarkersFailed'
      readonly transactionalId: string
      readonly producerId: bigint
      readonly producerEpoch: number
      readonly state: string
      /** Partitions without the marker, at most ten. */
      readonly missing: readonly string[]
      /** Absent if a partition has a newer epoch: the transaction stays ending until the next start. */
      readonly retryMs?: number | undefined
      readonly error?: unknown
    }
  /** Records of `__consumer_offsets` whose type is not served. `recordType` is null for an unknown type. */
  | {
      readonly type: 'CoordinatorRecordsSkipped'
      readonly topic: string
      readonly recordTypeId: number
      readonly recordType: string | null
    }
  /**
   * Records of an operation that no request waits for could not be written. `key` is a group id or a transactional id. `retryMs` is
   * absent if a later request repeats the operation.
   */
  | {
      readonly type: 'CoordinatorWriteFailed'
      readonly topic: string
      readonly key: string
      readonly retryMs?: number | undefined
      readonly error: unknown
    }
  /** The keys of the partition are not served. */
  | {
      readonly type: 'CoordinatorLoadFailed'
      readonly topicPartition: string
      readonly error: unknown
    }

/** Lines of a period for each topic: with a failing disk, each member of each group retries the end of its session. */
const MOST_FAILED_WRITES = 10

export const TRANSACTION_LINES: Lines<TransactionEvent> = {
  TransactionalIdCreated: info(
    ({ transactionalId, producerId, newProducerId = producerId, newEpoch, client }) =>
      `transactional id ${transactionalId} created: producer id ${newProducerId}, epoch ${newEpoch}, by InitProducerId from ${client}`
  ),
  ProducerEpochBumped: info(
    event => `transactional id ${event.transactionalId}: ${epochs(event)} by InitProducerId from ${event.client}`
  ),
  ProducerFenced: info(event => `transactional id ${event.transactionalId} fenced: ${epochs(event)} by ${by(event)}`),
  TransactionAborted: info(
    event => `transaction of ${event.transactionalId} aborted: ${epochs(event)} by ${by(event)}`
  ),
  TransactionStateChanged: debug(
    ({ transactionalId, producerId, producerEpoch, from, to }) =>
      `transaction of ${transactionalId} ${from} -> ${to}: producer id ${producerId}, epoch ${producerEpoch}`
  ),
  TransactionalIdExpired: infoOfMany(
    'expired transactional ids',
    ({ transactionalId, producerId }) => `transactional id ${transactionalId} expired: producer id ${producerId}`
  ),
  TransactionAbortFailed: warn(
    ({ transactionalId, error }) =>
      `timed-out transaction of ${transactionalId} not aborted, the next check retries: ${reasonOf(error)}`
  ),
  TransactionalIdExpirationFailed: warn(
    ({ error }) => `expired transactional ids not removed, the next check retries: ${reasonOf(error)}`
  ),
  TransactionMarkersFailed: warn(({ transactionalId, state, missing, retryMs, error }) => {
    const next = retryMs === undefined ? 'no further attempt before the next start' : `next attempt in ${retryMs} ms`
    const partitions = missing.length > 0 ? `, without markers: ${missing.join(', ')}` : ''
    const because = error === undefined ? '' : `: ${reasonOf(error)}`
    return `transaction of ${transactionalId} stays ${state}, ${next}${partitions}${because}`
  }),
  CoordinatorRecordsSkipped: warn(
    ({ topic, recordTypeId, recordType }) =>
      `records of ${topic} skipped: type ${recordTypeId} (${recordType ?? 'unknown'})`
  ),
  CoordinatorWriteFailed: limited(
    MOST_FAILED_WRITES,
    ({ topic }) => topic,
    warn(({ topic, key, retryMs, error }) => {
      const next = retryMs === undefined ? '' : `, next attempt in ${retryMs} ms`
      return `records of ${key} not written to ${topic}${next}: ${reasonOf(error)}`
    })
  ),
  CoordinatorLoadFailed: error(
    ({ topicPartition, error }) => `${topicPartition} not loaded, its keys are not served: ${reasonOf(error)}`
  )
}

function epochs({ producerId, oldEpoch, newProducerId, newEpoch }: ProducerChange): string {
  const change = `epoch ${oldEpoch} -> ${newEpoch}`
  return newProducerId === undefined ? change : `producer id ${producerId} -> ${newProducerId}, ${change}`
}

function by({
  cause,
  client,
  timeoutMs
}: {
  readonly cause: AbortCause
  readonly client?: string | undefined
  readonly timeoutMs?: number
}): string {
  if (cause === 'TransactionTimeout') return timeoutMs === undefined ? 'timeout' : `timeout of ${timeoutMs} ms`
  return client === undefined ? cause : `${cause} from ${client}`
}
