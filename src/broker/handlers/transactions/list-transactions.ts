/**
 * ListTransactions: the transactional ids that are known, filtered (KIP-664, KIP-994, KIP-1152).
 * - By state (a name that is no state is told back, and matches nothing), by producer id, by how long a transaction has
 *   been open, by a regular expression that must match the whole id.
 * - There may be very many: others have their turn in between.
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
  const unknownStateFilters = [...filter.states].filter(name => !isState(name))
  return { errorCode: 'NONE', unknownStateFilters, transactionStates: listed }
})

/** The filters, in a form that costs the same however many they are. */
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
  // As in Kafka, an id without a transaction counts as open since before all time.
  if (durationFilter >= 0n && BigInt(now - startedMs) <= durationFilter) return false
  return pattern?.matches(transactionalId) ?? true
}

function isState(name: string): name is TxnState {
  return TXN_STATES.some(state => state === name)
}
