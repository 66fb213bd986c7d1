// The states of a consumer group. ASSIGNING is only visible during the assignment interval: members have joined or
// changed subscriptions, and the target assignment is not yet computed.
import { APIS } from '../../../../src/protocol/messages/index.ts'
import { arrange, call, type Step, since } from '../transcript.ts'
import { ConsumerGroup } from './consumer-group.ts'
import { records } from './group-records.ts'
import { topic } from './topic.ts'

const { DeleteGroups, DescribeConfigs, DescribeGroups, IncrementalAlterConfigs, ListGroups, OffsetCommit } = APIS
const TOPIC = 'states'
const OTHER = 'states-other'
const GROUP_RESOURCE = 32
const SETTING = 'consumer.assignment.interval.ms'
const LONG_MS = 15_000

const group = new ConsumerGroup('states', TOPIC)

/** A changed config takes effect some time after it is visible; the next steps take longer than that. */
const waitsBetweenAssignments = (value: number): Step =>
  arrange(`its assignments are ${value} ms apart`, async session => {
    const configs = [{ name: SETTING, configOperation: 0, value: `${value}` }]
    await session.sendRequest(IncrementalAlterConfigs, 1, {
      resources: [{ resourceType: GROUP_RESOURCE, resourceName: group.id, configs }]
    })
    const asked = { resourceType: GROUP_RESOURCE, resourceName: group.id, configurationKeys: [SETTING] }
    await session.requestUntil(
      DescribeConfigs,
      4,
      { resources: [asked] },
      ({ results }) => results[0]?.configs[0]?.value === `${value}`
    )
  })

const seen = (when: string): Step[] => [
  group.described(when, { version: 0 }),
  group.described(when),
  ...['stable', 'Assigning', 'reconciling', 'empty', 'dead'].map(state =>
    call(
      `what is ${state}, ${when}`,
      ListGroups,
      5,
      { statesFilter: [state], typesFilter: ['consumer'] },
      { compare: answer => ({ ...answer, groups: answer.groups.filter(({ groupId }) => groupId === group.id) }) }
    )
  ),
  call(`in the old way, ${when}`, DescribeGroups, 6, { groups: [group.id] })
]

const commits = (member: string, name: string): Step =>
  call(`${member} ${name}`, OffsetCommit, 9, session => ({
    groupId: group.id,
    ...{ memberId: member, generationIdOrMemberEpoch: group.epoch(session, member) },
    topics: [{ name: TOPIC, partitions: [{ partitionIndex: 0, committedOffset: 1n, committedMetadata: '' }] }]
  }))

export const consumerGroupStates: Step[] = [
  waitsBetweenAssignments(LONG_MS),
  topic(TOPIC, 4),
  topic(OTHER, 2),
  group.found(),
  ...seen('before it was'),
  group.join('a', 'is the first one, and gets all at once'),
  ...seen('with one'),
  group.join('b', 'gets nothing yet'),
  ...seen('with one that is unknown'),
  group.report('a', 'keeps all'),
  group.report('b', 'waits'),
  group.beat('b', 'does not know the next epoch', { epoch: 3 }),
  commits('a', 'commits meanwhile'),
  commits('b', 'commits meanwhile'),
  call('it cannot be deleted', DeleteGroups, 2, { groupsNames: [group.id] }),
  group.report('a', 'is subscribed to another topic', { topics: [OTHER] }),
  ...seen('while one gives up what it does not want'),
  group.report('a', 'gave it up', { owned: {} }),
  ...seen('when no member has partitions'),
  group.report('a', 'wants both topics', { topics: [OTHER, TOPIC] }),
  group.report('a', 'says what it has'),
  group.join('b', 'rejoins'),
  records(group.id),
  group.leave('a'),
  ...seen('with the other one'),
  group.report('b', 'still gets nothing'),
  group.leave('b'),
  ...since('4.4.0', seen('without any')),
  waitsBetweenAssignments(0),
  group.join('c', 'comes when there is no wait'),
  group.until('c', 'is in the newest epoch', ({ memberEpoch }) => memberEpoch === 8),
  ...seen('without a wait')
]
