/**
 * EndTxn: commits or aborts the transaction of a producer (KIP-98, KIP-890).
 * - Since version 5 every end bumps the epoch, and the response has the producer id and epoch of the next transaction.
 * - Without `flush.messages` the transaction is complete when the response is sent: consumers see its result, and the next
 *   transaction does not get CONCURRENT_TRANSACTIONS.
 * - A fenced producer gets INVALID_PRODUCER_EPOCH up to version 1.
 */
import { TRANSACTIONS_V0, TRANSACTIONS_V2 } from '../../../protocol/transaction-version.ts'
import { handler } from '../../context.ts'
import { clientOf, fencedErrorFor } from '../../fencing.ts'

const EPOCH_BUMP_SINCE = 5
const FENCED_SINCE = 2

export const endTxn = handler('EndTxn', ['txns'], async (request, { txns }, context) => {
  const { transactionalId, producerId, producerEpoch, committed } = request
  const { apiVersion } = context
  try {
    const next = await txns.end({
      transactionalId,
      producer: { producerId, producerEpoch },
      result: committed ? 'COMMIT' : 'ABORT',
      clientVersion: apiVersion >= EPOCH_BUMP_SINCE ? TRANSACTIONS_V2 : TRANSACTIONS_V0,
      client: clientOf(context)
    })
    return { errorCode: 'NONE', producerId: next.producerId, producerEpoch: next.producerEpoch }
  } catch (error) {
    throw fencedErrorFor(apiVersion, FENCED_SINCE, error)
  }
})
