import { Kafka } from 'kafkajs'
import { MiniKafka } from 'minikafka'

const kafka = await MiniKafka.start({
  topics: ['orders', { name: 'users', partitions: 3, config: { 'cleanup.policy': 'compact' } }],
  records: [
    { topic: 'users', key: 'u1', value: '{"name":"Ada"}', headers: { source: 'import' }, timestamp: 1700000000000 },
    { transactionalId: 'pay-1', result: 'abort', records: [{ topic: 'orders', value: 'coffee' }] }
  ],
  config: { 'num.partitions': 3 },
  dataDir: 'temp'
})
console.log(kafka)

const admin = new Kafka(kafka.clientConfig('kafkajs')).admin()
await admin.connect()
console.log(await admin.fetchTopicOffsets('users'))
await admin.disconnect()

await kafka.stop({ failOn: 'leak' })
