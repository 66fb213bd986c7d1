/**
 * DescribeTransactions: the states of transactional ids, each with its own error (KIP-664). A repeated id is described once,
 * because its description is much larger than its request.
 */
import { KafkaError } from '../../../protocol/errors.ts'
import type { Txn } from '../../../txn/txn.ts'
import { handler, type PartsOf, type Response } from '../../context.ts'
import { eachYielding, failureOf } from '../../per-partition.ts'

type State = Response<'DescribeTransactions'>['transactionStates'][number]

const PARTS = ['txns', 'clocks', 'events'] as const

export const describeTransactions = handler('DescribeTransactions', PARTS, async ({ transactionalIds }, parts) => ({
  transactionStates: await eachYielding(new Set(transactionalIds), parts.clocks.loop, id => stateOf(id, parts))
}))

async function stateOf(transactionalId: string, { txns, events }: PartsOf<typeof PARTS>): Promise<State> {
  try {
    const txn = await txns.describe(transactionalId)
    if (txn) return described(txn)
    throw new KafkaError('TRANSACTIONAL_ID_NOT_FOUND', `no producer has the transactional id ${transactionalId}`)
  } catch (error) {
    return { errorCode: failureOf(error, events).errorCode, transactionalId }
  }
}

function described(txn: Txn): State {
  return {
    errorCode: 'NONE',
    transactionalId: txn.transactionalId,
    transactionState: txn.state,
    transactionTimeoutMs: txn.timeoutMs,
    transactionStartTimeMs: BigInt(txn.startedMs),
    producerId: txn.producerId,
    producerEpoch: txn.producerEpoch,
    topics: Array.from(txn.partitions, ([topic, partitions]) => ({ topic, partitions: [...partitions] }))
  }
}
