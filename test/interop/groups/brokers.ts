// The brokers of these suites, with short sessions allowed: a scenario waits for the end of one.
import { type BrokerConfig, brokers, type RunningBroker } from '../brokers.ts'

/** What the scenarios ask of a broker. */
export const CONFIG: BrokerConfig = {
  'group.initial.rebalance.delay.ms': 0,
  'group.min.session.timeout.ms': 1000,
  'group.consumer.min.session.timeout.ms': 1000,
  'group.consumer.min.heartbeat.interval.ms': 500,
  'group.consumer.heartbeat.interval.ms': 500
}

/** Each broker of this run: its name, and how to start it, with more settings if need be. */
export const groupBrokers: readonly (readonly [string, (more?: BrokerConfig) => Promise<RunningBroker>])[] =
  brokers.map(({ name, start }) => [name, more => start({ ...CONFIG, ...more })])
