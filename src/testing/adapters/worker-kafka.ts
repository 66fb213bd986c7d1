/** The broker of a global setup, for the tests of one worker. */
import { type ClientConfigs, clientConfig } from '../client-config.ts'

/** The isolation of the workers of a test runner from each other. */
export type PerWorker = 'namespace' | 'broker'

/** The data that a global setup passes to its workers, as JSON or by a structured clone. */
export interface SharedBrokers {
  readonly perWorker: PerWorker
  /** Workers are numbered from 1. */
  readonly workerCount: number
  /** The addresses of each broker: one for all workers, or one for each. */
  readonly bootstrapServerLists: readonly (readonly string[])[]
}

/** The broker of `globalSetup` for a test, and the names that are reserved for the worker of the test. */
export interface SharedKafka {
  /** host:port of each listener, separated by commas. */
  readonly bootstrapServers: string
  /** host:port of each listener. */
  readonly bootstrapServerList: string[]
  /** The configuration with which a client of this library connects to the broker. */
  clientConfig<Library extends keyof ClientConfigs>(library: Library): ClientConfigs[Library]
  /** The prefix of this worker's names, such as `w1-`; empty if the worker has its own broker. */
  readonly namespace: string
  /** The name of a topic for this worker. */
  topic(name: string): string
  /** The id of a group for this worker. */
  group(id: string): string
  /** A transactional id for this worker. */
  transactionalId(id: string): string
}

/** The prefix of a worker's names on a shared broker. */
export function namespaceOf(worker: number): string {
  return `w${worker}-`
}

/** The broker for a worker. Throws an error if the number of the worker exceeds the workers of the global setup. */
export function workerKafka(shared: SharedBrokers, worker: number): SharedKafka {
  const { perWorker, workerCount, bootstrapServerLists } = shared
  const servers = bootstrapServerLists[perWorker === 'broker' ? worker - 1 : 0]
  if (servers === undefined || !(worker >= 1 && worker <= workerCount)) {
    throw new Error(
      `this test runs in worker ${worker}, but globalSetup of minikafka has prepared workers 1 to ${workerCount}`
    )
  }
  const namespace = perWorker === 'broker' ? '' : namespaceOf(worker)
  const own = (name: string) => namespace + name
  return {
    bootstrapServers: servers.join(','),
    bootstrapServerList: [...servers],
    clientConfig: library => clientConfig(library, servers),
    namespace,
    topic: own,
    group: own,
    transactionalId: own
  }
}
