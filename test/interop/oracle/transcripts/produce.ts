// Produce requests: versions, acks, unknown topics and partitions, repeated partitions.
import { APIS } from '../../../../src/protocol/messages/index.ts'
import type { Session } from '../session.ts'
import { arrange, atEachVersion, call, type Step } from '../transcript.ts'
import { bytes, CODECS, damaged } from './batches.ts'
import { LATEST, named, partition, produced, request } from './producing.ts'
import { fetchAll } from './read.ts'
import { gone, idOf, topic } from './topic.ts'

const { DeleteTopics, Produce } = APIS
const UNKNOWN_ID = 'AAAAAAAAAAAAAAAAAAAABQ'
const PLAIN = 'produce-plain'

/** The topic by name, from version 13 on by id. */
const reference = (session: Session, version: number, name = PLAIN) =>
  version < 13 ? { name } : { topicId: idOf(session, name) }

const good: Step[] = [
  topic(PLAIN, 2),
  ...atEachVersion(
    'a batch',
    Produce,
    version => session => request([{ ...reference(session, version), partitionData: [partition(bytes(['a', 'b']))] }])
  ),
  ...CODECS.flatMap(codec =>
    [LATEST, 7, 3].map(version =>
      call(`${codec} records`, Produce, version, request([named(PLAIN, bytes(['c', 'd'], { codec }))]))
    )
  ),
  produced('no key', bytes([''], { key: null }), PLAIN),
  produced('no value', bytes([null]), PLAIN),
  call(
    'two partitions and two topics',
    Produce,
    LATEST,
    request([
      { name: PLAIN, partitionData: [partition(bytes(['e'])), partition(bytes(['f']), 1)] },
      named('produce-none', bytes(['g']))
    ])
  ),
  call(
    'in two pieces of one topic',
    Produce,
    LATEST,
    request([named(PLAIN, bytes(['e'])), named(PLAIN, bytes(['f']), 1)])
  ),
  call('a timeout of zero', Produce, LATEST, { ...request([named(PLAIN, bytes(['h']))]), timeoutMs: 0 }),
  fetchAll('the log', PLAIN, 2)
]

const acknowledgements: Step[] = [
  ...[3, 8, 9, LATEST].map(version =>
    call('acks=1', Produce, version, request([named(PLAIN, bytes(['h']))], { acks: 1 }))
  ),
  ...[2, -2, 100].flatMap(acks => [
    call(`acks=${acks}`, Produce, LATEST, request([named(PLAIN, bytes(['a']))], { acks })),
    call(`acks=${acks} and what else is wrong`, Produce, LATEST, {
      ...request(
        [
          { name: PLAIN, partitionData: [partition(bytes([])), partition(Buffer.alloc(0), 1), partition(null, 9)] },
          named('produce-none', bytes(['a'])),
          named('__consumer_offsets', bytes(['a']))
        ],
        { acks }
      )
    })
  ]),
  arrange('acks=0 is not answered', session =>
    session.send(Produce, LATEST, request([named(PLAIN, bytes(['i']))], { acks: 0 }))
  ),
  call('the next request is', Produce, LATEST, request([named(PLAIN, bytes(['j']))])),
  fetchAll('the log with both', PLAIN, 1),
  ...[
    named('produce-none', bytes(['a'])),
    named(PLAIN, bytes(['a']), 9),
    named(PLAIN, Buffer.alloc(0)),
    named(PLAIN, bytes(['a'], { isTransactional: true, producerId: 4n, producerEpoch: 0, baseSequence: 0 })),
    named(PLAIN, bytes([]))
  ].map((data, index) => call(`acks=0 and a failure (${index})`, Produce, LATEST, request([data], { acks: 0 })))
]

const wrongNames: Step[] = [
  call('no topics', Produce, LATEST, request([])),
  call('no partitions', Produce, LATEST, request([{ name: PLAIN, partitionData: [] }])),
  ...[3, 9, LATEST].map(version =>
    call('an unknown topic', Produce, version, request([named('produce-none', bytes(['a']))]))
  ),
  call('an unknown partition', Produce, LATEST, request([named(PLAIN, bytes(['a']), 9)])),
  call('a negative partition', Produce, LATEST, request([named(PLAIN, bytes(['a']), -1)])),
  call('a name that is not allowed', Produce, LATEST, request([named('a b', bytes(['a']))])),
  call('an empty name', Produce, LATEST, request([named('', bytes(['a']))])),
  call('an unknown id', Produce, 13, request([{ topicId: UNKNOWN_ID, partitionData: [partition(bytes(['a']))] }])),
  call('no id', Produce, 13, request([{ partitionData: [partition(bytes(['a']))] }])),
  call('an unknown partition', Produce, 13, session =>
    request([{ topicId: idOf(session, PLAIN), partitionData: [partition(bytes(['a']), 9)] }])
  ),
  call('the offsets topic', Produce, LATEST, request([named('__consumer_offsets', bytes(['a']))])),
  call(
    'the offsets topic, a partition it has not',
    Produce,
    LATEST,
    request([named('__consumer_offsets', bytes(['a']), 77)])
  )
]

