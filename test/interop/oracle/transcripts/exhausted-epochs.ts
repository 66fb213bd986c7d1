// Producers with exhausted epochs: the next producer id, requests with the previous id, and the last epoch, which only
// fences. Reaching it takes long, so only the newest Kafka is compared.
import { APIS } from '../../../../src/protocol/messages/index.ts'
import type { Session } from '../session.ts'
import { arrange, call, type Step } from '../transcript.ts'
import { fetchAll } from './read.ts'
import { topic } from './topic.ts'
import { Transactional } from './transactional.ts'
import { lowered, raised } from './update-features.ts'

const { DescribeProducers, EndTxn, InitProducerId } = APIS
const TOPIC = 'exhausted'
/** The last epoch that a client gets. The epoch after it fences that client. */
const LAST = 32_766
const IN_FLIGHT = 200

const moving = new Transactional('exhausted-moving')
const resuming = new Transactional('exhausted-resuming')
const open = new Transactional('exhausted-open')
const classic = new Transactional('exhausted-classic')

/** Sends InitProducerId until the epoch is `last`, with many requests in flight. */
async function wearOut(session: Session, { id }: Transactional, last: number): Promise<void> {
  const request = { transactionalId: id, transactionTimeoutMs: 60_000 }
  for (let epoch = -1; epoch < last; ) {
    const asked = Array.from({ length: Math.min(IN_FLIGHT, last - epoch) }, () =>
      session.send(InitProducerId, 5, request, id)
    )
    for (const answer of await Promise.all(asked)) {
      const identity = await answer()
      if (typeof identity === 'string') throw new Error(`${id}: ${identity}`)
      // A coordinator that is still loading returns no epoch.
      if (identity.errorCode !== 'NONE') continue
      epoch = identity.producerEpoch
      session.remember(`producer ${id}`, identity)
      session.remember(`first id of ${id}`, identity.producerId)
    }
  }
}

const worn = arrange('their epochs are used up', session =>
  Promise.all([
    wearOut(session, moving, LAST - 1),
    ...[resuming, open, classic].map(producer => wearOut(session, producer, LAST))
  ])
)

/** An end by a client with the first producer id. */
const ended = (producer: Transactional, name: string, committed: boolean, producerEpoch: number): Step[] => [
  call(name, EndTxn, 5, session => ({ ...former(session, producer, producerEpoch), committed })),
  producer.over()
]

const resumed = (producer: Transactional, name: string, producerEpoch: number): Step =>
  call(name, InitProducerId, 5, session => ({
    ...former(session, producer, producerEpoch),
    transactionTimeoutMs: 60_000
  }))

function former(session: Session, { id: transactionalId }: Transactional, producerEpoch: number) {
  return { transactionalId, producerId: session.recall(`first id of ${transactionalId}`) as bigint, producerEpoch }
}

const producers = call('the producers of the partition', DescribeProducers, 0, {
  topics: [{ name: TOPIC, partitionIndexes: [0] }]
})

const byEnding: Step[] = [
  moving.described(),
  moving.write('a batch of the last epoch but one', TOPIC, { version: 12 }),
  ...moving.commit('it commits', { version: 5 }),
  moving.write('a batch of the last epoch', TOPIC, { version: 12 }),
  producers,
  ...moving.commit('it commits, and has a new id', { version: 5 }),
  moving.described(),
  producers,
  ...[LAST, LAST - 1, LAST + 1].flatMap(epoch => [
    ...ended(moving, `it commits again with epoch ${epoch}`, true, epoch),
    ...ended(moving, `it aborts with epoch ${epoch}`, false, epoch),
    resumed(moving, `it continues from epoch ${epoch}`, epoch)
  ]),
  moving.described(),
  ...ended(moving, 'it commits once more', true, LAST),
  moving.init('another instance comes'),
  moving.write('a batch with the new id', TOPIC, { version: 12 }),
  ...moving.commit('it commits', { version: 5 }),
  producers
]

const byResuming: Step[] = [
  resuming.init('it continues from the last epoch', { resumes: true }),
  resuming.described(),
  ...[LAST, LAST - 1, LAST + 1].map(epoch => resumed(resuming, `it continues from epoch ${epoch}, again`, epoch)),
  ...ended(resuming, 'it aborts with the last epoch', false, LAST),
  resuming.described()
]

/** Another instance starts while a transaction with the last epoch is open. */
function fenced(producer: Transactional): Step[] {
  return [
    producer.add('a transaction of the last epoch', { [TOPIC]: [0] }),
    producer.write('a batch', TOPIC),
    producer.init('another instance comes'),
    producer.over(),
    producer.described(),
    producers,
    producer.write('a batch of the one before', TOPIC, { sequence: 1 }),
    ...producer.commit('the one before commits'),
    ...producer.abort('the one before aborts', { version: 5 })
  ]
}

const steps: Step[] = [
  ...[moving, resuming, open, classic].map(producer => producer.found()),
  worn,
  ...byEnding,
  ...byResuming,
  ...fenced(open),
  resumed(open, 'the one before continues', LAST),
  open.init('the other instance asks again'),
  open.described(),
  ...lowered(1),
  ...fenced(classic),
  classic.init('the other instance asks again'),
  classic.described(),
  ...raised(2),
  fetchAll('the log', TOPIC, 1)
]

export const exhaustedEpochs: Step[] = [topic(TOPIC), ...steps.map(step => ({ ...step, since: '4.4.0' }))]
