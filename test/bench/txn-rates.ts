/**
 * The cost of transactions in the broker: requests go directly to its dispatch, which writes files; no sockets, no
 * client time.
 */
import { NodeStorage } from '../../src/storage/node-storage.ts'
import { Harness } from '../../src/testing/harness.ts'
import { type Generation, TransactionalProducer } from '../broker/transactional.ts'
import { median, secondsOf, show, whole } from './figures.ts'

const TRANSACTIONS = 2000
const PRODUCERS = 10
const COMMITS = 50
const RECORD = '.'.repeat(100)

/** Transactions per second, the cost of a commit, and the cost of a begin. */
export async function transactionRates(dataDir: string): Promise<void> {
  const harness = await Harness.start({ storage: new NodeStorage(dataDir) })
  const topic = { name: 'bench', topicId: await harness.createTopic('bench', 100) }
  for (const generation of ['classic', 'KIP-890'] as const) {
    for (const records of [1, 100]) {
      const producer = await begun(harness, generation, `one ${generation} ${records}`)
      const values = Array.from({ length: records }, () => RECORD)
      const seconds = await secondsOf(async () => {
        for (let count = 0; count < TRANSACTIONS; count++) {
          await producer.send(topic, 0, values)
          await producer.commit()
        }
      })
      const name = `${generation} transactions of ${records} record${records > 1 ? 's' : ''}`
      show(name, `${whole(TRANSACTIONS / seconds)} a second`)
    }
  }
  await manyProducers(harness, topic)
  for (const partitions of [1, 10, 100]) await commits(harness, topic, partitions)
  await beginnings(harness)
  await harness.stop()
}

async function begun(harness: Harness, generation: Generation, id: string): Promise<TransactionalProducer> {
  const producer = new TransactionalProducer(harness, id, { generation })
  await producer.init()
  return producer
}

async function manyProducers(harness: Harness, topic: { name: string; topicId: string }): Promise<void> {
  const ids = Array.from({ length: PRODUCERS }, (_, index) => `many ${index}`)
  const producers = await Promise.all(ids.map(id => begun(harness, 'KIP-890', id)))
  const seconds = await secondsOf(() =>
    Promise.all(
      producers.map(async (producer, index) => {
        for (let count = 0; count < TRANSACTIONS / PRODUCERS; count++) {
          await producer.send(topic, index, [RECORD])
          await producer.commit()
        }
      })
    )
  )
  show(`transactions of ${PRODUCERS} producers at once`, `${whole(TRANSACTIONS / seconds)} a second`)
}

/** The cost of EndTxn by the number of partitions that get a marker. */
async function commits(harness: Harness, topic: { name: string; topicId: string }, partitions: number): Promise<void> {
  const producer = await begun(harness, 'KIP-890', `commit ${partitions}`)
  const tookMs: number[] = []
  for (let count = 0; count < COMMITS; count++) {
    for (let index = 0; index < partitions; index++) await producer.send(topic, index, [RECORD])
    tookMs.push(1000 * (await secondsOf(() => producer.commit())))
  }
  show(`commit over ${partitions} partition${partitions > 1 ? 's' : ''}, median`, `${median(tookMs).toFixed(2)} ms`)
}

async function beginnings(harness: Harness): Promise<void> {
  const producer = await begun(harness, 'KIP-890', 'beginner')
  const tookMs: number[] = []
  for (let count = 0; count < 20 * COMMITS; count++) {
    tookMs.push(1000 * (await secondsOf(() => producer.tryInit())))
  }
  show('InitProducerId of a known id, median', `${median(tookMs).toFixed(3)} ms`)
}
