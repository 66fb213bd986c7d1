// Produce in transactions: the verification of a batch at each version, its errors, and the sequences of a producer
// with increasing epochs.
import { APIS } from '../../../../src/protocol/messages/index.ts'
import { call, type Step } from '../transcript.ts'
import { bytes } from './batches.ts'
import { partition, request } from './producing.ts'
import { fetchAll } from './read.ts'
import { topic } from './topic.ts'
import { Transactional } from './transactional.ts'

const { Produce } = APIS
const TOPIC = 'transactional-produce'
const VERSIONS = [3, 7, 8, 10, 11, 12, 13]
const strange = { isTransactional: true, producerId: 4_444_444n, producerEpoch: 0, baseSequence: 0 }

const unknown: Step[] = [3, 8, 11, 12].flatMap(version => [
  call(
    'a transactional id that is unused',
    Produce,
    version,
    request(
      [
        {
          name: TOPIC,
          partitionData: [
            partition(bytes(['a'], strange)),
            partition(bytes(['b']), 1),
            partition(bytes(['a'], strange), 7)
          ]
        }
      ],
      { transactionalId: 'produce-unknown' }
    )
  ),
  call(
    'an empty transactional id',
    Produce,
    version,
    request([{ name: TOPIC, partitionData: [partition(bytes(['c'], strange))] }], { transactionalId: '' })
  ),
  call(
    'no producer',
    Produce,
    version,
    request([{ name: TOPIC, partitionData: [partition(bytes(['c'], { isTransactional: true }))] }], {
      transactionalId: 'produce-unknown'
    })
  ),
  call(
    'acks=0 and a transactional id that is unused',
    Produce,
    version,
    request([{ name: TOPIC, partitionData: [partition(bytes(['d'], strange))] }], {
      transactionalId: 'produce-unknown',
      acks: 0
    })
  )
])

/** Batches that belong to an open transaction, and others. */
function admitted(version: number): Step[] {
  const producer = new Transactional(`produce-${version}`)
  const at = (more: object = {}) => ({ version, ...more })
  return [
    producer.init('a producer'),
    producer.init('and again'),
    ...(version < 12 ? [producer.write('a partition that was not added', TOPIC, at())] : []),
    producer.write('another producer', TOPIC, at({ id: 5_555_555n })),
    producer.write('an older epoch', TOPIC, at({ later: -1 })),
    producer.write('a newer epoch', TOPIC, at({ later: 1 })),
    producer.write('a partition that is not there', TOPIC, at({ partition: 9 })),
    producer.write('acks of 7', TOPIC, at({ acks: 7 })),
    producer.add('its transaction', { [TOPIC]: [0] }),
    producer.write('in the middle', TOPIC, at({ sequence: 5 })),
    producer.write('a batch', TOPIC, at()),
    producer.write('the same batch', TOPIC, at()),
    producer.write('a gap', TOPIC, at({ sequence: 7 })),
    producer.write('an older epoch, while it is open', TOPIC, at({ later: -1 })),
    producer.write('a newer epoch, while it is open', TOPIC, at({ later: 1 })),
    producer.write('a newer epoch, while it is open, in the middle', TOPIC, at({ later: 1, sequence: 1 })),
    producer.write('without a transaction, while it is open', TOPIC, at({ plain: true, sequence: 1 })),
    ...(version < 12 ? [producer.write('another partition', TOPIC, at({ partition: 1 }))] : []),
    producer.described(),
    ...producer.commit('it commits'),
    producer.write('the same batch after the end', TOPIC, at()),
    producer.write('a retry of what never came', TOPIC, at({ sequence: 3 })),
    ...(version < 12 ? [producer.write('the next after the end', TOPIC, at({ sequence: 1 }))] : []),
    producer.write('without a transaction, after the end', TOPIC, at({ plain: true, sequence: 1 })),
    producer.described()
  ]
}

const moving = new Transactional('produce-moving')
const epochs: Step[] = [12, 13].flatMap(version => [
  moving.init(`a producer for version ${version}`),
  moving.write('the first batch', TOPIC, { version }),
  moving.write('the second', TOPIC, { version, sequence: 1 }),
  moving.write('another partition', TOPIC, { version, partition: 1 }),
  moving.described(),
  ...moving.commit('it commits', { version: 5 }),
  moving.write('the second again, of the epoch before', TOPIC, { version, sequence: 1, later: -1 }),
  moving.write('a new one of the epoch before', TOPIC, { version, sequence: 2, later: -1 }),
  moving.write('in the middle', TOPIC, { version, sequence: 2 }),
  moving.described('what a batch that is refused leaves behind'),
  moving.write('from the start', TOPIC, { version }),
  moving.described(),
  ...moving.abort('it aborts', { version: 5 }),
  moving.write('after the end, of the epoch before', TOPIC, { version, sequence: 1, later: -1 }),
  moving.write('several', TOPIC, { version, values: ['a', 'b', 'c'] }),
  moving.write('one of a version before', TOPIC, { version: 11, sequence: 3 }),
  moving.write('another partition of a version before', TOPIC, { version: 11, partition: 1 }),
  ...moving.abort('it aborts', { version: 5 })
])

const first = new Transactional('produce-one')
const second = new Transactional('produce-two')
const together: Step[] = [3, 11, 12].flatMap(version => [
  first.init('one producer'),
  second.init('another producer'),
  first.add('its transaction', { [TOPIC]: [0, 1] }),
  second.add('its transaction', { [TOPIC]: [0, 1] }),
  call('two producers in a request', Produce, version, session =>
    request([{ name: TOPIC, partitionData: [partition(first.batch(session)), partition(second.batch(session), 1)] }], {
      transactionalId: first.id
    })
  ),
  call('two epochs in a request', Produce, version, session =>
    request(
      [
        {
          name: TOPIC,
          partitionData: [partition(first.batch(session)), partition(first.batch(session, { later: 1 }), 1)]
        }
      ],
      { transactionalId: first.id }
    )
  ),
  call('a transaction and a batch without a producer id in a request', Produce, version, session =>
    request([{ name: TOPIC, partitionData: [partition(first.batch(session)), partition(bytes(['x']), 1)] }], {
      transactionalId: first.id
    })
  ),
  call('the transactional id of another', Produce, version, session =>
    request([{ name: TOPIC, partitionData: [partition(second.batch(session))] }], { transactionalId: first.id })
  ),
  call('no transactional id', Produce, version, session =>
    request([{ name: TOPIC, partitionData: [partition(second.batch(session))] }])
  ),
  call('a topic that is not there and one that is', Produce, version, session =>
    request(
      [
        { name: 'nowhere', partitionData: [partition(first.batch(session))] },
        { name: TOPIC, partitionData: [partition(first.batch(session), 1), partition(first.batch(session), 8)] }
      ],
      { transactionalId: first.id }
    )
  ),
  call('an internal topic', Produce, version, session =>
    request([{ name: '__consumer_offsets', partitionData: [partition(first.batch(session))] }], {
      transactionalId: first.id
    })
  ),
  first.described(),
  second.described(),
  ...first.abort('one aborts'),
  ...second.commit('the other commits')
])

export const transactionalProduce: Step[] = [
  topic(TOPIC, 2),
  first.found(),
  second.found(),
  ...unknown,
  ...VERSIONS.flatMap(admitted),
  ...epochs,
  ...together,
  fetchAll('the log', TOPIC, 2)
]
