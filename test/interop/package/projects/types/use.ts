// Each name that the package exports, without the types of Node or of a test runner.
import { type Logger, MiniKafka, type MiniKafkaOptions, type SettingValue, type TopicOptions } from 'minikafka'
import type jestSetup from 'minikafka/jest'
import * as jest from 'minikafka/jest'
import jestTeardown from 'minikafka/jest-teardown'
import * as nodeTest from 'minikafka/node-test'
import vitestSetup, * as vitest from 'minikafka/vitest'

const orders: TopicOptions = { name: 'orders', partitions: 3, config: { 'cleanup.policy': 'compact' } }
const config: Record<string, SettingValue> = { 'num.partitions': 3 }
const options: MiniKafkaOptions = { topics: [orders, 'payments'], config }

export async function use(logger: Logger): Promise<string> {
  await using kafka = await MiniKafka.start({ ...options, logger })
  return kafka.bootstrapServers
}

export const handles: MiniKafka[] = [vitest, jest, nodeTest].map(({ useKafka }) =>
  useKafka({ ...options, failOn: 'leak' })
)
export const shared: vitest.SharedKafka = jest.sharedKafka()
export const brokers: string[] = shared.clientConfig('kafkajs').brokers

export async function run(project: vitest.VitestProject): Promise<void> {
  const stop: () => Promise<void> = await vitestSetup(project)
  await stop()
  const setup: typeof jestSetup = jest.globalSetup({ topics: ['orders'], perWorker: 'broker' })
  await setup({ maxWorkers: 2 })
  await jestTeardown()
}
