/**
 * InitProducerId: an id and an epoch for a producer (KIP-98, KIP-360).
 * - Without a transactional id: a producer id that was never handed out before, epoch 0; nothing is logged.
 * - With one: the next epoch of its producer id. All who had it before are fenced, what they left open is aborted; then
 *   the client is told CONCURRENT_TRANSACTIONS and asks again.
 * - A client that names the producer it was goes on as that one, unless another came meanwhile: PRODUCER_FENCED, or
 *   INVALID_PRODUCER_EPOCH up to version 3.
 */
import { KafkaError } from '../../../protocol/errors.ts'
import { NO_PRODUCER_EPOCH, NO_PRODUCER_ID } from '../../../protocol/records/batch.ts'
import { handler } from '../../context.ts'
import { clientOf, fencedErrorFor } from '../../fencing.ts'

const FENCED_SINCE = 4

export const initProducerId = handler('InitProducerId', ['txns', 'producerIds'], async (request, parts, context) => {
  const { transactionalId, transactionTimeoutMs: timeoutMs, producerId, producerEpoch } = request
  const { apiVersion } = context
  if ((producerId === NO_PRODUCER_ID) !== (producerEpoch === NO_PRODUCER_EPOCH)) {
    throw new KafkaError('INVALID_REQUEST', 'a producer id and its epoch come together or not at all')
  }
  if (transactionalId === null) return { errorCode: 'NONE', producerId: parts.producerIds.next(), producerEpoch: 0 }
  const expected = producerId === NO_PRODUCER_ID ? undefined : { producerId, producerEpoch }
  try {
    const producer = await parts.txns.initProducer({ transactionalId, timeoutMs, expected, client: clientOf(context) })
    return { errorCode: 'NONE', producerId: producer.producerId, producerEpoch: producer.producerEpoch }
  } catch (error) {
    throw fencedErrorFor(apiVersion, FENCED_SINCE, error)
  }
})
