/** Configs of groups: set, described, listed, and stored over a restart. */
import { describe, expect, it } from 'vitest'
import { CONFIG_SOURCES } from '../../../../src/config/config-entries.ts'
import { RESOURCE_TYPES } from '../../../../src/config/resources.ts'
import { Harness } from '../../../../src/testing/harness.ts'

const { TOPIC, BROKER, BROKER_LOGGER, CLIENT_METRICS, GROUP } = RESOURCE_TYPES
const SESSION = 'consumer.session.timeout.ms'
const HEARTBEAT = 'consumer.heartbeat.interval.ms'

type Wanted = Record<string, string | null>

async function set(broker: Harness, group: string, configs: Wanted, validateOnly = false): Promise<string> {
  const { responses } = await broker.request('IncrementalAlterConfigs', {
    validateOnly,
    resources: [
      {
        resourceType: GROUP,
        resourceName: group,
        configs: Object.entries(configs).map(([name, value]) => {
          return { name, value, configOperation: value === null ? 1 : 0 }
        })
      }
    ]
  })
  return responses[0]?.errorMessage ?? responses[0]?.errorCode ?? ''
}

async function described(broker: Harness, group: string, keys: string[] | null = null) {
  const { results } = await broker.request('DescribeConfigs', {
    includeSynonyms: true,
    resources: [{ resourceType: GROUP, resourceName: group, configurationKeys: keys }]
  })
  return results[0]?.configs ?? []
}

async function currentValue(broker: Harness, group: string, name: string): Promise<string | null | undefined> {
  return (await described(broker, group, [name]))[0]?.value
}

