/** Cases that the recorded transcript does not have: bounds, and responses that differ from Kafka's. */
import { expect, test } from 'vitest'
import { alterConfigs, incrementalAlterConfigs, OPERATIONS } from '../../src/config/alter.ts'
import { type ConfigState, describeConfigs } from '../../src/config/describe.ts'
import { RESOURCE_TYPES } from '../../src/config/resources.ts'
import { BrokerSettings } from '../../src/config/values.ts'

const { TOPIC, BROKER } = RESOURCE_TYPES
const state: ConfigState = {
  nodeId: 1,
  settings: new BrokerSettings(),
  topicOverrides: topic => (topic === 't' ? new Map([['cleanup.policy', 'compact']]) : undefined),
  groupOverrides: () => new Map(),
  topicNameProblem: () => undefined
}
const topic = (...configs: { name: string; configOperation: number; value: string | null }[]) => ({
  resourceType: TOPIC,
  resourceName: 't',
  configs
})
const plain = { includeSynonyms: false, includeDocumentation: false }

test('a list setting cannot become longer than a record can hold', () => {
  const value = Array.from({ length: 9000 }, (_, index) => `1:${index}`).join(',')
  const append = { name: 'leader.replication.throttled.replicas', configOperation: OPERATIONS.APPEND, value }
  expect(incrementalAlterConfigs([topic(append)], state)).toMatchObject([
    { errorCode: 'INVALID_CONFIG', errorMessage: expect.stringContaining('32767 bytes'), changes: [] }
  ])
})

test('a resource given twice is refused both times, and the other resources are decided', () => {
  const twice = { ...topic(), configs: [] }
  const results = alterConfigs([twice, twice, { resourceType: BROKER, resourceName: '1', configs: [] }], state)
  expect(results.map(({ errorCode }) => errorCode)).toEqual(['INVALID_REQUEST', 'INVALID_REQUEST', 'NONE'])
})

test('a request with more changes than the controller writes in one batch is refused as a whole', () => {
  const configs = Array.from({ length: 10_001 }, (_, index) => ({ name: `plugin.${index}`, value: '1' }))
  const results = alterConfigs([{ resourceType: BROKER, resourceName: '', configs }, topic()], state)
  expect(results.map(({ errorCode, changes }) => [errorCode, changes.length])).toEqual([
    ['POLICY_VIOLATION', 0],
    ['POLICY_VIOLATION', 0]
  ])
})

test('a change that makes no difference to a topic is not recorded', () => {
  const same = { name: 'cleanup.policy', configOperation: OPERATIONS.SET, value: 'compact' }
  const other = { name: 'retention.ms', configOperation: OPERATIONS.SET, value: '5' }
  const [result] = incrementalAlterConfigs([topic(same, other)], state)
  expect(result?.changes).toEqual([{ name: 'retention.ms', value: '5' }])
})

test('an invalid setting leaves all settings of its resource unchanged', () => {
  const good = { name: 'retention.ms', configOperation: OPERATIONS.SET, value: '5' }
  const bad = { name: 'segment.ms', configOperation: OPERATIONS.SET, value: '0' }
  expect(incrementalAlterConfigs([topic(good, bad)], state)).toMatchObject([
    { errorCode: 'INVALID_CONFIG', changes: [] }
  ])
})

test("a setting that needs a restart cannot change while the broker runs, whether it is ours or only Kafka's", () => {
  for (const name of ['listeners', 'num.partitions', 'process.roles', 'ssl.keystore.location']) {
    const configs = [{ name, value: 'x' }]
    expect(alterConfigs([{ resourceType: BROKER, resourceName: '1', configs }], state)).toMatchObject([
      { errorCode: 'INVALID_REQUEST', errorMessage: `Cannot update these configs dynamically: [${name}]` }
    ])
  }
})

test('connection limits that cannot be parsed are refused', () => {
  const configs = [{ name: 'max.connections.per.ip.overrides', value: 'nonsense' }]
  expect(alterConfigs([{ resourceType: BROKER, resourceName: '', configs }], state)).toMatchObject([
    { errorCode: 'INVALID_REQUEST', changes: [] }
  ])
})

test('DescribeConfigs returns documentation on request', () => {
  const asked = [{ resourceType: TOPIC, resourceName: 't', configurationKeys: ['retention.ms'] }]
  const [with_] = describeConfigs(asked, { ...plain, includeDocumentation: true }, state)
  const [without] = describeConfigs(asked, plain, state)
  expect(with_?.configs[0]?.documentation).toMatch(/deleted/)
  expect(without?.configs[0]?.documentation).toBeNull()
})

test('an unknown resource type fails the whole request, and a type without settings fails only its resource', () => {
  const resource = (resourceType: number, resourceName: string) => ({
    resourceType,
    resourceName,
    configurationKeys: null
  })
  const codes = (...types: number[]) =>
    describeConfigs(
      types.map(type => resource(type, 't')),
      plain,
      state
    ).map(({ errorCode }) => errorCode)
  expect(codes(TOPIC, 7)).toEqual(['INVALID_REQUEST', 'INVALID_REQUEST'])
  expect(codes(TOPIC, RESOURCE_TYPES.CLIENT_METRICS)).toEqual(['NONE', 'INVALID_REQUEST'])
})

test('internal settings are shown only if they are set', () => {
  const names = (settings: BrokerSettings) => {
    const broker = { resourceType: BROKER, resourceName: '1', configurationKeys: null }
    const [answer] = describeConfigs([broker], plain, { ...state, settings })
    return answer?.configs.map(({ name }) => name)
  }
  const name = 'producer.id.expiration.check.interval.ms'
  expect(names(new BrokerSettings())).not.toContain(name)
  expect(names(new BrokerSettings(new Map([[name, '5']])))).toContain(name)
})

test('a resource named several times is described each time, and a request with too many is refused', () => {
  const broker = { resourceType: BROKER, resourceName: '1', configurationKeys: null }
  const answers = (count: number) =>
    describeConfigs(
      Array.from({ length: count }, () => broker),
      plain,
      state
    )
  const few = answers(3)
  expect(few.map(({ errorCode }) => errorCode)).toEqual(['NONE', 'NONE', 'NONE'])
  expect(few[2]).toEqual(few[0])
  const many = answers(20_000)
  expect(many).toHaveLength(20_000)
  expect(many.filter(({ errorCode, configs }) => errorCode === 'INVALID_REQUEST' && configs.length === 0)).toEqual(many)
})