/**
 * min.insync.replicas=2 has no effect, because a partition has one replica; a topic id is invalid after the topic's
 * deletion.
 */
const topicsOfOwn: Step[] = [
  topic('produce-insync', 1, { 'min.insync.replicas': '2' }),
  ...[-1, 0, 1].map(acks => {
    const produceRequest = request([named('produce-insync', bytes([`${acks}`]))], { acks })
    return acks === 0
      ? arrange('acks=0 and too few replicas', session => session.send(Produce, LATEST, produceRequest))
      : call(`acks=${acks} and too few replicas`, Produce, LATEST, produceRequest)
  }),
  fetchAll('what the few have', 'produce-insync', 1),
  topic('produce-doomed'),
  arrange('its id is kept, and it is deleted', async session => {
    session.remember('doomed id', idOf(session, 'produce-doomed'))
    await session.sendRequest(DeleteTopics, 6, { topics: [{ name: 'produce-doomed' }], timeoutMs: 30_000 })
  }),
  gone('produce-doomed'),
  produced('a topic that is gone', bytes(['a']), 'produce-doomed'),
  topic('produce-doomed'),
  call('the id of a topic that was recreated', Produce, 13, session =>
    request([{ topicId: `${session.recall('doomed id')}`, partitionData: [partition(bytes(['a']))] }])
  ),
  produced('its name', bytes(['a']), 'produce-doomed')
]

/** Of a partition that a request repeats, Kafka takes the last entry. */
const twice: Step[] = [
  topic('produce-twice', 2),
  call(
    'a partition twice in a topic',
    Produce,
    LATEST,
    request([{ name: 'produce-twice', partitionData: [partition(bytes(['a'])), partition(bytes(['b']))] }])
  ),
  call(
    'a topic twice',
    Produce,
    LATEST,
    request([named('produce-twice', bytes(['c'])), named('produce-twice', bytes(['d']))])
  ),
  call('a topic twice', Produce, 13, session => {
    const topicId = idOf(session, 'produce-twice')
    return request([
      { topicId, partitionData: [partition(bytes(['e'])), partition(bytes(['f']), 1)] },
      { topicId, partitionData: [partition(bytes(['g']))] }
    ])
  }),
  call(
    'twice, the first with a wrong CRC',
    Produce,
    LATEST,
    request([named('produce-twice', damaged(bytes(['h']))), named('produce-twice', bytes(['i']))])
  ),
  call(
    'an unknown one twice',
    Produce,
    LATEST,
    request([named('produce-none', bytes(['a'])), named('produce-none', bytes(['b']))])
  ),
  fetchAll('what was taken', 'produce-twice', 2)
]

const transactional = { isTransactional: true, producerId: 4_444_444n, producerEpoch: 0, baseSequence: 0 }

/** Without a transactional id, Kafka refuses the whole request. */
const transactions: Step[] = [
  ...[3, 8, 11, LATEST].map(version =>
    call(
      'transactional records and no transactional id',
      Produce,
      version,
      request([
        named(PLAIN, bytes(['a'], transactional)),
        named('produce-none', bytes(['a'])),
        named('produce-twice', bytes(['a']), 1)
      ])
    )
  ),
  call(
    'a transactional batch without a producer',
    Produce,
    LATEST,
    request([named(PLAIN, bytes(['a'], { isTransactional: true }))])
  ),
  call(
    'a transactional id without transactional records',
    Produce,
    LATEST,
    request([named(PLAIN, bytes(['t']))], { transactionalId: 'produce-txn' })
  )
]

/**
 * Kafka's handler fails for null records, sends no response and never reads from the connection again. minikafka
 * returns INVALID_RECORD, as for empty records. Compares that nothing is appended.
 */
const absent: Step[] = [
  ...[3, 8, LATEST].map(version =>
    arrange(`absent records (Produce v${version})`, session =>
      session.send(Produce, version, request([named(PLAIN, null)]), `absent ${version}`)
    )
  ),
  fetchAll('the log in the end', PLAIN, 2)
]

export const produce: Step[] = [
  ...good,
  ...acknowledgements,
  ...wrongNames,
  ...topicsOfOwn,
  ...twice,
  ...transactions,
  ...absent
]
