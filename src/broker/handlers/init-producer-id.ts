/**
 * InitProducerId: an id for an idempotent producer (KIP-98).
 * - Without a transactional id: a producer id that was never handed out before, epoch 0; nothing is logged.
 * - With one: UNSUPPORTED_VERSION until transactions exist.
 */
import { KafkaError } from '../../protocol/errors.ts'
import type { Handler } from '../context.ts'

export const initProducerId: Handler<'InitProducerId'> = (
  { transactionalId, producerId, producerEpoch },
  { parts }
) => {
  if ((producerId === -1n) !== (producerEpoch === -1)) {
    throw new KafkaError('INVALID_REQUEST', 'a producer id and its epoch come together or not at all')
  }
  if (transactionalId === '') throw new KafkaError('INVALID_REQUEST', 'the transactional id is empty')
  if (transactionalId !== null) {
    parts.logger.warn({ transactionalId }, 'a producer asked for transactions, which this release does not have')
    throw new KafkaError('UNSUPPORTED_VERSION', 'transactions are not supported by this release')
  }
  return { errorCode: 'NONE', producerId: parts.producerIds.next(), producerEpoch: 0 }
}
