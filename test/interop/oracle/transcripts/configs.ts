// DescribeConfigs, IncrementalAlterConfigs, AlterConfigs: topic and broker configs, every operation, refusals.
import { APIS } from '../../../../src/protocol/messages/index.ts'
import { arrange, atEachVersion, call, type Step } from '../transcript.ts'
import { topic } from './topic.ts'

const { AlterConfigs, DescribeConfigs, IncrementalAlterConfigs } = APIS
const TOPIC = 2
const BROKER = 4
const [SET, DELETE, APPEND, SUBTRACT] = [0, 1, 2, 3]
const subset = ['configs', 'synonyms']

type Change = readonly [name: string, operation: number, value: string | null]

const of = (resourceType: number, resourceName: string, configurationKeys: string[] | null = null) => ({
  ...{ resourceType, resourceName, configurationKeys }
})
const describe = (name: string, resources: ReturnType<typeof of>[], more: object = {}) =>
  call(name, DescribeConfigs, 4, { resources, ...more }, { subset })
const changes = (resourceType: number, resourceName: string, list: readonly Change[]) => ({
  ...{ resourceType, resourceName },
  configs: list.map(([name, configOperation, value]) => ({ name, configOperation, value }))
})
const alter = (name: string, resource: ReturnType<typeof changes>, more: object = {}) =>
  call(name, IncrementalAlterConfigs, 1, { resources: [resource], ...more })
const onTopic = (name: string, ...list: Change[]) => alter(name, changes(TOPIC, 'configs', list))
const onBroker = (name: string, id: string, ...list: Change[]) => alter(name, changes(BROKER, id, list))
const replace = (
  name: string,
  resourceName: string,
  configs: { name: string; value: string | null }[],
  more: object = {}
) => call(name, AlterConfigs, 2, { resources: [{ resourceType: TOPIC, resourceName, configs }], ...more })

/** A changed config of Kafka takes effect some time after the response. */
const settled = (setting: string, value: string, resourceType = TOPIC, resourceName = 'configs') =>
  arrange(`${setting} is ${value}`, session =>
    session.requestUntil(
      DescribeConfigs,
      4,
      { resources: [of(resourceType, resourceName, [setting])] },
      ({ results }) => (results[0]?.configs[0]?.value ?? '') === value
    )
  )
const KEYS = [
  'retention.ms',
  'cleanup.policy',
  'max.message.bytes',
  'compression.type',
  'segment.bytes',
  'min.insync.replicas'
]

/**
 * Settings that differ by setup or by intent: those that the tests give to Kafka (addresses, folders, a single node),
 * and those of minikafka with other defaults.
 */
const GIVEN =
  /listener|quorum|^log\.dir|replication\.factor|\.isr$|^process\.roles$|^node\.id$|^broker\.id$|^group\.initial|^minikafka\.|^queued\.max\.request\.bytes$/

const comparable = ({ name }: { name: string }): boolean => !GIVEN.test(name)

const describing: Step[] = [
  topic('configs', 1, { 'retention.ms': '1000', 'max.message.bytes': '5000' }),
  ...atEachVersion(
    'all of a topic',
    DescribeConfigs,
    () => ({ resources: [of(TOPIC, 'configs')], includeSynonyms: true }),
    {
      subset
    }
  ),
  describe('some of a topic', [of(TOPIC, 'configs', KEYS)]),
  describe('some, with synonyms and documentation', [of(TOPIC, 'configs', KEYS)], {
    ...{ includeSynonyms: true, includeDocumentation: true }
  }),
  describe('unknown ones', [of(TOPIC, 'configs', ['no.such', 'retention.ms'])]),
  describe('none', [of(TOPIC, 'configs', [])]),
  describe('an unknown topic', [of(TOPIC, 'configs-none')]),
  describe('a name that is not allowed', [of(TOPIC, 'a b'), of(TOPIC, '')]),
  describe('the same topic twice', [of(TOPIC, 'configs', KEYS), of(TOPIC, 'configs', KEYS)]),
  call(
    'all of the broker',
    DescribeConfigs,
    4,
    { resources: [of(BROKER, '1')], includeSynonyms: true },
    {
      subset,
      compare: ({ results }) =>
        results.map(({ configs, ...rest }) => ({ ...rest, configs: configs.filter(comparable) }))
    }
  ),
  describe('the defaults of all brokers', [of(BROKER, '')]),
  describe(
    'some of the broker',
    [of(BROKER, '1', ['log.segment.bytes', 'log.retention.ms', 'num.partitions', 'message.max.bytes'])],
    {
      includeSynonyms: true
    }
  ),
  describe('an unknown broker', [of(BROKER, '77')]),
  describe('a broker that is no number', [of(BROKER, 'one')]),
  describe('an unknown type', [of(99, 'configs')]),
  describe('type zero', [of(0, 'configs')]),
  describe('nothing', [])
]

