// One broker that serves a data directory for a while, ours or a real Kafka; and what each may warn of meanwhile.
import { join } from 'node:path'
import { startMinikafka } from '../brokers.ts'
import { startKafka } from '../kafka/kafka.ts'

/** A broker that serves the directory for a while. */
export interface Reign {
  readonly broker: 'minikafka' | 'Kafka 4.3.1' | 'Kafka 4.4.0'
  readonly ends: 'stopped' | 'killed'
  readonly staticVoters?: boolean
}

/** Such a broker as it runs. */
export interface Served {
  readonly bootstrapServers: string
  readonly warnings: readonly string[]
  stop(): Promise<void>
  kill(): Promise<void>
}

/** Little to wait for: what happens once in minutes happens at once. */
const HASTE = {
  'broker.rack': 'a',
  'offsets.topic.num.partitions': 5,
  'transaction.state.log.num.partitions': 5,
  'group.consumer.assignment.interval.ms': 100,
  'log.cleaner.backoff.ms': 100,
  'log.initial.task.delay.ms': 100,
  'log.retention.check.interval.ms': 100
}

/**
 * What Kafka warns of on directories that nobody else has touched; and that ours leaves the folder of a topic it is about
 * to delete without the indexes that were in memory. Kafka publishes the metadata that it finds before it has registered:
 * where the last broker was killed it begins to load offsets as the leader that this one was, and its registration takes
 * the leadership away for a moment. It loads again, two epochs later. On a busy machine its controller finds itself slow,
 * and may be asked for its own registration before it is active; it is asked again. In our haste its first look for old
 * segments may begin before it has made its cleaner, and end when there is one, which then was never paused.
 */
const ORDINARY = [
  /Performing controller activation/,
  /Exceptionally slow controller event/,
  /'kafka-log-retention'\n.* cannot be resumed since it is not paused/,
  /Unexpected error handling request .*CONTROLLER_REGISTRATION/,
  /Expected partition .* to exist, but it was missing. Creating/,
  /Error processing append operation on partition/,
  /Could not find offset index file .*-delete/,
  /Failed to load metadata from __consumer_offsets-\d+ with epoch \d+ .* is no longer the leader/,
  /Auto topic creation failed for __(consumer_offsets|transaction_state) with error 'TOPIC_ALREADY_EXISTS'/
]

/** Starts the broker on the folder's data directory, which it makes when there is none. */
export function start({ broker, staticVoters = false }: Reign, folder: string, port: number): Promise<Served> {
  if (broker === 'minikafka') {
    const set = Object.entries(HASTE).flatMap(([name, value]) => ['--set', `${name}=${value}`])
    return startMinikafka(['--data-dir', join(folder, 'data'), '--port', `${port}`, ...set])
  }
  const version = broker.replace('Kafka ', '')
  return startKafka({ version, releaseVersion: '4.3', dataDir: folder, port, staticVoters, config: HASTE })
}

/** What it has warned of that is not ordinary. */
export function warningsOf({ warnings }: Served): string[] {
  return warnings.filter(line => !ORDINARY.some(pattern => pattern.test(line)))
}
