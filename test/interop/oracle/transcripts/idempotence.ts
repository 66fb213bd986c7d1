// Idempotent producers: producer ids, sequences, duplicates, epochs.
import { APIS } from '../../../../src/protocol/messages/index.ts'
import type { Session } from '../session.ts'
import { arrange, atEachVersion, call, type Step } from '../transcript.ts'
import { bytes } from './batches.ts'
import { fetchAll } from './read.ts'
import { topic } from './topic.ts'

const { InitProducerId, Produce } = APIS
const plain = { transactionalId: null, transactionTimeoutMs: 60_000 }

const producer = call('a producer', InitProducerId, 4, plain)

interface Sequenced {
  readonly epoch?: number
  readonly sequence: number
  readonly values?: readonly string[]
  readonly id?: bigint
  readonly topic?: string
}

function send(name: string, { epoch = 0, sequence, values = ['a', 'b'], id, topic = 'idempotence' }: Sequenced): Step {
  return call(name, Produce, 11, (session: Session) => {
    const producerId = id ?? producer.answerTo(session).producerId
    const records = bytes(values, { producerId, producerEpoch: epoch, baseSequence: sequence })
    const topicData = [{ name: topic, partitionData: [{ index: 0, records }] }]
    return { transactionalId: null, acks: -1, timeoutMs: 5000, topicData }
  })
}

export const idempotence: Step[] = [
  arrange('producer ids are given out', session =>
    session.askUntil(InitProducerId, 4, plain, ({ errorCode }) => errorCode === 'NONE')
  ),
  ...atEachVersion('a new producer', InitProducerId, () => plain),
  call('an epoch without an id', InitProducerId, 4, { ...plain, producerEpoch: 3 }),
  call('an id without a transactional id', InitProducerId, 4, { ...plain, producerId: 5n, producerEpoch: 3 }),
  call('an empty transactional id', InitProducerId, 4, { ...plain, transactionalId: '' }),
  call('a timeout of zero', InitProducerId, 4, { ...plain, transactionTimeoutMs: 0 }),
  producer,
  topic('idempotence'),
  topic('idempotence-other'),
  send('the first batch', { sequence: 0 }),
  send('it comes again', { sequence: 0 }),
  send('the second', { sequence: 2 }),
  send('the first comes a third time', { sequence: 0 }),
  send('a gap', { sequence: 6 }),
  send('an overlap', { sequence: 3 }),
  send('the same first sequence with another length', { sequence: 2, values: ['a'] }),
  ...[4, 6, 8, 10, 12].map(sequence => send(`sequence ${sequence}`, { sequence })),
  send('the oldest that is remembered', { sequence: 4 }),
  send('one that is no longer remembered', { sequence: 0 }),
  send('an older epoch', { epoch: -1, sequence: 14 }),
  send('a newer epoch in the middle', { epoch: 1, sequence: 14 }),
  send('a newer epoch from the start', { epoch: 1, sequence: 0 }),
  send('the old epoch again', { epoch: 0, sequence: 14 }),
  send('no sequence', { epoch: 1, sequence: -1 }),
  send('another topic from the middle', { epoch: 1, sequence: 5, topic: 'idempotence-other' }),
  send('an unknown producer from the start', { id: 987_654_321n, sequence: 0, topic: 'idempotence-other' }),
  send('another unknown producer in the middle', { id: 987_654_322n, sequence: 9, topic: 'idempotence-other' }),
  send('the last sequence of all', { id: 987_654_323n, sequence: 2_147_483_646, topic: 'idempotence-other' }),
  send('after it the numbers begin again', { id: 987_654_323n, sequence: 0, topic: 'idempotence-other' }),
  send('an epoch of a producer that is none', { id: -1n, epoch: 3, sequence: 0 }),
  send('a negative id', { id: -5n, epoch: 0, sequence: 0 }),
  fetchAll('the log', 'idempotence', 1),
  fetchAll('the other log', 'idempotence-other', 1)
]
