// The visible state of transactions: last stable offsets and other offsets, records that a read_committed consumer
// gets, open transactions of each partition, and committed and pending offsets of a group.
import { APIS } from '../../../src/protocol/messages/index.ts'
import { batchesIn } from '../../../src/protocol/records/batch.ts'
import { recordsOf } from '../../../src/protocol/records/record.ts'
import type { Session } from '../oracle/session.ts'
import { leaders } from '../oracle/transcripts/topic.ts'
import { batchesOf, offsetOf, received } from './cluster-view.ts'
import type { Line } from './transactor.ts'

const { ApiVersions, DescribeProducers, DescribeTransactions, Fetch, ListOffsets, OffsetFetch } = APIS
const LATEST = -1n
const COMMITTED = 1

/** The partitions with a pending offset of a transaction. */
export function unstable(offsets: Awaited<ReturnType<typeof offsetsOf>>): number[] {
  const found = offsets?.filter(({ errorCode }) => errorCode === 'UNSTABLE_OFFSET_COMMIT') ?? []
  return found.map(({ partitionIndex }) => partitionIndex)
}

/** The topic, ids and group to read. */
export interface TransactionsViewOptions {
  readonly topic: string
  readonly partitions: number
  readonly transactionalIds: readonly string[]
  readonly groupId: string
}

/** The state as plain data. */
export async function viewTransactions(session: Session, { topic, partitions, ...ids }: TransactionsViewOptions) {
  await leaders(session, topic, partitions)
  const indexes = Array.from({ length: partitions }, (_, index) => index)
  const { transactionStates } = await session.requestUntil(
    DescribeTransactions,
    0,
    { transactionalIds: [...ids.transactionalIds] },
    answer => answer.transactionStates.every(({ errorCode }) => errorCode === 'NONE')
  )
  return {
    transactionVersion: await transactionVersionOf(session),
    partitions: await Promise.all(indexes.map(index => partitionOf(session, topic, index))),
    producers: await producersOf(session, topic, indexes),
    transactions: transactionStates.map(({ topics, ...state }) => ({
      ...state,
      topics: topics.map(found => `${found.topic}: ${found.partitions.toSorted((a, b) => a - b)}`).toSorted()
    })),
    offsets: await offsetsOf(session, ids.groupId, false),
    stableOffsets: await offsetsOf(session, ids.groupId, true)
  }
}

/** The level of transaction.version, which decides about epochs and record versions. */
async function transactionVersionOf(session: Session): Promise<number> {
  const { finalizedFeatures } = received(
    await session.sendRequest(ApiVersions, 4, { clientSoftwareName: 'look', clientSoftwareVersion: '1' })
  )
  return finalizedFeatures.find(({ name }) => name === 'transaction.version')?.maxVersionLevel ?? 0
}

async function partitionOf(session: Session, topic: string, index: number) {
  const end = await offsetOf(session, topic, index, LATEST)
  const stable = await stableOffsetOf(session, topic, index)
  const batches = await batchesOf(session, topic, index, 0n, end)
  const written = batches.map(
    batch => `${batch.baseOffset} ${batch.isControl} ${batch.producerId}/${batch.producerEpoch}`
  )
  return { end, stable, written, ...(await readCommitted(session, topic, index, stable)) }
}

async function stableOffsetOf(session: Session, name: string, partitionIndex: number): Promise<bigint> {
  const topics = [{ name, partitions: [{ partitionIndex, timestamp: LATEST }] }]
  const answer = received(
    await session.sendRequest(ListOffsets, 7, { isolationLevel: COMMITTED, topics }, `${name}-${partitionIndex}`)
  )
  return answer.topics[0]?.partitions[0]?.offset ?? -1n
}

/** Reads as a read_committed consumer does, from the start to the last stable offset. */
async function readCommitted(session: Session, topic: string, partition: number, stable: bigint) {
  const aborted = new Set<string>()
  const committed: Line[] = []
  for (let fetchOffset = 0n; fetchOffset < stable; ) {
    const partitions = [{ partition, fetchOffset, partitionMaxBytes: 10 << 20 }]
    const request = { maxWaitMs: 0, minBytes: 0, isolationLevel: COMMITTED, topics: [{ topic, partitions }] }
    const { responses } = received(await session.sendRequest(Fetch, 12, request, `${topic}-${partition}`))
    const [found] = responses[0]?.partitions ?? []
    const transactions = found?.abortedTransactions ?? []
    for (const { producerId, firstOffset } of transactions) aborted.add(`${firstOffset} by ${producerId}`)
    const coming = transactions.toSorted((a, b) => Number(a.firstOffset - b.firstOffset))
    const leftOut = new Set<bigint>()
    const before = fetchOffset
    for (const batch of batchesIn(found?.records ?? Buffer.alloc(0))) {
      const begun = coming.findLastIndex(({ firstOffset }) => firstOffset <= batch.lastOffset) + 1
      for (const { producerId } of coming.splice(0, begun)) leftOut.add(producerId)
      fetchOffset = batch.lastOffset + 1n
      if (batch.isControl) leftOut.delete(batch.producerId)
      else if (!batch.isTransactional || !leftOut.has(batch.producerId)) {
        committed.push(...recordsOf(batch).map(({ offset, value }) => `${topic}-${partition} ${offset}: ${value}`))
      }
    }
    if (fetchOffset === before) throw new Error(`${topic}-${partition} has nothing stable at ${before}`)
  }
  return { aborted: [...aborted].toSorted(), committed }
}

async function producersOf(session: Session, name: string, partitionIndexes: number[]) {
  const { topics } = received(await session.sendRequest(DescribeProducers, 0, { topics: [{ name, partitionIndexes }] }))
  return topics[0]?.partitions.map(({ activeProducers, ...partition }) => ({
    ...partition,
    activeProducers: activeProducers.toSorted((a, b) => Number(a.producerId - b.producerId))
  }))
}

async function offsetsOf(session: Session, groupId: string, requireStable: boolean) {
  const asked = { groups: [{ groupId, topics: null }], requireStable }
  const { groups } = await session.requestUntil(OffsetFetch, 9, asked, answer => answer.groups[0]?.errorCode === 'NONE')
  return groups[0]?.topics
    .flatMap(({ name, partitions }) => partitions.map(partition => ({ name, ...partition })))
    .toSorted((a, b) => a.partitionIndex - b.partitionIndex)
}
