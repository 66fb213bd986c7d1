/**
 * ListTransactions: the transactional ids that match the filters (KIP-664, KIP-994, KIP-1152).
 * - Filters are: states (unknown names are returned and match nothing), producer ids, the minimum duration of an open
 *   transaction, and a regular expression that must match the whole id.
 * - The list is built in slices, because there may be very many ids.
 */
import { compilePattern, type Pattern } from '../../../coordinator/patterns.ts'
import { forEachYielding } from '../../../runtime/pace.ts'
import { TXN_STATES, type Txn, type TxnState } from '../../../txn/txn.ts'
import { handler, type Request, type Response } from '../../context.ts'

type Listed = NonNullable<Response<'ListTransactions'>['transactionStates']>[number]

export const listTransactions = handler('ListTransactions', ['txns', 'clocks'], async (request, { txns, clocks }) => {
  const pattern = request.transactionalIdPattern ? compilePattern(request.transactionalIdPattern) : undefined
  const { stateFilters, producerIdFilters, durationFilter } = request
  const filter = { states: new Set(stateFilters), producerIds: new Set(producerIdFilters), durationFilter }
  const now = clocks.wall.now()
  const listed: Listed[] = []
  await forEachYielding(txns.txns(), clocks.loop, txn => {
    const { transactionalId, producerId, state: transactionState } = txn
    if (matches(txn, filter, pattern, now)) listed.push({ transactionalId, producerId, transactionState })
  })
  await txns.allSettled()
  const unknownStateFilters = [...filter.states].filter(name => !isState(name))
  return { errorCode: 'NONE', unknownStateFilters, transactionStates: listed }
})

/** The filters as sets, whose lookup does not depend on their size. */
interface TransactionFilter extends Pick<Request<'ListTransactions'>, 'durationFilter'> {
  readonly states: ReadonlySet<string>
  readonly producerIds: ReadonlySet<bigint>
}

function matches(
  { transactionalId, state, producerId, startedMs }: Txn,
  { states, producerIds, durationFilter }: TransactionFilter,
  pattern: Pattern | undefined,
  now: number
): boolean {
  if (producerIds.size > 0 && !producerIds.has(producerId)) return false
  if (states.size > 0 && !states.has(state)) return false
  // As in Kafka, the start time of an id without a transaction is -1, so it matches any duration.
  if (durationFilter >= 0n && BigInt(now - startedMs) <= durationFilter) return false
  return pattern?.matches(transactionalId) ?? true
}

function isState(name: string): name is TxnState {
  return TXN_STATES.some(state => state === name)
}
