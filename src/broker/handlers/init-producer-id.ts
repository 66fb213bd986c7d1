/**
 * InitProducerId: an id for an idempotent producer (KIP-98).
 * - Without a transactional id: a producer id that was never handed out before, epoch 0; nothing is logged.
 * - With one: UNSUPPORTED_VERSION until transactions exist, and a warning in the log.
 */
import { KafkaError } from '../../protocol/errors.ts'
import type { Handler } from '../context.ts'

export const initProducerId: Handler<'InitProducerId'> = (
  { transactionalId, producerId, producerEpoch },
  { parts, connection }
) => {
  if ((producerId === -1n) !== (producerEpoch === -1)) {
    throw new KafkaError('INVALID_REQUEST', 'a producer id and its epoch come together or not at all')
  }
  if (transactionalId === '') throw new KafkaError('INVALID_REQUEST', 'the transactional id is empty')
  if (transactionalId !== null) {
    connection.warn('asked for transactions (transactional.id), which this release does not have')
    throw new KafkaError('UNSUPPORTED_VERSION', 'transactions are not supported by this release')
  }
  return { errorCode: 'NONE', producerId: parts.producerIds.next(), producerEpoch: 0 }
}
