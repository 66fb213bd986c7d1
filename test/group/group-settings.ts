/** Settings of the groups in our tests. */
import type { Given } from '../config/settings-with.ts'

/** Timeouts of the members in our tests. */
export const SESSION_MS = 10_000
export const REBALANCE_MS = 60_000

/** Kafka's defaults, except: at most 100 members in a classic group, and assignments of consumer groups that are due at once. */
export const GROUP_SETTINGS: Given = { 'group.max.size': 100, 'group.consumer.assignment.interval.ms': 0 }
