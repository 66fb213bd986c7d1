// Expired transactional ids (`transactional.id.expiration.ms`): the coordinator has forgotten them, the partitions
// still have their producer state; their producers then continue.
import { APIS } from '../../../../src/protocol/messages/index.ts'
import { arrange, call, type Step } from '../transcript.ts'
import { fetchAll } from './read.ts'
import { topic } from './topic.ts'
import { Transactional } from './transactional.ts'

const { DescribeProducers, DescribeTransactions, TxnOffsetCommit } = APIS
const TOPIC = 'txn-expiry'
const GROUP = 'expiry-group'
/** Longer than the time between two steps on a busy machine. */
export const EXPIRY = {
  'transactional.id.expiration.ms': 4000,
  'transaction.remove.expired.transaction.cleanup.interval.ms': 100
}

const old = new Transactional('expiry-old')
const modern = new Transactional('expiry-modern')
const idle = new Transactional('expiry-idle')
const all = [old, modern, idle]

const expired: Step = arrange('their time is over', session =>
  session.requestUntil(
    DescribeTransactions,
    0,
    { transactionalIds: all.map(({ id }) => id) },
    ({ transactionStates }) => transactionStates.every(({ errorCode }) => errorCode === 'TRANSACTIONAL_ID_NOT_FOUND')
  )
)

const producers = (name: string): Step =>
  call(name, DescribeProducers, 0, { topics: [{ name: TOPIC, partitionIndexes: [0] }] })

const commitOffsets = (of: Transactional, version: number): Step =>
  call('offsets', TxnOffsetCommit, version, session => ({
    ...{ transactionalId: of.id, groupId: GROUP, groupInstanceId: null },
    ...of.claim(session),
    topics: [
      {
        name: TOPIC,
        partitions: [{ partitionIndex: 0, committedOffset: 1n, committedLeaderEpoch: 0, committedMetadata: 'm' }]
      }
    ]
  }))

function unknown(producer: Transactional): Step[] {
  return [
    ...[0, 3].map(version => producer.add('a partition', { [TOPIC]: [0] }, { version })),
    ...[0, 4].map(version => producer.addOffsets('a group', GROUP, { version })),
    ...[3, 11, 12].map(version => producer.write('a batch', TOPIC, { version, sequence: 1 })),
    ...[0, 4, 5].map(version => commitOffsets(producer, version)),
    ...[0, 4, 5].flatMap(version => [
      ...producer.commit('a commit', { version }),
      ...producer.abort('an abort', { version })
    ])
  ]
}

function goesOn(producer: Transactional, init: Step): Step[] {
  return [
    init,
    producer.write('a batch', TOPIC, { version: 12 }),
    producer.described(),
    ...producer.commit('it commits', { version: 5 })
  ]
}

export const txnExpiry: Step[] = [
  topic(TOPIC),
  ...all.flatMap(producer => [producer.found(), producer.init('a producer')]),
  old.add('its transaction', { [TOPIC]: [0] }),
  old.write('a batch', TOPIC),
  ...old.commit('it commits'),
  modern.write('a batch', TOPIC, { version: 12 }),
  ...modern.abort('it aborts', { version: 5 }),
  expired,
  producers('when they have expired'),
  ...all.flatMap(unknown),
  ...goesOn(old, old.init('continues in an old way', { resumes: true, version: 3 })),
  ...goesOn(modern, modern.init('continues', { resumes: true })),
  ...goesOn(idle, idle.init('rejoins')),
  producers('in the end'),
  fetchAll('the log', TOPIC, 1)
]
