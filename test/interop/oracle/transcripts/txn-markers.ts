// WriteTxnMarkers, as sent by a coordinator and by an admin who aborts a hanging transaction; DescribeProducers, which
// shows the effect.
import { APIS } from '../../../../src/protocol/messages/index.ts'
import { call, type Step } from '../transcript.ts'
import { fetchAll } from './read.ts'
import { topic } from './topic.ts'
import { type Claim, Transactional } from './transactional.ts'

const { DescribeProducers, WriteTxnMarkers } = APIS
const TOPIC = 'txn-markers'

interface Marker extends Claim {
  readonly of: Transactional
  readonly commit?: boolean
  readonly coordinatorEpoch?: number
  readonly transactionVersion?: number
  readonly topics?: readonly { readonly name: string; readonly partitionIndexes: readonly number[] }[]
}

function markers(name: string, version: number, ...all: Marker[]): Step {
  return call(name, WriteTxnMarkers, version, session => ({
    markers: all.map(({ of, commit = false, coordinatorEpoch = 0, transactionVersion, topics, ...claim }) => ({
      ...of.claim(session, claim),
      transactionResult: commit,
      coordinatorEpoch,
      topics: topics ?? [{ name: TOPIC, partitionIndexes: [0] }],
      ...(version >= 2 && { transactionVersion: transactionVersion ?? 0 })
    }))
  }))
}

const producers = (name: string): Step =>
  call(name, DescribeProducers, 0, { topics: [{ name: TOPIC, partitionIndexes: [0, 1] }] })

/**
 * After a marker with a future coordinator epoch, Kafka cannot end the transaction any more: it stays open, as here.
 */
function ended(version: number): Step[] {
  const producer = new Transactional(`markers-${version}`)
  const sent = (name: string, ...all: Omit<Marker, 'of'>[]) =>
    markers(name, version, ...all.map(marker => ({ ...marker, of: producer })))
  return [
    producer.init('a producer'),
    producer.init('and again'),
    call('none', WriteTxnMarkers, version, { markers: [] }),
    sent('for an unknown producer', { id: 7_777_777n + BigInt(version), epoch: 3 }),
    sent('with nothing open', {}),
    producer.add('a transaction', { [TOPIC]: [0, 1] }),
    producer.write('a batch', TOPIC),
    producers('while it is open'),
    sent('of an older epoch', { later: -1 }),
    sent('of nowhere', { topics: [{ name: 'nowhere', partitionIndexes: [0, 1] }] }),
    sent('of a partition that is not there', { topics: [{ name: TOPIC, partitionIndexes: [1, 9, -1] }] }),
    sent('of no partition', { topics: [{ name: TOPIC, partitionIndexes: [] }] }),
    sent('that ends it', { coordinatorEpoch: 5 }),
    producers('after the end'),
    sent('again', { coordinatorEpoch: 5 }),
    sent('of an older coordinator', { coordinatorEpoch: 4 }),
    sent('of a newer epoch', { later: 1, coordinatorEpoch: 5, commit: true }),
    sent('of the epoch before', { coordinatorEpoch: 5 }),
    sent('two of one producer', { later: 1, coordinatorEpoch: 5 }, { later: 2, coordinatorEpoch: 5 }),
    sent(
      'one that is refused and one that is not',
      { later: 2, coordinatorEpoch: 6 },
      { later: 3, coordinatorEpoch: 1 }
    ),
    producers('after all of that')
  ]
}

const versions: Step[] = [0, 1, 2, 3, -2].flatMap(transactionVersion => {
  const other = new Transactional(`markers-of-${transactionVersion}`)
  return [
    other.init(`a producer for transaction version ${transactionVersion}`),
    other.add('a transaction', { [TOPIC]: [1] }),
    other.write('a batch', TOPIC, { partition: 1 }),
    ...[0, 1, 0, 1, 3].map(later =>
      markers(`${later} epochs later`, 2, {
        ...{ of: other, later, transactionVersion, coordinatorEpoch: 0 },
        topics: [{ name: TOPIC, partitionIndexes: [1] }]
      })
    )
  ]
})

const described: Step[] = [
  call('no topics', DescribeProducers, 0, { topics: [] }),
  call('what is not there', DescribeProducers, 0, {
    topics: [
      { name: 'nowhere', partitionIndexes: [0, 1] },
      { name: TOPIC, partitionIndexes: [0, 9, -1] },
      { name: 'a b', partitionIndexes: [0] },
      { name: '', partitionIndexes: [0] }
    ]
  }),
  call('no partitions', DescribeProducers, 0, { topics: [{ name: TOPIC, partitionIndexes: [] }] })
]

export const txnMarkers: Step[] = [
  topic(TOPIC, 2),
  new Transactional('markers').found(),
  ...[1, 2].flatMap(ended),
  ...versions,
  ...described,
  fetchAll('the log', TOPIC, 2)
]
