// A broker that serves a data directory for a time, minikafka or a real Kafka, and the warnings that are normal for it.
import { join } from 'node:path'
import { startMinikafka } from '../brokers.ts'
import { startKafka } from '../kafka/kafka.ts'

/** A broker that serves the directory, and how it ends. */
export interface BrokerRun {
  readonly broker: 'minikafka' | 'Kafka 4.3.1' | 'Kafka 4.4.0'
  readonly ends: 'stopped' | 'killed'
  readonly staticVoters?: boolean
}

/** The running broker. */
export interface RunningBroker {
  readonly bootstrapServers: string
  readonly warnings: readonly string[]
  stop(): Promise<void>
  kill(): Promise<void>
}

/** Short intervals and small topics, so that periodic work happens at once. */
const SHORT_INTERVALS = {
  'broker.rack': 'a',
  'offsets.topic.num.partitions': 5,
  'transaction.state.log.num.partitions': 5,
  'group.consumer.assignment.interval.ms': 100,
  'log.cleaner.backoff.ms': 100,
  'log.initial.task.delay.ms': 100,
  'log.retention.check.interval.ms': 100
}

/**
 * Warnings that Kafka also logs on directories that only Kafka has used, and one more: minikafka leaves the folder of a
 * topic that is being deleted without the indexes that were in memory.
 * Kafka publishes the metadata of the log before it has registered. After a kill it begins to load offsets with the
 * leadership of the killed process; the registration ends that leadership for a moment, and Kafka loads again, two
 * epochs later. On a busy machine its controller logs slow events, and a registration may reach it before it is active;
 * it is repeated. With these short intervals the first retention run may begin before the cleaner exists and end after
 * that: the cleaner then was never paused.
 */
const EXPECTED_WARNINGS = [
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

/** Starts the broker on the data directory of the folder; creates it if it does not exist. */
export function start(
  { broker, staticVoters = false }: BrokerRun,
  folder: string,
  port: number
): Promise<RunningBroker> {
  if (broker === 'minikafka') {
    const set = Object.entries(SHORT_INTERVALS).flatMap(([name, value]) => ['--set', `${name}=${value}`])
    return startMinikafka(['--data-dir', join(folder, 'data'), '--port', `${port}`, ...set])
  }
  const version = broker.replace('Kafka ', '')
  return startKafka({ version, releaseVersion: '4.3', dataDir: folder, port, staticVoters, config: SHORT_INTERVALS })
}

/** The warnings that are not in the list above. */
export function warningsOf({ warnings }: RunningBroker): string[] {
  return warnings.filter(line => !EXPECTED_WARNINGS.some(pattern => pattern.test(line)))
}
