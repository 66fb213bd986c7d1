/** The brokers that a global setup starts in the main process of a test runner, for the tests of all workers. */
import { ConfigError } from '../../config/sources.ts'
import type { MiniKafka } from '../fixture.ts'
import { verifyOptions } from '../option-check.ts'
import { GLOBAL_SETUP_OPTIONS } from '../option-shapes.ts'
import type { MiniKafkaOptions, RecordOptions, TopicOptions, TransactionOptions } from '../options.ts'
import { namespaceOf, type PerWorker, type SharedBrokers } from './worker-kafka.ts'

/**
 * Options of `globalSetup`: those of `MiniKafka.start`, and `perWorker`. There is no `failOn`, because the workers and their
 * clients end before the brokers stop. `useKafka` and `kafka.stop` have `failOn`.
 */
export interface GlobalSetupOptions extends MiniKafkaOptions {
  /**
   * `'namespace'`: one broker for all workers; each worker has its own prefix for names, and its own `topics` and `records`.
   * `'broker'`: a broker for each worker. Default: `'namespace'`.
   */
  readonly perWorker?: PerWorker | undefined
}

/** Running brokers, and their description for the workers. */
export interface GlobalBrokers {
  readonly shared: SharedBrokers
  stop(): Promise<void>
}

/**
 * Returns a copy of the options. Throws ConfigError for unknown options, wrong types, and a port or directory that several
 * brokers cannot share.
 */
export function verifyGlobalSetup(options: GlobalSetupOptions): GlobalSetupOptions {
  const copy = verifyOptions('globalSetup', GLOBAL_SETUP_OPTIONS, options)
  const { perWorker, port = 0, dataDir = 'temp' } = copy
  if (perWorker !== 'broker') return copy
  if (port !== 0)
    throw new ConfigError(
      `globalSetup: port ${port} cannot be shared by the brokers of several workers: omit port, or use perWorker 'namespace'`
    )
  if (dataDir !== 'temp') {
    throw new ConfigError(
      `globalSetup: dataDir ${dataDir} cannot be shared by the brokers of several workers: use 'temp', or omit dataDir`
    )
  }
  return copy
}

/** Starts the brokers for `workerCount` workers. If one cannot start, stops the others and rejects. */
export async function startGlobalBrokers(options: GlobalSetupOptions, workerCount: number): Promise<GlobalBrokers> {
  const { MiniKafka } = await import('../fixture.ts')
  const { perWorker = 'namespace', ...startOptions } = options
  const brokerCount = perWorker === 'broker' ? workerCount : 1
  const brokerOptions = perWorker === 'broker' ? startOptions : inNamespaces(startOptions, workerCount)
  const brokers: MiniKafka[] = []
  try {
    while (brokers.length < brokerCount) brokers.push(await MiniKafka.start(brokerOptions))
  } catch (error) {
    await stopAll(brokers, [error])
  }
  const bootstrapServerLists = brokers.map(broker => broker.bootstrapServerList)
  return { shared: { perWorker, workerCount, bootstrapServerLists }, stop: () => stopAll(brokers) }
}

/** Stops all brokers. Throws `errors` and the errors of the stops, the earliest first: several as one AggregateError. */
export async function stopAll(
  brokers: readonly Pick<MiniKafka, 'stop'>[],
  errors: readonly unknown[] = []
): Promise<void> {
  const stops = await Promise.allSettled(brokers.map(broker => broker.stop()))
  const all = [...errors, ...stops.flatMap(stop => (stop.status === 'rejected' ? [stop.reason as unknown] : []))]
  if (all.length === 1) throw all[0]
  if (all.length > 1)
    throw new AggregateError(all, all.map(error => (error instanceof Error ? error.message : error)).join('\n'))
}

/** The topics and records once for each worker, under the names that the worker uses. */
function inNamespaces(options: MiniKafkaOptions, workerCount: number): MiniKafkaOptions {
  const { topics = [], records = [] } = options
  const namespaces = Array.from({ length: workerCount }, (_, index) => namespaceOf(index + 1))
  return {
    ...options,
    topics: namespaces.flatMap(namespace => topics.map(topic => topicWithin(namespace, topic))),
    records: namespaces.flatMap(namespace => records.map(record => recordWithin(namespace, record)))
  }
}

function topicWithin(namespace: string, topic: string | TopicOptions): string | TopicOptions {
  return typeof topic === 'string' ? namespace + topic : { ...topic, name: namespace + topic.name }
}

function recordWithin<Element extends RecordOptions | TransactionOptions>(
  namespace: string,
  element: Element
): Element {
  if ('topic' in element) return { ...element, topic: namespace + element.topic }
  return {
    ...element,
    transactionalId: namespace + element.transactionalId,
    records: element.records.map(record => recordWithin(namespace, record))
  }
}
