// AddPartitionsToTxn and AddOffsetsToTxn: single and batched, with and without verifyOnly, in every state of a
// transaction.
import { APIS } from '../../../../src/protocol/messages/index.ts'
import { call, type Step } from '../transcript.ts'
import { topic } from './topic.ts'
import { Transactional } from './transactional.ts'

const { AddOffsetsToTxn, AddPartitionsToTxn } = APIS
const TOPIC = 'add-to-txn'
const OTHER = 'add-to-txn-other'
const producer = new Transactional('add')
const second = new Transactional('add-second')
const stranger = { transactionalId: 'add-unknown', producerId: 5n, producerEpoch: 0 }
const VERSIONS = [0, 1, 2, 3]

const single: Step[] = VERSIONS.flatMap(version => [
  producer.init(`a producer for version ${version}`),
  call('an unknown transactional id', AddPartitionsToTxn, version, {
    v3AndBelowTransactionalId: 'add-unknown',
    v3AndBelowProducerId: 5n,
    v3AndBelowTopics: [{ name: TOPIC, partitions: [0, 1] }]
  }),
  call('an empty transactional id', AddPartitionsToTxn, version, {
    v3AndBelowTopics: [{ name: TOPIC, partitions: [0] }]
  }),
  producer.add('nothing', {}, { version }),
  producer.add('a topic without partitions', { [TOPIC]: [] }, { version }),
  producer.add('another producer', { [TOPIC]: [0] }, { version, id: 9999n }),
  producer.add('an older epoch', { [TOPIC]: [0] }, { version, later: -1 }),
  producer.add('a newer epoch', { [TOPIC]: [0] }, { version, later: 1 }),
  producer.add('a topic that is not there', { nowhere: [0], [TOPIC]: [0, 1] }, { version }),
  producer.add('a partition that is not there', { [TOPIC]: [0, 7, -1] }, { version }),
  producer.add('an internal topic', { __consumer_offsets: [0], [TOPIC]: [0] }, { version }),
  producer.add('the topic of transactions', { __transaction_state: [0] }, { version }),
  producer.add('another producer and a topic that is not there', { nowhere: [0] }, { version, id: 9999n }),
  producer.add('a topic with a wrong name', { 'a b': [0] }, { version }),
  producer.described(),
  producer.add('one', { [TOPIC]: [0] }, { version }),
  producer.add('the same', { [TOPIC]: [0] }, { version }),
  producer.add('the same twice', { [TOPIC]: [1, 1] }, { version }),
  producer.add('many', { [TOPIC]: [2, 1, 0], [OTHER]: [0] }, { version }),
  producer.add('an older epoch, while it is open', { [TOPIC]: [0] }, { version, later: -1 }),
  producer.described(),
  ...producer.commit('it commits'),
  producer.add('after a commit', { [TOPIC]: [0] }, { version }),
  ...producer.abort('it aborts'),
  producer.add('after an abort', { [TOPIC]: [2] }, { version }),
  producer.described(),
  ...producer.abort('it aborts')
])

const offsets: Step[] = [0, 1, 2, 3, 4].flatMap(version => [
  producer.init(`a producer for version ${version}`),
  call('an unknown transactional id', AddOffsetsToTxn, version, { ...stranger, groupId: 'add' }),
  call('an empty transactional id', AddOffsetsToTxn, version, { ...stranger, transactionalId: '', groupId: 'add' }),
  producer.addOffsets('another producer', 'add', { version, id: 9999n }),
  producer.addOffsets('an older epoch', 'add', { version, later: -1 }),
  producer.addOffsets('a newer epoch', 'add', { version, later: 1 }),
  producer.addOffsets('a group', 'add', { version }),
  producer.addOffsets('the same group', 'add', { version }),
  producer.addOffsets('another group', 'add-more', { version }),
  producer.addOffsets('an empty group', '', { version }),
  producer.described(),
  ...producer.commit('it commits'),
  producer.addOffsets('after a commit', 'add', { version }),
  ...producer.abort('it aborts')
])

const batched: Step[] = [4, 5].flatMap(version => [
  producer.init(`a producer for version ${version}`),
  second.init(`a second producer for version ${version}`),
  call('nothing', AddPartitionsToTxn, version, { transactions: [{ ...stranger, verifyOnly: false, topics: [] }] }),
  call('several', AddPartitionsToTxn, version, session => ({
    transactions: [
      producer.batched(session, { [TOPIC]: [0, 1] }),
      second.batched(session, { [TOPIC]: [0], nowhere: [0] }),
      { ...stranger, verifyOnly: false, topics: [{ name: TOPIC, partitions: [0] }] },
      { ...stranger, transactionalId: '', verifyOnly: false, topics: [{ name: TOPIC, partitions: [0] }] }
    ]
  })),
  producer.described(),
  call('epochs and ids that are not theirs', AddPartitionsToTxn, version, session => ({
    transactions: [
      producer.batched(session, { [TOPIC]: [2] }, { later: -1 }),
      second.batched(session, { [TOPIC]: [2] }, { id: 9999n })
    ]
  })),
  call('internal topics', AddPartitionsToTxn, version, session => ({
    transactions: [producer.batched(session, { __consumer_offsets: [0], __transaction_state: [1] })]
  })),
  producer.described(),
  call('to verify', AddPartitionsToTxn, version, session => ({
    transactions: [
      producer.batched(session, { [TOPIC]: [0, 1, 2], [OTHER]: [0] }, { verifyOnly: true }),
      second.batched(session, { [TOPIC]: [0] }, { verifyOnly: true }),
      { ...stranger, verifyOnly: true, topics: [{ name: TOPIC, partitions: [0] }] }
    ]
  })),
  call('to verify what is not there', AddPartitionsToTxn, version, session => ({
    transactions: [producer.batched(session, { [TOPIC]: [0, 9] }, { verifyOnly: true })]
  })),
  ...[-1, 1].map(later =>
    call(`to verify with an epoch that is ${later} later`, AddPartitionsToTxn, version, session => ({
      transactions: [producer.batched(session, { [TOPIC]: [0] }, { verifyOnly: true, later })]
    }))
  ),
  call('to verify with another id', AddPartitionsToTxn, version, session => ({
    transactions: [producer.batched(session, { [TOPIC]: [0] }, { verifyOnly: true, id: 9999n })]
  })),
  call('to verify with no transactional id', AddPartitionsToTxn, version, session => ({
    transactions: [{ ...producer.batched(session, { [TOPIC]: [0] }, { verifyOnly: true }), transactionalId: '' }]
  })),
  ...producer.commit('it commits', { version: 5 }),
  call('to verify after the end', AddPartitionsToTxn, version, session => ({
    transactions: [producer.batched(session, { [TOPIC]: [0] }, { verifyOnly: true })]
  })),
  producer.described()
])

export const addToTxn: Step[] = [
  topic(TOPIC, 3),
  topic(OTHER),
  producer.found(),
  second.found(),
  ...single,
  ...offsets,
  ...batched
]
