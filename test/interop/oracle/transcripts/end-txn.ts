// EndTxn in every state and version: versions 0 to 4, where an end keeps the epoch, and version 5 (KIP-890), where
// every end increments it.
import { APIS } from '../../../../src/protocol/messages/index.ts'
import { call, type Step } from '../transcript.ts'
import { fetchAll } from './read.ts'
import { topic } from './topic.ts'
import { Transactional } from './transactional.ts'

const { EndTxn } = APIS
const TOPIC = 'end-txn'
const VERSIONS = [0, 1, 2, 3, 4, 5]
const stranger = { producerId: 5n, producerEpoch: 0, committed: true }

const strangers: Step[] = VERSIONS.flatMap(version => [
  call('an unknown transactional id', EndTxn, version, { ...stranger, transactionalId: 'end-unknown' }),
  call('an empty transactional id', EndTxn, version, { ...stranger, transactionalId: '' })
])

/** Ends with a wrong producer id or epoch, in any state. */
function wrong(producer: Transactional, version: number, when: string): Step[] {
  return [
    ...producer.commit(`another id, ${when}`, { version, id: 9999n }),
    ...producer.abort(`another id, ${when}`, { version, id: 9999n }),
    ...producer.commit(`two epochs ago, ${when}`, { version, later: -2 }),
    ...producer.abort(`two epochs ago, ${when}`, { version, later: -2 }),
    ...producer.commit(`a later epoch, ${when}`, { version, later: 1 }),
    ...producer.abort(`a later epoch, ${when}`, { version, later: 1 })
  ]
}

/** The last end repeated, with the same and the other result, by a client with or without the new epoch. */
function repeated(producer: Transactional, version: number): Step[] {
  return [
    producer.described(),
    ...producer.commit('commits with the epoch before', { version, later: -1 }),
    ...producer.abort('aborts with the epoch before', { version, later: -1 }),
    ...wrong(producer, version, 'after the end'),
    ...producer.commit('commits again', { version }),
    producer.described()
  ]
}

function classic(version: number): Step[] {
  const producer = new Transactional(`end-${version}`)
  return [
    producer.init(`a producer for version ${version}`),
    producer.init(`and again`),
    ...producer.commit('commits nothing', { version }),
    ...producer.abort('aborts nothing', { version }),
    ...wrong(producer, version, 'with nothing open'),
    producer.add('a transaction', { [TOPIC]: [0, 1] }),
    producer.write('a batch', TOPIC),
    ...wrong(producer, version, 'with a transaction open'),
    ...producer.commit('commits', { version }),
    ...repeated(producer, version),
    ...producer.abort('aborts what is committed', { version }),
    producer.add('a transaction', { [TOPIC]: [0] }),
    producer.write('a batch', TOPIC, { sequence: 1 }),
    ...producer.abort('aborts', { version }),
    ...repeated(producer, version),
    ...producer.abort('aborts again', { version }),
    producer.add('a transaction without batches', { [TOPIC]: [1] }),
    ...producer.commit('commits', { version }),
    producer.described()
  ]
}

const moving = new Transactional('end-5')
const epochs: Step[] = [
  moving.init('a producer for version 5'),
  moving.init('and again'),
  ...moving.commit('commits nothing', { version: 5 }),
  ...wrong(moving, 5, 'with nothing open'),
  ...moving.abort('aborts nothing', { version: 5 }),
  moving.described(),
  ...moving.abort('aborts nothing, again', { version: 5, later: -1 }),
  ...moving.abort('aborts nothing, once more', { version: 5 }),
  moving.write('a batch that adds its partition', TOPIC, { version: 12 }),
  moving.write('and another', TOPIC, { version: 12, partition: 1 }),
  moving.described(),
  ...wrong(moving, 5, 'with a transaction open'),
  ...moving.commit('the epoch before, with a transaction open', { version: 5, later: -1 }),
  ...moving.commit('commits', { version: 5 }),
  ...repeated(moving, 5),
  moving.write('a batch of the next transaction', TOPIC, { version: 12 }),
  ...moving.abort('aborts', { version: 5 }),
  ...repeated(moving, 5),
  ...moving.abort('aborts what is aborted', { version: 5 }),
  moving.write('a batch of the next transaction', TOPIC, { version: 12 }),
  ...moving.commit('commits', { version: 5 }),
  ...moving.abort('aborts what is committed', { version: 5 }),
  moving.described(),
  moving.init('continues with its own id', { resumes: true }),
  ...moving.commit('commits nothing', { version: 5 }),
  moving.described()
]

/** A client may use the old and the new version in one transaction. */
const mixed = new Transactional('end-mixed')
const changing: Step[] = [
  mixed.init('a producer'),
  mixed.add('a transaction as of old', { [TOPIC]: [0] }),
  mixed.write('a batch', TOPIC),
  ...mixed.commit('commits as of now', { version: 5 }),
  mixed.described(),
  mixed.write('a batch as of now', TOPIC, { version: 12 }),
  ...mixed.commit('commits as of old', { version: 4 }),
  mixed.described(),
  mixed.write('a batch as of now, with the same epoch', TOPIC, { version: 12, sequence: 1 }),
  ...mixed.abort('aborts as of now', { version: 5 }),
  ...mixed.abort('aborts as of old', { version: 4 }),
  ...mixed.abort('aborts as of old, with the epoch before', { version: 4, later: -1 }),
  mixed.described()
]

export const endTxn: Step[] = [
  topic(TOPIC, 2),
  new Transactional('end-unknown').found(),
  ...strangers,
  ...[0, 1, 2, 3, 4].flatMap(classic),
  ...epochs,
  ...changing,
  fetchAll('the log', TOPIC, 2)
]
