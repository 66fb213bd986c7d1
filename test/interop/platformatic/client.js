// @platformatic/kafka against a broker: TASK BOOTSTRAP_SERVERS TOPIC. Exits with 0 if the task passes. The task is the
// name of a codec, group, or admin.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { Admin, Consumer, Producer, stringDeserializers, stringSerializers } from '@platformatic/kafka'

const PARTITIONS = 4
const COUNT = 1000
const PATIENCE_MS = 120_000
const [task = '', servers = '', topic = ''] = process.argv.slice(2)
const base = { bootstrapBrokers: servers.split(','), clientId: 'interop', strict: true }

/** Produces numbered records, number i to partition i % PARTITIONS. */
async function produce(compression = 'none', count = COUNT) {
  const producer = new Producer({ ...base, serializers: stringSerializers, idempotent: true, acks: -1 })
  const messages = Array.from({ length: count }, (_, number) => ({
    ...{ topic, partition: number % PARTITIONS, key: `k${number}`, value: `${number}`.padStart(100, '.') },
    headers: { n: `${number}` }
  }))
  await producer.send({ messages, compression })
  await producer.close()
}

/** Checks that the numbers of each partition arrive once, in order. */
class Order {
  seen = 0
  #next = new Map()

  accept({ partition, key, value, headers }) {
    const expected = this.#next.get(partition) ?? partition
    assert.equal(key, `k${expected}`)
    assert.equal(value, `${expected}`.padStart(100, '.'))
    assert.equal(headers.get('n'), `${expected}`)
    this.#next.set(partition, expected + PARTITIONS)
    this.seen++
  }
}

const timeouts = { sessionTimeout: 10_000, rebalanceTimeout: 10_000, heartbeatInterval: 300 }

function member() {
  const consumer = new Consumer({ ...base, groupId: topic, deserializers: stringDeserializers, maxWaitTime: 200 })
  const options = { topics: [topic], autocommit: false, ...timeouts }
  return { consumer, consume: () => consumer.consume({ ...options, mode: 'committed', fallbackMode: 'earliest' }) }
}

async function codec() {
  await produce(task)
  const order = new Order()
  const { consumer, consume } = member()
  for await (const message of await consume()) {
    order.accept(message)
    if (order.seen === COUNT) break
  }
  await consumer.close(true)
}

async function group() {
  await produce()
  const [first, second] = [member(), member()]
  const order = new Order()
  const stream = await first.consume()
  // The stream stays open: a member with closed streams gets no partitions.
  await new Promise((resolve, reject) => {
    stream.on('data', message => {
      order.accept(message)
      if (order.seen === COUNT) Promise.resolve(message.commit()).then(resolve, reject)
      else Promise.resolve(message.commit()).catch(reject)
    })
  })
  await second.consume()
  await Promise.all([halved(first.consumer), halved(second.consumer)])
  const committed = await second.consumer.listCommittedOffsets({ topics: [{ topic, partitions: [0, 1, 2, 3] }] })
  assert.deepEqual(committed.get(topic), Array(PARTITIONS).fill(BigInt(COUNT / PARTITIONS)))
  await first.consumer.close(true)
  await second.consumer.close(true)
}

/** Waits until the member owns half of the partitions. */
async function halved(consumer) {
  const share = () => (consumer.assignments ?? []).reduce((sum, { partitions }) => sum + partitions.length, 0)
  while (share() !== PARTITIONS / 2) await once(consumer, 'consumer:group:join')
}

/** Repeats a check until it passes: Kafka's broker learns of a change after its controller. */
async function eventually(check) {
  for (const deadline = Date.now() + PATIENCE_MS; ; ) {
    try {
      return await check()
    } catch (error) {
      if (!(error instanceof assert.AssertionError) || Date.now() > deadline) throw error
    }
  }
}

async function admin(client) {
  const resource = { resourceType: 2, resourceName: topic }
  await client.incrementalAlterConfigs({
    resources: [{ ...resource, configs: [{ name: 'retention.ms', configOperation: 0, value: '1000' }] }]
  })
  await eventually(async () => {
    const [described] = await client.describeConfigs({
      resources: [{ ...resource, configurationKeys: ['retention.ms'] }]
    })
    assert.equal(described.configs[0].value, '1000')
  })
  const [node] = (await client.metadata({ topics: [topic] })).brokers.keys()
  const assignments = [{ brokerIds: [node] }, { brokerIds: [node] }]
  await client.createPartitions({ topics: [{ name: topic, count: PARTITIONS + 2, assignments }] })
  await eventually(async () => {
    const metadata = await client.metadata({ topics: [topic], forceUpdate: true })
    assert.equal(metadata.topics.get(topic).partitionsCount, PARTITIONS + 2)
  })
  await produce('none', 40)
  await client.deleteRecords({ topics: [{ name: topic, partitions: [{ partition: 0, offset: 4n }] }] })
  const earliest = { name: topic, partitions: [{ partitionIndex: 0, timestamp: -2n }] }
  assert.equal((await client.listOffsets({ topics: [earliest] }))[0].partitions[0].offset, 4n)
  await client.deleteTopics({ topics: [topic] })
  await eventually(async () => assert(!(await client.listTopics()).includes(topic)))
}

const client = new Admin(base)
await client.createTopics({ topics: [topic], partitions: PARTITIONS, replicas: 1 })
if (task === 'admin') await admin(client)
else if (task === 'group') await group()
else await codec()
await client.close()
console.log('ok')
