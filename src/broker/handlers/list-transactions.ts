/**
 * ListTransactions: the transactional ids that are known, filtered (KIP-664, KIP-994, KIP-1152).
 * - By state (a name that is no state is told back, and matches nothing), by producer id, by how long a transaction has
 *   been open, by a regular expression that must match the whole id.
 */

import { TXN_STATES, type Txn, type TxnState } from '../../txn/txn.ts'
import type { Handler, Request } from '../context.ts'
import { compilePattern, type Pattern } from '../patterns.ts'

export const listTransactions: Handler<'ListTransactions'> = (request, { parts }) => {
  const pattern = request.transactionalIdPattern ? compilePattern(request.transactionalIdPattern) : undefined
  const now = parts.clock.now()
  const listed = [...parts.txns.txns()].filter(txn => isWanted(txn, request, pattern, now))
  return {
    errorCode: 'NONE',
    unknownStateFilters: [...new Set(request.stateFilters)].filter(name => !isState(name)),
    transactionStates: listed.map(({ transactionalId, producerId, state: transactionState }) => ({
      transactionalId,
      producerId,
      transactionState
    }))
  }
}

function isWanted(
  { transactionalId, state, producerId, startedMs }: Txn,
  { stateFilters, producerIdFilters, durationFilter }: Request<'ListTransactions'>,
  pattern: Pattern | undefined,
  now: number
): boolean {
  if (producerIdFilters.length > 0 && !producerIdFilters.includes(producerId)) return false
  if (stateFilters.length > 0 && !stateFilters.includes(state)) return false
  // As in Kafka, an id without a transaction counts as open since before all time.
  if (durationFilter >= 0n && BigInt(now - startedMs) <= durationFilter) return false
  return pattern?.matches(transactionalId) ?? true
}

function isState(name: string): name is TxnState {
  return TXN_STATES.some(state => state === name)
}
