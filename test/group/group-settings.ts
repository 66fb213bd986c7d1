/** Group settings of the tests. */
import type { Given } from '../config/settings-with.ts'

/** Member timeouts of the tests. */
export const SESSION_MS = 10_000
export const REBALANCE_MS = 60_000

/** Kafka's defaults, except for the maximal size of classic groups and the interval between assignments of consumer groups. */
export const GROUP_SETTINGS: Given = { 'group.max.size': 100, 'group.consumer.assignment.interval.ms': 0 }
