// The consumer protocol (KIP-848) while `group.version` is 0: all its requests are refused, existing groups are kept,
// and continue when the level is 1 again. And group configs in heartbeat responses.
import { APIS } from '../../../../src/protocol/messages/index.ts'
import { arrange, atEachVersion, call, type Step } from '../transcript.ts'
import { Group } from './group.ts'
import { topic } from './topic.ts'
import { lowered, raised } from './update-features.ts'

const { ConsumerGroupDescribe, ConsumerGroupHeartbeat, DescribeGroups, IncrementalAlterConfigs, ListGroups } = APIS
const { DescribeConfigs, OffsetCommit, OffsetFetch } = APIS
const FEATURE = 'group.version'
const GROUP = 'group-version'
const GROUP_RESOURCE = 32
const INTERVAL = 'consumer.heartbeat.interval.ms'
/** The epoch of the first assignment. */
const EPOCH = 2
const memberId = 'AAAAAAAAAAAAAAAAAAAAAA'
const member = {
  groupId: GROUP,
  memberId,
  rebalanceTimeoutMs: 60_000,
  subscribedTopicNames: [GROUP],
  topicPartitions: []
}

const beats = (name: string, memberEpoch: number, more: object = {}) =>
  call(name, ConsumerGroupHeartbeat, 1, { ...member, memberEpoch, ...more })

const listed = (name: string) =>
  call(name, ListGroups, 5, {}, { compare: ({ groups }) => groups.filter(({ groupId }) => groupId === GROUP) })

const described = (name: string) => [
  ...atEachVersion(name, ConsumerGroupDescribe, () => ({ groupIds: [GROUP, `${GROUP}-none`] })),
  call(`${name}, in the old way`, DescribeGroups, 6, { groups: [GROUP] }),
  listed(`${name}, in a list`)
]

/** The heartbeat response contains a changed interval after it has taken effect. */
const interval = (value: string | null): Step[] => [
  call(`an interval of ${value}`, IncrementalAlterConfigs, 1, {
    resources: [
      {
        ...{ resourceType: GROUP_RESOURCE, resourceName: GROUP },
        configs: [{ name: INTERVAL, configOperation: value === null ? 1 : 0, value }]
      }
    ]
  }),
  arrange(`it is ${value}`, session =>
    session.requestUntil(
      DescribeConfigs,
      4,
      { resources: [{ resourceType: GROUP_RESOURCE, resourceName: GROUP, configurationKeys: [INTERVAL] }] },
      ({ results }) => results[0]?.configs[0]?.value === (value ?? '5000')
    )
  ),
  beats('a heartbeat, with the interval', EPOCH)
]

const commits = (name: string) =>
  call(name, OffsetCommit, 9, {
    ...{ groupId: GROUP, memberId, generationIdOrMemberEpoch: EPOCH },
    topics: [{ name: GROUP, partitions: [{ partitionIndex: 0, committedOffset: 1n }] }]
  })

const fetches = (name: string) =>
  call(name, OffsetFetch, 9, { groups: [{ groupId: GROUP, memberId, memberEpoch: EPOCH, topics: null }] })

export const groupVersion: Step[] = [
  topic(GROUP, 2),
  // Kafka's components receive changes in order: when a later topic is visible, the coordinator knows all earlier ones.
  topic(`${GROUP}-later`),
  new Group(GROUP).found(),
  beats('a member joins', 0),
  beats('it has its partitions', EPOCH),
  commits('it commits'),
  ...interval('6000'),
  ...interval(null),
  ...lowered(0, FEATURE),
  ...atEachVersion('a heartbeat', ConsumerGroupHeartbeat, () => ({
    ...member,
    memberEpoch: EPOCH,
    topicPartitions: null
  })),
  beats('a member of another group joins', 0, { groupId: `${GROUP}-other` }),
  beats('it leaves', -1),
  beats('a request that says nothing', 5, { groupId: '', memberId: '' }),
  ...described('while it is off'),
  commits('the member commits'),
  fetches('the member asks what is committed'),
  ...raised(1, FEATURE),
  beats('the member continues', EPOCH),
  ...described('when it is back'),
  beats('it leaves for good', -1)
]
