// Configs of groups (the config resource GROUP): names, refusals with their messages, sources of values; and
// ListConfigResources, which lists resources with configs.
import type { DecodedResponseOf } from '../../../../src/protocol/api.ts'
import { APIS } from '../../../../src/protocol/messages/index.ts'
import { arrange, atEachVersion, call, type Step } from '../transcript.ts'
import { topic } from './topic.ts'

const { AlterConfigs, DescribeConfigs, IncrementalAlterConfigs, ListConfigResources } = APIS
const [TOPIC, BROKER, BROKER_LOGGER, CLIENT_METRICS, GROUP] = [2, 4, 8, 16, 32]
const [SET, DELETE, APPEND, SUBTRACT] = [0, 1, 2, 3]
const NAME = 'group-configs'
const SESSION = 'consumer.session.timeout.ms'
const HEARTBEAT = 'consumer.heartbeat.interval.ms'

const BOUNDS = /must be (in the range \d+ to|(greater|less) than or equal to) .*$/
/** Newer releases have additional configs. */
const subset = ['configs']

type Change = readonly [name: string, operation: number, value: string | null]
type Altered = DecodedResponseOf<typeof AlterConfigs>
type Described = DecodedResponseOf<typeof DescribeConfigs>

/** Compares messages too, without those about bounds, whose format depends on the release. */
const withWords = {
  altered: ({ responses }: Altered) =>
    responses.map(({ errorMessage, ...rest }) => ({
      ...rest,
      words: errorMessage?.replace(BOUNDS, '<bounds>') ?? null
    })),
  described: ({ results }: Described) => results.map(({ errorMessage, ...rest }) => ({ ...rest, words: errorMessage }))
}

const group = (resourceName: string, configurationKeys: string[] | null = null) => ({
  ...{ resourceType: GROUP, resourceName, configurationKeys }
})

const describe = (name: string, resources: ReturnType<typeof group>[], more: object = { includeSynonyms: true }) =>
  call(name, DescribeConfigs, 4, { resources, ...more }, { compare: withWords.described, subset })

const alter = (name: string, resourceName: string, list: readonly Change[], more: object = {}) => {
  const configs = list.map(([key, configOperation, value]) => ({ name: key, configOperation, value }))
  const resources = [{ resourceType: GROUP, resourceName, configs }]
  return call(name, IncrementalAlterConfigs, 1, { resources, ...more }, { compare: withWords.altered })
}
const on = (name: string, ...list: Change[]) => alter(name, NAME, list)

const replace = (name: string, configs: Record<string, string | null>, more: object = {}) => {
  const list = Object.entries(configs).map(([key, value]) => ({ name: key, value }))
  const resources = [{ resourceType: GROUP, resourceName: NAME, configs: list }]
  return call(name, AlterConfigs, 2, { resources, ...more }, { compare: withWords.altered })
}

/** A changed config of Kafka takes effect some time after the response. */
const settled = (setting: string, value: string) =>
  arrange(`${setting} is ${value}`, session =>
    session.requestUntil(
      DescribeConfigs,
      4,
      { resources: [group(NAME, [setting])] },
      ({ results }) => results[0]?.configs[0]?.value === value
    )
  )

/** A valid value that is not the default, and some invalid ones. */
const VALUES: Readonly<Record<string, readonly [good: string, ...bad: string[]]>> = {
  [HEARTBEAT]: ['6000', '4999', '15001', '0'],
  [SESSION]: ['50000', '44999', '60001', '-1', 'x', ''],
  'consumer.assignment.interval.ms': ['0', '15001', '-1', '2147483648'],
  'share.heartbeat.interval.ms': ['6000', '4999', '15001'],
  'share.session.timeout.ms': ['50000', '44999', '60001'],
  'share.record.lock.duration.ms': ['20000', '999', '14999', '60001'],
  'share.delivery.count.limit': ['7', '1', '11'],
  'share.partition.max.record.locks': ['150', '99', '4001'],
  'share.assignment.interval.ms': ['2000', '15001', '-1'],
  'share.auto.offset.reset': ['by_duration:PT1H', 'none', 'Earliest', 'by_duration', 'by_duration:-PT1S', ''],
  'share.isolation.level': ['read_committed', 'READ_COMMITTED', 'none'],
  'share.renew.acknowledge.enable': ['false', 'no'],
  'streams.heartbeat.interval.ms': ['6000', '4999', '15001'],
  'streams.session.timeout.ms': ['50000', '44999', '60001'],
  'streams.num.standby.replicas': ['2', '3', '-1'],
  'streams.assignment.interval.ms': ['2000', '15001', '-1'],
  'streams.initial.rebalance.delay.ms': ['0', '-1']
}

const describing: Step[] = [
  ...atEachVersion(
    'all of an unknown group',
    DescribeConfigs,
    () => ({ resources: [group(NAME)], includeSynonyms: true }),
    { compare: withWords.described, subset }
  ),
  describe('with documentation', [group(NAME)], { includeDocumentation: true }),
  describe('some', [group(NAME, [SESSION, 'no.such', 'retention.ms', 'group.consumer.session.timeout.ms'])]),
  describe('none', [group(NAME, [])]),
  describe('without a name', [group('')]),
  describe('twice', [group(NAME, [SESSION]), group(NAME, [SESSION])]),
  describe('a name that no topic could have', [group(' a b/ä ', [SESSION])])
]

