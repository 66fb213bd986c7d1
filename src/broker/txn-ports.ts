/** What the transaction coordinator needs of the broker: its settings, its topic, and the partitions that take markers. */
import type { BrokerSettings } from '../config/values.ts'
import type { ProducerIds } from '../idempotence/producer-ids.ts'
import { TRANSACTION_STATE_TOPIC_NAME } from '../metadata/topic-names.ts'
import type { Replicas } from '../replica/replicas.ts'
import type { Logger } from '../runtime/logger.ts'
import type { Clocks } from '../runtime/time.ts'
import type { TxnPorts, TxnSettings } from '../txn/coordinator.ts'
import type { MarkerPort } from '../txn/markers.ts'
import { stateTopic } from './state-topic.ts'

/** Where the coordinator lives. */
export interface TxnWorld {
  readonly replicas: Replicas
  readonly producerIds: ProducerIds
  readonly markers: MarkerPort
  readonly settings: BrokerSettings
  readonly clocks: Clocks
  readonly logger: Logger
  /** The finalized level of the feature. */
  transactionVersion(): number
  /** Told of what must not happen. */
  failed(error: unknown): void
}

export function txnPorts(world: TxnWorld): TxnPorts {
  const { clocks, logger, markers, producerIds, settings } = world
  return {
    clocks,
    logger,
    markers,
    settings: txnSettings(settings),
    topic: stateTopic(TRANSACTION_STATE_TOPIC_NAME, world),
    newProducerId: () => producerIds.next(),
    transactionVersion: () => world.transactionVersion(),
    failed: error => world.failed(error)
  }
}

function txnSettings(settings: BrokerSettings): TxnSettings {
  return {
    maxTimeoutMs: settings.get('transaction.max.timeout.ms'),
    expirationMs: settings.get('transactional.id.expiration.ms'),
    abortIntervalMs: settings.get('transaction.abort.timed.out.transaction.cleanup.interval.ms'),
    removeIntervalMs: settings.get('transaction.remove.expired.transaction.cleanup.interval.ms')
  }
}
