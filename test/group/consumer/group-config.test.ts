import { expect, test } from 'vitest'
import { consumerGroupConfig } from '../../../src/group/consumer/limits.ts'
import { CONSUMER_SETTINGS } from '../group-settings.ts'

const of = (overrides: Record<string, string>) =>
  consumerGroupConfig(new Map(Object.entries(overrides)), CONSUMER_SETTINGS)

test('a group without settings of its own goes by those of the broker', () => {
  expect(of({})).toEqual({ sessionTimeoutMs: 45_000, heartbeatIntervalMs: 5_000, assignmentIntervalMs: 1_000 })
})

test('what was set for a group counts', () => {
  const overrides = {
    'consumer.session.timeout.ms': '50000',
    'consumer.heartbeat.interval.ms': ' 6000 ',
    'consumer.assignment.interval.ms': '0',
    'share.session.timeout.ms': '55000'
  }
  expect(of(overrides)).toEqual({ sessionTimeoutMs: 50_000, heartbeatIntervalMs: 6_000, assignmentIntervalMs: 0 })
})

test('what lies outside the bounds of the broker counts as the nearest within them', () => {
  const tooSmall = { 'consumer.session.timeout.ms': '1', 'consumer.heartbeat.interval.ms': '1' }
  expect(of(tooSmall)).toMatchObject({ sessionTimeoutMs: 45_000, heartbeatIntervalMs: 5_000 })
  const tooLarge = {
    'consumer.session.timeout.ms': '60001',
    'consumer.heartbeat.interval.ms': '15001',
    'consumer.assignment.interval.ms': '15001'
  }
  expect(of(tooLarge)).toEqual({ sessionTimeoutMs: 60_000, heartbeatIntervalMs: 15_000, assignmentIntervalMs: 15_000 })
})

test('what cannot be read counts as not set', () => {
  expect(of({ 'consumer.session.timeout.ms': 'long' }).sessionTimeoutMs).toBe(45_000)
})
