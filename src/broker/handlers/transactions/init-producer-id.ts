/**
 * InitProducerId: the producer id and epoch of a producer (KIP-98, KIP-360).
 * - Without a transactional id: an unused producer id with epoch 0. No record of it is written.
 * - With a transactional id: the next epoch of its producer id. Earlier producers are fenced. An open transaction is aborted; the
 *   client then gets CONCURRENT_TRANSACTIONS and retries.
 * - A client that sends its producer id and epoch continues with the next epoch. If another producer has initialized
 *   meanwhile, it gets PRODUCER_FENCED, or INVALID_PRODUCER_EPOCH up to version 3.
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
    throw new KafkaError('INVALID_REQUEST', 'producerId and producerEpoch must be given together')
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
