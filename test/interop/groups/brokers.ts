// The brokers of these suites, with short sessions allowed: a scenario waits for the end of one.
import { brokers, type RunningBroker } from '../brokers.ts'

/** Each broker of this run: its name, and how to get one that suites share. */
export const groupBrokers: readonly (readonly [string, () => Promise<RunningBroker>])[] = brokers.map(
  ({ name, share }) => [name, share]
)