describe('configs of groups', () => {
  it('have the values of the broker by default', async () => {
    const config = { 'group.consumer.session.timeout.ms': 50_000, 'group.consumer.assignment.interval.ms': 7 }
    await using broker = await Harness.start({ config })
    const [session] = await described(broker, 'g', [SESSION])
    const name = 'group.consumer.session.timeout.ms'
    expect(session).toMatchObject({
      value: '50000',
      readOnly: false,
      configSource: CONFIG_SOURCES.STATIC_BROKER_CONFIG,
      synonyms: [
        { name, value: '50000', source: CONFIG_SOURCES.STATIC_BROKER_CONFIG },
        { name, value: '45000', source: CONFIG_SOURCES.DEFAULT_CONFIG }
      ]
    })
    expect(await currentValue(broker, 'g', 'consumer.assignment.interval.ms')).toBe('7')
    expect(await described(broker, 'g')).toHaveLength(17)
  })

  it('survive a restart, and can be deleted', async () => {
    const broker = await Harness.start()
    expect(await set(broker, 'g', { [SESSION]: '50000', 'share.isolation.level': 'read_committed' })).toBe('NONE')
    await broker.stop()
    await using again = await Harness.start({ storage: broker.storage })
    const [session] = await described(again, 'g', [SESSION])
    expect(session).toMatchObject({ value: '50000', configSource: CONFIG_SOURCES.GROUP_CONFIG })
    expect(session?.synonyms[0]).toEqual({ name: SESSION, value: '50000', source: CONFIG_SOURCES.GROUP_CONFIG })
    expect(await currentValue(again, 'g', 'share.isolation.level')).toBe('read_committed')
    expect(await set(again, 'g', { [SESSION]: null, 'share.isolation.level': null })).toBe('NONE')
    expect(await currentValue(again, 'g', SESSION)).toBe('45000')
  })

  it('do not change with validateOnly', async () => {
    await using broker = await Harness.start()
    expect(await set(broker, 'g', { [SESSION]: '50000' }, true)).toBe('NONE')
    expect(await currentValue(broker, 'g', SESSION)).toBe('45000')
  })

  it.each<[Wanted, string]>([
    [{ [SESSION]: '44999' }, `${SESSION} must be greater than or equal to group.consumer.min.session.timeout.ms`],
    [{ [SESSION]: '60001' }, `${SESSION} must be less than or equal to group.consumer.max.session.timeout.ms`],
    [{ [SESSION]: '0' }, `Invalid value 0 for configuration ${SESSION}: Value must be at least 1`],
    [{ [HEARTBEAT]: 'often' }, `Invalid value often for configuration ${HEARTBEAT}: Not a number of type INT`],
    [{ [SESSION]: '50000', 'no.such': '1' }, 'Unknown group config name: no.such'],
    [
      { 'streams.num.standby.replicas': '3' },
      'streams.num.standby.replicas must be less than or equal to group.streams.max.standby.replicas'
    ],
    [
      { 'share.auto.offset.reset': 'by_duration:P' },
      'Invalid value by_duration:P for configuration share.auto.offset.reset: Invalid value `by_duration:P` for ' +
        "configuration share.auto.offset.reset. The value must be either 'earliest', 'latest' or of the format " +
        "'by_duration:<PnDTnHnMn.nS>'."
    ]
  ])('are refused as a whole for %j', async (configs, message) => {
    await using broker = await Harness.start()
    expect(await set(broker, 'g', configs)).toBe(message)
    expect(await currentValue(broker, 'g', SESSION)).toBe('45000')
  })

  it('are refused with a session timeout below the heartbeat interval', async () => {
    const config = { 'group.consumer.min.session.timeout.ms': 6000, 'group.consumer.max.heartbeat.interval.ms': 50_000 }
    await using broker = await Harness.start({ config })
    expect(await set(broker, 'g', { [SESSION]: '6000', [HEARTBEAT]: '6000' })).toBe(
      `${SESSION} must be greater than ${HEARTBEAT}`
    )
    expect(await set(broker, 'g', { [HEARTBEAT]: '45000' })).toBe(`${SESSION} must be greater than ${HEARTBEAT}`)
  })

  it('do not exist for all groups together', async () => {
    await using broker = await Harness.start()
    expect(await set(broker, '', { [SESSION]: '50000' })).toBe('Default group resources are not allowed.')
  })

  it.each(['PT1H', 'P1DT2H3M4.5S', '-PT-1S', 'pt0s', '+P2D', 'PT1,5S', 'P3DT0S'])(
    'accept an offset reset to %s ago',
    async duration => {
      await using broker = await Harness.start()
      expect(await set(broker, 'g', { 'share.auto.offset.reset': `by_duration:${duration}` })).toBe('NONE')
    }
  )

  it.each(['', 'P', 'PT', 'P1DT', 'PT-1S', '-P1D', 'P1W', 'PT1S1H', '1D', 'PT.5S', 'P1H'])(
    'refuse an offset reset to %j ago',
    async duration => {
      await using broker = await Harness.start()
      expect(await set(broker, 'g', { 'share.auto.offset.reset': `by_duration:${duration}` })).toMatch(/^Invalid value/)
    }
  )
})

describe('ListConfigResources', () => {
  it('lists topics, brokers, and groups with configs', async () => {
    await using broker = await Harness.start()
    await broker.createTopic('t')
    await set(broker, 'g', { [SESSION]: '50000' })
    const node = { resourceName: '1' }
    const all = [
      { resourceName: 'g', resourceType: GROUP },
      { ...node, resourceType: BROKER_LOGGER },
      { ...node, resourceType: BROKER },
      { resourceName: 't', resourceType: TOPIC }
    ]
    expect(await broker.request('ListConfigResources', {})).toMatchObject({ errorCode: 'NONE', configResources: all })
    const some = await broker.request('ListConfigResources', { resourceTypes: [TOPIC, GROUP, TOPIC] })
    expect(some.configResources).toEqual([all[0], all[3]])
    await set(broker, 'g', { [SESSION]: null })
    expect((await broker.request('ListConfigResources', { resourceTypes: [GROUP] })).configResources).toEqual([])
  })

  it('lists only client metrics at version 0', async () => {
    await using broker = await Harness.start()
    await broker.createTopic('t')
    expect(await broker.request('ListConfigResources', {}, { version: 0 })).toMatchObject({ configResources: [] })
  })

  it('refuses types without a list', async () => {
    await using broker = await Harness.start()
    const { errorCode } = await broker.request('ListConfigResources', { resourceTypes: [CLIENT_METRICS, 7] })
    expect(errorCode).toBe('UNSUPPORTED_VERSION')
  })
})
