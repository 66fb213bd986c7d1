// Idempotent producers: InitProducerId, and the checks of sequence numbers by a partition.
import { APIS } from '../../../../src/protocol/messages/index.ts'
import type { Session } from '../session.ts'
import { arrange, atEachVersion, call, type Step } from '../transcript.ts'
import { bytes } from './batches.ts'
import { LATEST, named, request } from './producing.ts'
import { fetchBytes } from './read.ts'
import { topic } from './topic.ts'

const { DeleteRecords, InitProducerId, Produce } = APIS
const plain = { transactionalId: null, transactionTimeoutMs: 60_000 }
const LAST_SEQUENCE = 2_147_483_647
const MAIN = 'producer-ids'
const OTHER = 'producer-ids-other'

interface Sequenced {
  readonly id?: bigint
  readonly epoch?: number
  readonly sequence: number
  readonly values?: readonly string[]
  readonly into?: string
  readonly version?: number
}

/** Sends a batch of two records of an idempotent producer. */
function sent(
  name: string,
  { id = 1001n, epoch = 0, sequence, values = ['a', 'b'], into = MAIN, version = LATEST }: Sequenced
): Step {
  const records = bytes(values, { producerId: id, producerEpoch: epoch, baseSequence: sequence })
  return call(name, Produce, version, request([named(into, records)]))
}

const initialising: Step[] = [
  arrange('producer ids are given out', session =>
    session.requestUntil(InitProducerId, 4, plain, ({ errorCode }) => errorCode === 'NONE')
  ),
  ...atEachVersion('a new producer', InitProducerId, () => plain),
  ...[0, -1, 2_147_483_647].map(transactionTimeoutMs =>
    call(`a timeout of ${transactionTimeoutMs}`, InitProducerId, 5, { ...plain, transactionTimeoutMs })
  ),
  ...[3, 4, 5].flatMap(version => [
    call('an epoch without an id', InitProducerId, version, { ...plain, producerEpoch: 3 }),
    call('an id without an epoch', InitProducerId, version, { ...plain, producerId: 5n }),
    call('an id without a transactional id', InitProducerId, version, { ...plain, producerId: 5n, producerEpoch: 3 })
  ]),
  call('a negative id', InitProducerId, 4, { ...plain, producerId: -7n, producerEpoch: 3 }),
  call('an epoch at its end', InitProducerId, 4, { ...plain, producerId: 5n, producerEpoch: 32_767 }),
  ...atEachVersion('an empty transactional id', InitProducerId, () => ({ ...plain, transactionalId: '' })),
  call('an empty transactional id and an epoch without an id', InitProducerId, 4, {
    ...plain,
    transactionalId: '',
    producerEpoch: 3
  })
]

const sequences: Step[] = [
  topic(MAIN),
  topic(OTHER),
  sent('the first batch', { sequence: 0 }),
  sent('it comes again', { sequence: 0 }),
  sent('the second', { sequence: 2 }),
  sent('the first comes a third time', { sequence: 0 }),
  sent('it comes again with other values', { sequence: 0, values: ['c', 'd'] }),
  ...[3, 5, 12, LAST_SEQUENCE].map(sequence => sent(`${sequence} after 3`, { sequence })),
  sent('an overlap', { sequence: 1 }),
  sent('the same first sequence and one record', { sequence: 2, values: ['a'] }),
  sent('the same first sequence and three records', { sequence: 2, values: ['a', 'b', 'c'] }),
  ...[4, 6, 8, 10, 12].map(sequence => sent(`sequence ${sequence}`, { sequence })),
  ...[4, 6, 8, 10, 12].map(sequence => sent(`of the last five ${sequence}, again`, { sequence })),
  sent('one that is no longer remembered', { sequence: 2 }),
  ...[3, 5, 8, 9].map(version => sent('a gap', { sequence: 20, version })),
  ...[3, 5, 8, 9].map(version => sent('an old duplicate', { sequence: 0, version }))
]

const epochs: Step[] = [
  sent('an older epoch', { epoch: -1, sequence: 14 }),
  sent('a newer epoch in the middle', { epoch: 1, sequence: 14 }),
  sent('a newer epoch from the start', { epoch: 1, sequence: 0 }),
  sent('it comes again', { epoch: 1, sequence: 0 }),
  ...[3, 9, LATEST].map(version => sent('the old epoch', { epoch: 0, sequence: 14, version })),
  sent('a batch of the old epoch again', { epoch: 0, sequence: 12 }),
  sent('a much newer epoch', { epoch: 32_767, sequence: 0 }),
  sent('no sequence', { epoch: 32_767, sequence: -1 }),
  sent('a negative sequence', { epoch: 32_767, sequence: -2 }),
  sent('another partition from the middle', { epoch: 1, sequence: 5, into: OTHER }),
  sent('and on', { epoch: 1, sequence: 7, into: OTHER })
]

