// The brokers of the group suites. They allow short sessions, because scenarios wait for the end of a session.
import { brokers, type RunningBroker } from '../brokers.ts'

/** Each broker of this run: its name, and the function that returns the shared instance. */
export const groupBrokers: readonly (readonly [string, () => Promise<RunningBroker>])[] = brokers.map(
  ({ name, share }) => [name, share]
)