const topics: Step[] = [
  ...atEachVersion('a value', IncrementalAlterConfigs, version => ({
    resources: [changes(TOPIC, 'configs', [['retention.ms', SET, `${2000 + version}`]])]
  })),
  settled('retention.ms', '2001'),
  onTopic('append to a list', ['cleanup.policy', APPEND, 'compact']),
  settled('cleanup.policy', 'delete,compact'),
  onTopic('append what is there', ['cleanup.policy', APPEND, 'compact']),
  onTopic('take from a list', ['cleanup.policy', SUBTRACT, 'delete']),
  settled('cleanup.policy', 'compact'),
  onTopic('take what is not there', ['cleanup.policy', SUBTRACT, 'delete']),
  onTopic('append to what is no list', ['retention.ms', APPEND, '7']),
  onTopic('take from what is no list', ['retention.ms', SUBTRACT, '7']),
  onTopic('delete', ['retention.ms', DELETE, null]),
  onTopic('delete what is not set', ['retention.ms', DELETE, null]),
  onTopic('set null', ['retention.ms', SET, null]),
  onTopic('a value that is none', ['retention.ms', SET, 'never']),
  onTopic('an unknown setting', ['no.such', SET, '1']),
  onTopic('delete an unknown setting', ['no.such', DELETE, null]),
  onTopic('the same setting twice', ['retention.ms', SET, '1'], ['retention.ms', SET, '2']),
  onTopic('one good, one bad', ['flush.ms', SET, '777'], ['retention.ms', SET, 'never']),
  onTopic('nothing'),
  onTopic('a list that is empty', ['cleanup.policy', SET, '']),
  alter('only validated', changes(TOPIC, 'configs', [['flush.ms', SET, '778']]), { validateOnly: true }),
  alter('bad, only validated', changes(TOPIC, 'configs', [['flush.ms', SET, 'x']]), { validateOnly: true }),
  alter('an unknown topic', changes(TOPIC, 'configs-none', [['flush.ms', SET, '1']])),
  alter('an empty name', changes(TOPIC, '', [['flush.ms', SET, '1']])),
  alter('an unknown type', changes(99, 'configs', [['flush.ms', SET, '1']])),
  call('the same topic twice', IncrementalAlterConfigs, 1, {
    resources: [
      changes(TOPIC, 'configs', [['flush.ms', SET, '1']]),
      changes(TOPIC, 'configs', [['flush.ms', SET, '2']])
    ]
  }),
  call('no resources', IncrementalAlterConfigs, 1, { resources: [] }),
  describe('what is set now', [of(TOPIC, 'configs', [...KEYS, 'flush.ms'])], { includeSynonyms: true }),
  ...atEachVersion('replace all', AlterConfigs, version => ({
    resources: [
      { resourceType: TOPIC, resourceName: 'configs', configs: [{ name: 'segment.ms', value: `${9000 + version}` }] }
    ]
  })),
  settled('segment.ms', '9002'),
  describe('after it', [of(TOPIC, 'configs', [...KEYS, 'segment.ms'])], { includeSynonyms: true }),
  replace('a value that is none', 'configs', [{ name: 'segment.ms', value: 'x' }]),
  replace('an unknown setting', 'configs', [{ name: 'no.such', value: '1' }]),
  replace('null', 'configs', [{ name: 'segment.ms', value: null }]),
  replace('an unknown topic', 'configs-none', [{ name: 'segment.ms', value: '1' }]),
  replace('only validated', 'configs', [{ name: 'segment.ms', value: '5' }], { validateOnly: true }),
  replace('nothing', 'configs', []),
  settled('segment.ms', '604800000')
]

const broker: Step[] = [
  onBroker('a value for all brokers', '', ['log.retention.ms', SET, '7200000']),
  settled('log.retention.ms', '7200000', BROKER, '1'),
  describe('what the broker says', [of(BROKER, '1', ['log.retention.ms', 'log.retention.hours'])], {
    includeSynonyms: true
  }),
  describe('what a topic says', [of(TOPIC, 'configs', ['retention.ms'])], { includeSynonyms: true }),
  describe('what the defaults say', [of(BROKER, '')], { includeSynonyms: true }),
  onBroker('a value for this broker', '1', ['log.retention.ms', SET, '3600000']),
  settled('log.retention.ms', '3600000', BROKER, '1'),
  describe('both values', [of(BROKER, '1', ['log.retention.ms'])], { includeSynonyms: true }),
  onBroker('a read-only setting', '1', ['node.id', SET, '3']),
  onBroker('an unknown setting', '1', ['no.such', SET, '3']),
  onBroker('a value that is none', '1', ['log.retention.ms', SET, 'x']),
  onBroker('an unknown broker', '77', ['log.retention.ms', SET, '1']),
  onBroker('a broker that is no number', 'one', ['log.retention.ms', SET, '1']),
  onBroker('back again', '1', ['log.retention.ms', DELETE, null]),
  onBroker('back again for all', '', ['log.retention.ms', DELETE, null]),
  arrange('the default is back', session =>
    session.requestUntil(
      DescribeConfigs,
      4,
      { resources: [of(BROKER, '1', ['log.retention.ms'])] },
      ({ results }) => results[0]?.configs[0]?.value === null
    )
  )
]

export const configs: Step[] = [...describing, ...topics, ...broker]
