// Each name that the package exports, without the types of Node or of a test runner.
import { type Logger, MiniKafka, type MiniKafkaOptions, type SettingValue, type TopicOptions } from 'minikafka'

const orders: TopicOptions = { name: 'orders', partitions: 3, config: { 'cleanup.policy': 'compact' } }
const config: Record<string, SettingValue> = { 'num.partitions': 3 }
const options: MiniKafkaOptions = { topics: [orders, 'payments'], config }

export async function use(logger: Logger): Promise<string> {
  await using kafka = await MiniKafka.start({ ...options, logger })
  return kafka.bootstrapServers
}