const altering: Step[] = [
  ...Object.entries(VALUES).flatMap(([name, [good, ...bad]]) => [
    ...bad.map(value => on(`${name} of ${JSON.stringify(value)}`, [name, SET, value])),
    on(`${name} of ${good}`, [name, SET, good])
  ]),
  settled('streams.initial.rebalance.delay.ms', '0'),
  describe('all of them', [group(NAME)]),
  on('the same again', [SESSION, SET, '50000']),
  on('with blanks', [SESSION, SET, ' 51000 ']),
  settled(SESSION, '51000'),
  describe('with blanks, described', [group(NAME, [SESSION])]),
  on('append', [SESSION, APPEND, '1']),
  on('subtract', [SESSION, SUBTRACT, '1']),
  on('append to an unknown one', ['no.such', APPEND, '1']),
  on('null', [SESSION, SET, null]),
  on('an unknown one', ['no.such', SET, '1']),
  on('delete an unknown one', ['no.such', DELETE, null]),
  on("the broker's name", ['group.consumer.session.timeout.ms', SET, '50000']),
  on('the same twice', [SESSION, SET, '50000'], [SESSION, SET, '50001']),
  on('one good, one bad', [SESSION, SET, '52000'], [HEARTBEAT, SET, '1']),
  on('too long', [SESSION, SET, '1'.repeat(32_768)]),
  on('nothing'),
  alter('only validated', NAME, [[SESSION, SET, '53000']], { validateOnly: true }),
  alter('bad, only validated', NAME, [[SESSION, SET, '1']], { validateOnly: true }),
  alter('without a name', '', [[SESSION, SET, '50000']]),
  alter('without a name, nothing', '', []),
  describe('what is set now', [group(NAME)]),
  on('back to the default', [SESSION, DELETE, null], [HEARTBEAT, DELETE, null]),
  settled(SESSION, '45000'),
  describe('two fewer', [group(NAME)])
]

const replacing: Step[] = [
  ...atEachVersion(
    'replace all',
    AlterConfigs,
    version => {
      const configs = [{ name: SESSION, value: `${54_000 + version}` }]
      return { resources: [{ resourceType: GROUP, resourceName: NAME, configs }] }
    },
    { compare: withWords.altered }
  ),
  settled(SESSION, '54002'),
  describe('after it', [group(NAME)]),
  replace('a value that is none', { [SESSION]: 'x' }),
  replace('an unknown one', { 'no.such': '1' }),
  replace('null', { [SESSION]: null }),
  replace('only validated', { [SESSION]: '55000' }, { validateOnly: true })
]

/** Config resources of types that both brokers support. Topics and groups of other transcripts are left out. */
const listed = ({ configResources, ...rest }: DecodedResponseOf<typeof ListConfigResources>) => ({
  ...rest,
  configResources: configResources.filter(
    ({ resourceName, resourceType }) => ![TOPIC, GROUP].includes(resourceType) || resourceName.startsWith(NAME)
  )
})
const list = (name: string, resourceTypes: number[], version = 1) =>
  call(name, ListConfigResources, version, { resourceTypes }, { compare: listed })

const listing: Step[] = [
  topic(NAME),
  call('client metrics, in the old way', ListConfigResources, 0, {}, { compare: listed }),
  list('everything', []),
  ...[TOPIC, BROKER, BROKER_LOGGER, CLIENT_METRICS, GROUP].map(type => list(`type ${type}`, [type])),
  list('some', [GROUP, BROKER]),
  list('the same twice', [GROUP, GROUP]),
  ...[0, 1, 64, -1].map(type => list(`type ${type}, which cannot be listed`, [GROUP, type])),
  replace('nothing is set any more', {}),
  settled(SESSION, '45000'),
  list('no group has settings', [GROUP])
]

const ASSIGNMENT = 'group.consumer.assignment.interval.ms'

const onBroker = (name: string, id: string, ...list: Change[]) => {
  const configs = list.map(([key, configOperation, value]) => ({ name: key, configOperation, value }))
  const resources = [{ resourceType: BROKER, resourceName: id, configs }]
  return call(name, IncrementalAlterConfigs, 1, { resources }, { compare: withWords.altered })
}
const brokerSays = (value: string) =>
  arrange(`${ASSIGNMENT} is ${value}`, session =>
    session.requestUntil(
      DescribeConfigs,
      4,
      { resources: [{ resourceType: BROKER, resourceName: '1', configurationKeys: [ASSIGNMENT] }] },
      ({ results }) => results[0]?.configs[0]?.value === value
    )
  )

/** Broker settings that are the defaults of group configs; one of them can change at run time. */
const defaults: Step[] = [
  onBroker('beyond the bounds', '', [ASSIGNMENT, SET, '15001']),
  onBroker('no number', '1', [ASSIGNMENT, SET, 'x']),
  onBroker('less than nothing', '1', [ASSIGNMENT, SET, '-1']),
  onBroker('what needs a restart', '', ['group.consumer.session.timeout.ms', SET, '50000']),
  onBroker('bounds need one, too', '', ['group.consumer.max.assignment.interval.ms', SET, '20000']),
  onBroker('for all brokers', '', [ASSIGNMENT, SET, '2000']),
  brokerSays('2000'),
  onBroker('for this broker', '1', [ASSIGNMENT, SET, '3000']),
  brokerSays('3000'),
  describe('what a group says', [group(NAME, ['consumer.assignment.interval.ms'])]),
  on('a value of its own', ['consumer.assignment.interval.ms', SET, '4000']),
  settled('consumer.assignment.interval.ms', '4000'),
  describe('what it says now', [group(NAME, ['consumer.assignment.interval.ms'])]),
  on('none again', ['consumer.assignment.interval.ms', DELETE, null]),
  settled('consumer.assignment.interval.ms', '3000'),
  onBroker('back again', '1', [ASSIGNMENT, DELETE, null]),
  onBroker('back again for all', '', [ASSIGNMENT, DELETE, null]),
  brokerSays('1000')
]

export const groupConfigs: Step[] = [...describing, ...altering, ...replacing, ...listing, ...defaults]