const others: Step[] = [
  sent('an unknown producer from the start', { id: 2001n, sequence: 0, into: OTHER }),
  sent('another unknown producer in the middle', { id: 2002n, sequence: 9, into: OTHER }),
  sent('it goes back to the start', { id: 2002n, sequence: 0, into: OTHER }),
  sent('the last sequence of all', { id: 2003n, sequence: LAST_SEQUENCE - 1, into: OTHER }),
  sent('after it the numbers begin again', { id: 2003n, sequence: 0, into: OTHER }),
  sent('and the last one comes again', { id: 2003n, sequence: LAST_SEQUENCE - 1, into: OTHER }),
  sent('a batch across the end', { id: 2004n, sequence: LAST_SEQUENCE, into: OTHER }),
  sent('after it comes one', { id: 2004n, sequence: 1, into: OTHER }),
  sent('it comes again', { id: 2004n, sequence: LAST_SEQUENCE, into: OTHER }),
  sent('no producer, an epoch and a sequence', { id: -1n, epoch: 3, sequence: 0, into: OTHER }),
  sent('no producer, and a gap', { id: -1n, epoch: 3, sequence: 70, into: OTHER }),
  sent('a negative id', { id: -5n, epoch: 0, sequence: 0, into: OTHER }),
  sent('a negative epoch', { id: 2005n, epoch: -1, sequence: 0, into: OTHER }),
  sent('a negative epoch in the middle', { id: 2006n, epoch: -3, sequence: 5, into: OTHER }),
  sent('after a negative epoch', { id: 2005n, epoch: -1, sequence: 2, into: OTHER }),
  sent('a gap after a negative epoch', { id: 2005n, epoch: -1, sequence: 9, into: OTHER })
]

/** Producer state survives the deletion of its records. A duplicate gets the append time of the first batch. */
const around: Step[] = [
  topic('producer-ids-deleted'),
  sent('a batch that will be deleted', { id: 3001n, sequence: 0, into: 'producer-ids-deleted' }),
  call('it is deleted', DeleteRecords, 2, {
    topics: [{ name: 'producer-ids-deleted', partitions: [{ partitionIndex: 0, offset: -1n }] }],
    timeoutMs: 5000
  }),
  sent('it comes again', { id: 3001n, sequence: 0, into: 'producer-ids-deleted' }),
  sent('a gap', { id: 3001n, sequence: 9, into: 'producer-ids-deleted' }),
  sent('the next', { id: 3001n, sequence: 2, into: 'producer-ids-deleted' }),
  topic('producer-ids-appended', 1, { 'message.timestamp.type': 'LogAppendTime' }),
  sent('with append time', { id: 3002n, sequence: 0, into: 'producer-ids-appended' }),
  sent('again', { id: 3002n, sequence: 0, into: 'producer-ids-appended' }),
  topic('producer-ids-gzip', 1, { 'compression.type': 'gzip' }),
  sent('recompressed', { id: 3003n, sequence: 0, into: 'producer-ids-gzip' }),
  sent('again', { id: 3003n, sequence: 0, into: 'producer-ids-gzip' }),
  sent('and on', { id: 3003n, sequence: 2, into: 'producer-ids-gzip' }),
  topic('producer-ids-compact', 1, {
    'cleanup.policy': 'compact',
    'segment.bytes': `${1 << 20}`,
    'max.message.bytes': `${2 << 20}`
  }),
  sent('too large for a segment', {
    id: 3004n,
    sequence: 0,
    values: ['x'.repeat(1_100_000)],
    into: 'producer-ids-compact'
  }),
  sent('a gap and too large for a segment', {
    id: 3004n,
    sequence: 5,
    values: ['x'.repeat(1_100_000)],
    into: 'producer-ids-compact'
  }),
  sent('the first that fits', { id: 3004n, sequence: 0, into: 'producer-ids-compact' }),
  call('two partitions of a topic, one with a gap', Produce, LATEST, () => {
    const records = (sequence: number) => bytes(['a'], { producerId: 2001n, producerEpoch: 0, baseSequence: sequence })
    return request([named(OTHER, records(9)), named('producer-ids-deleted', records(9))])
  })
]

/** Batches of a producer id that the broker has allocated, as of any other id. */
const given = call('a producer', InitProducerId, 5, plain)
const withGivenId = (name: string, baseSequence: number): Step =>
  call(name, Produce, 13, (session: Session) => {
    const { producerId, producerEpoch } = given.answerTo(session)
    const records = bytes(['a'], { producerId, producerEpoch, baseSequence })
    return request([{ topicId: `${session.recall(`id of ${OTHER}`)}`, partitionData: [{ index: 0, records }] }])
  })

export const producerIds: Step[] = [
  ...initialising,
  ...sequences,
  ...epochs,
  ...others,
  ...around,
  fetchBytes('the log', MAIN, 1),
  fetchBytes('the other log', OTHER, 1),
  given,
  withGivenId('its first batch', 0),
  withGivenId('a gap', 7),
  withGivenId('its first batch again', 0)
]
