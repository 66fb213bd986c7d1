import { describe, expect, expectTypeOf, it } from 'vitest'
import { RESOURCE_TYPES, resourceKey } from '../../src/config/resources.ts'
import type { Settings } from '../../src/config/settings.ts'
import { derived, rows, type ViewOf } from '../../src/config/view.ts'
import { settingsWith } from './settings-with.ts'

const { BROKER, GROUP, TOPIC } = RESOURCE_TYPES

const CLEANER = rows({ backoffMs: 'log.cleaner.backoff.ms', isEnabled: 'log.cleaner.enable' })
const LOG = rows({
  retentionMs: 'retention.ms',
  isCompacted: derived(['cleanup.policy'], policy => policy.includes('compact')),
  decompressedLimit: 'minikafka.max.decompressed.bytes'
})
const CONSUMER = rows({
  sessionTimeoutMs: 'consumer.session.timeout.ms',
  heartbeatIntervalMs: 'consumer.heartbeat.interval.ms',
  assignmentIntervalMs: 'consumer.assignment.interval.ms',
  maxSize: 'group.consumer.max.size'
})

/** Configs of one resource, which replace all others. */
function configure(settings: Settings, resourceType: number, resourceName: string, texts: Record<string, string>) {
  const configs = new Map([[resourceKey(resourceType, resourceName), new Map(Object.entries(texts))]])
  settings.configure(configs, [{ resourceType, resourceName }])
}

describe('a view of broker settings', () => {
  it('a property has the type of its row or of its derived value', () => {
    type View = ViewOf<typeof LOG>
    expectTypeOf<View['retentionMs']>().toEqualTypeOf<number>()
    expectTypeOf<View['isCompacted']>().toEqualTypeOf<boolean>()
    expectTypeOf(settingsWith().view({ rack: 'broker.rack' }).rack).toEqualTypeOf<string | null>()
  })

  it('a broker view has no rows of topics or groups', () => {
    // @ts-expect-error retention.ms is a setting of topics
    expect(settingsWith().view({ retentionMs: 'retention.ms' })).toEqual({ retentionMs: undefined })
  })

  it('a view has the values given at the start and the defaults', () => {
    const { backoffMs, isEnabled } = settingsWith({ 'log.cleaner.backoff.ms': 7 }).view(CLEANER)
    expect([backoffMs, isEnabled]).toEqual([7, true])
  })

  it('a view follows a change of a row that can change at run time, and no other', () => {
    const settings = settingsWith()
    const view = settings.view(CLEANER)
    configure(settings, BROKER, '1', { 'log.cleaner.backoff.ms': '8', 'log.cleaner.enable': 'false' })
    expect(view).toEqual({ backoffMs: 8, isEnabled: true })
    configure(settings, BROKER, '', {})
    expect(view).toEqual({ backoffMs: 15_000, isEnabled: true })
  })

  it('configs of other brokers, topics and groups leave a view as it is', () => {
    const settings = settingsWith()
    const view = settings.view(CLEANER)
    configure(settings, BROKER, '2', { 'log.cleaner.backoff.ms': '8' })
    configure(settings, TOPIC, '1', { 'log.cleaner.backoff.ms': '8' })
    expect(view.backoffMs).toBe(15_000)
  })

  it('the same rows give the same view', () => {
    const settings = settingsWith()
    expect(settings.view(CLEANER)).toBe(settings.view(CLEANER))
  })
})

describe('a view of topic settings', () => {
  it("a topic's view has its overrides over the broker's defaults, and settings that only the broker has", () => {
    const settings = settingsWith({ 'log.retention.ms': 5, 'minikafka.max.decompressed.bytes': 9 })
    configure(settings, TOPIC, 'foo', { 'cleanup.policy': 'compact' })
    expect(settings.topic('foo').view(LOG)).toEqual({ retentionMs: 5, isCompacted: true, decompressedLimit: 9 })
    expect(settings.topic('bar').view(LOG)).toEqual({ retentionMs: 5, isCompacted: false, decompressedLimit: 9 })
  })

  it("a topic's view follows changes of the topic and of the broker", () => {
    const settings = settingsWith()
    const view = settings.topic('foo').view(LOG)
    configure(settings, TOPIC, 'foo', { 'retention.ms': '6' })
    expect(view.retentionMs).toBe(6)
    configure(settings, BROKER, '', { 'log.retention.ms': '7' })
    expect(view.retentionMs).toBe(7)
  })

  it('a deleted topic keeps its values, and another topic of its name has none of them', () => {
    const settings = settingsWith()
    configure(settings, TOPIC, 'foo', { 'retention.ms': '6' })
    const view = settings.topic('foo').view(LOG)
    settings.configure(new Map(), [])
    settings.forgetTopic('foo')
    expect(view.retentionMs).toBe(6)
    expect(settings.topic('foo').view(LOG).retentionMs).toBe(604_800_000)
  })
})

describe('a view of group settings', () => {
  const viewOf = (texts: Record<string, string>, settings = settingsWith()) => {
    configure(settings, GROUP, 'g', texts)
    return settings.group('g').view(CONSUMER)
  }

  it('a group without configs has the values of the broker', () => {
    const ofBroker = { sessionTimeoutMs: 45_000, heartbeatIntervalMs: 5_000, assignmentIntervalMs: 1_000 }
    expect(settingsWith().group('g').view(CONSUMER)).toEqual({ ...ofBroker, maxSize: 2_147_483_647 })
  })

  it('configs of a group apply to this group alone', () => {
    const settings = settingsWith()
    const overrides = {
      'consumer.session.timeout.ms': '50000',
      'consumer.heartbeat.interval.ms': ' 6000 ',
      'consumer.assignment.interval.ms': '0',
      'share.session.timeout.ms': '55000'
    }
    const own = { sessionTimeoutMs: 50_000, heartbeatIntervalMs: 6_000, assignmentIntervalMs: 0 }
    expect(viewOf(overrides, settings)).toMatchObject(own)
    expect(settings.group('other').view(CONSUMER).sessionTimeoutMs).toBe(45_000)
    expect(viewOf({}, settings).sessionTimeoutMs).toBe(45_000)
  })

  it("a value outside the broker's bounds counts as the nearest bound", () => {
    const tooSmall = { 'consumer.session.timeout.ms': '1', 'consumer.heartbeat.interval.ms': '1' }
    expect(viewOf(tooSmall)).toMatchObject({ sessionTimeoutMs: 45_000, heartbeatIntervalMs: 5_000 })
    const tooLarge = {
      'consumer.session.timeout.ms': '60001',
      'consumer.heartbeat.interval.ms': '15001',
      'consumer.assignment.interval.ms': '15001'
    }
    const largest = { sessionTimeoutMs: 60_000, heartbeatIntervalMs: 15_000, assignmentIntervalMs: 15_000 }
    expect(viewOf(tooLarge)).toMatchObject(largest)
  })

  it('a value that cannot be read counts as not set', () => {
    expect(viewOf({ 'consumer.session.timeout.ms': 'long' }).sessionTimeoutMs).toBe(45_000)
  })

  it('groups with and without configs follow a change of the broker', () => {
    const settings = settingsWith()
    const change = { 'group.consumer.assignment.interval.ms': '3' }
    settings.configure(
      new Map([
        [resourceKey(GROUP, 'g'), new Map([['consumer.session.timeout.ms', '50000']])],
        [resourceKey(BROKER, '1'), new Map(Object.entries(change))]
      ])
    )
    for (const groupId of ['g', 'other']) expect(settings.group(groupId).view(CONSUMER).assignmentIntervalMs).toBe(3)
  })
})
