// Random actions of members of both protocols in a consumer group: they join, report, miss deadlines, replace each
// other and leave in random order. One member of the consumer protocol stays, so the group keeps its type. The group is
// described every few steps, and at the end its records are read. ORACLE_LIVES sets the number of groups.
import type { DecodedResponseOf } from '../../../../src/protocol/api.ts'
import { APIS } from '../../../../src/protocol/messages/index.ts'
import { type Random, seededRandom } from '../../../../src/runtime/random.ts'
import { type Owned, partitionsOf, subscriptionOf } from '../../../group/embedded.ts'
import type { Session } from '../session.ts'
import { arrange, type Call, call, type Step, since } from '../transcript.ts'
import { type Beat, ConsumerGroup, named, promptly } from './consumer-group.ts'
import { Group } from './group.ts'
import { records } from './group-records.ts'
import { idOf, topic } from './topic.ts'

const { ConsumerGroupDescribe, Heartbeat, JoinGroup, LeaveGroup, OffsetCommit, SyncGroup } = APIS
const TOPICS: Readonly<Record<string, number>> = { 'mixed-many': 7, 'mixed-few': 2, 'mixed-own': 3 }
const [MANY = '', FEW = '', OWN = ''] = Object.keys(TOPICS)
const MENU = [[MANY], [MANY], [MANY, FEW], [FEW], [MANY, 'mixed-nowhere']]
/** Partitions are assigned in the order of member ids, and a classic dynamic member has a random id. */
const OF_NO_INSTANCE = [[OWN], [OWN, 'mixed-nowhere']]
const STEPS = 80
const LIVES = Number(process.env.ORACLE_LIVES ?? 3)

/** Members of the consumer protocol; the first one stays. */
const MODERN = ['m', 'n', 'i']
/** Classic members: two with the same instance id, one with another, one without. */
const CLASSIC = ['A', 'B', 'C', 'd']
const INSTANCES: Readonly<Record<string, string>> = { i: 'I', A: 'I', B: 'I', C: 'J' }

interface Scenario {
  readonly modern: ConsumerGroup
  readonly classic: Group
  readonly random: Random
}

function pick<T>(random: Random, from: readonly T[]): T {
  const picked = from[random.below(from.length)]
  if (picked === undefined) throw new Error('there is nothing to pick from')
  return picked
}

const instanceOf = (member: string) => (INSTANCES[member] ? { instance: INSTANCES[member] } : {})
const assignmentKey = ({ classic }: Scenario, member: string) => `what ${member} was given in ${classic.id}`

type Play = (scenario: Scenario, member: string) => Step

/** The partitions that a classic member reports as owned: those of its last assignment, or others. */
function ownedBy(scenario: Scenario, session: Session, member: string, how: string): Owned {
  const assigned = session.recall(assignmentKey(scenario, member)) as Owned
  if (how === 'nothing') return {}
  if (how === 'what it was given') return assigned
  const half = (partitions: readonly number[]) => partitions.filter(partition => partition % 2 === 0)
  return Object.fromEntries(Object.entries(assigned).map(([name, partitions]) => [name, half(partitions)]))
}

const joins: Play = (scenario, member) => {
  const { classic, random } = scenario
  const topics = pick(random, INSTANCES[member] ? MENU : OF_NO_INSTANCE)
  const how = pick(random, ['what it was given', 'what it was given', 'half of that', 'nothing'])
  const version = pick(random, INSTANCES[member] ? [5, 7, 9, 9] : [3, 5, 9])
  const isFresh = INSTANCES[member] !== undefined && random.below(4) === 0
  const name = `${member} joins${isFresh ? ' again' : ''} [${topics.join(', ')}], with ${how}`
  const step = call(name, JoinGroup, version, session => ({
    ...{ groupId: classic.id, sessionTimeoutMs: 30_000, rebalanceTimeoutMs: 30_000, protocolType: 'consumer' },
    memberId: isFresh ? '' : classic.memberId(session, member),
    groupInstanceId: INSTANCES[member] ?? null,
    protocols: [{ name: 'range', metadata: subscriptionOf(topics, ownedBy(scenario, session, member, how)) }],
    reason: null
  }))
  return learning(step, (session, { memberId, generationId }) => {
    if (memberId !== '') session.remember(`${member}'s id in ${classic.id}`, memberId)
    if (generationId >= 0) session.remember(`${member}'s generation in ${classic.id}`, generationId)
  })
}

const syncs: Play = (scenario, member) => {
  const { classic, random } = scenario
  const version = pick(random, [3, 5])
  const protocol = version < 5 ? {} : { protocolType: 'consumer', protocolName: 'range' }
  const step = call(
    `${member} asks what it has`,
    SyncGroup,
    version,
    session => ({
      ...{ groupId: classic.id, ...classic.claim(session, member, instanceOf(member)) },
      ...protocol,
      assignments: []
    }),
    { compare: ({ assignment, ...answer }) => ({ ...answer, assignment: given(assignment) }) }
  )
  return learning(step, (session, { errorCode, assignment }) => {
    if (errorCode === 'NONE') session.remember(assignmentKey(scenario, member), given(assignment) ?? {})
  })
}

const isAlive =
  (later: number): Play =>
  ({ classic }, member) =>
    call(`${member} is alive, ${later} generations later`, Heartbeat, 4, session => {
      const { generationId, ...claim } = classic.claim(session, member, instanceOf(member))
      return { groupId: classic.id, ...claim, generationId: generationId + later }
    })

const leaves: Play = ({ classic, random }, member) => {
  const isByInstance = INSTANCES[member] !== undefined && random.below(2) === 0
  const step = call(`${member} leaves${isByInstance ? ', by its instance' : ''}`, LeaveGroup, 5, session => {
    const memberId = isByInstance ? '' : classic.memberId(session, member)
    const groupInstanceId = isByInstance ? (INSTANCES[member] ?? null) : null
    return { groupId: classic.id, members: [{ memberId, groupInstanceId, reason: null }] }
  })
  return learning(step, session => session.remember(`${member}'s id in ${classic.id}`, ''))
}

const commits: Play = ({ classic, random }, member) => {
  const [name, later] = [pick(random, Object.keys(TOPICS)), random.below(4) - 2]
  const partitions = [{ partitionIndex: random.below(TOPICS[name] ?? 1), committedOffset: 5n, committedMetadata: '' }]
  return call(`${member} commits, ${later} generations later`, OffsetCommit, 10, session => {
    const { generationId, ...claim } = classic.claim(session, member, instanceOf(member))
    return {
      ...{ groupId: classic.id, ...claim, generationIdOrMemberEpoch: generationId + later },
      topics: [{ topicId: idOf(session, name), partitions }]
    }
  })
}

const CLASSIC_PLAYS: readonly Play[] = [
  ...[joins, joins, joins, joins, syncs, syncs, syncs, commits],
  ...[isAlive(0), isAlive(0), isAlive(0), isAlive(-1), isAlive(1), leaves]
]

const beats =
  (name: string, options: (scenario: Scenario) => Beat): Play =>
  (scenario, member) =>
    scenario.modern.beat(member, name, { ...instanceOf(member), ...options(scenario) })
const comes: Play = ({ modern, random }, member) =>
  modern.join(member, 'joins', { topics: pick(random, MENU), assignor: 'range', ...instanceOf(member) })
const goes = (epoch: number): Play => beats('leaves', () => ({ epoch }))

const STAYING: readonly Play[] = [
  ...Array.from({ length: 4 }, () => beats('reports', () => ({ owned: 'received' }))),
  beats('says nothing', () => ({})),
  beats('has half of it', () => ({ owned: 'half' })),
  beats('changes', ({ random }) => ({ topics: pick(random, MENU), owned: 'received' }))
]
const LATE: readonly Play[] = [-1, 1].map(later =>
  beats(`is ${later} epochs later`, () => ({ later, owned: 'received' }))
)
const MODERN_PLAYS: readonly Play[] = [...STAYING, ...LATE, comes, comes, goes(-1), goes(-2)]

function step(scenario: Scenario): Step {
  const member = pick(scenario.random, [...MODERN, ...CLASSIC, ...CLASSIC])
  const plays = member === MODERN[0] ? STAYING : MODERN.includes(member) ? MODERN_PLAYS : CLASSIC_PLAYS
  return pick(scenario.random, plays)(scenario, member)
}

function life(scenario: Scenario): Step[] {
  const { modern, classic } = scenario
  const steps = Array.from({ length: STEPS }, (_, index) => [
    step(scenario),
    ...(index % 3 === 0 ? [described(scenario)] : [])
  ])
  const strangers = arrange(`no member has been in ${classic.id}`, async session => {
    for (const member of CLASSIC) {
      session.remember(`${member}'s id in ${classic.id}`, '')
      session.remember(`${member}'s generation in ${classic.id}`, 0)
      session.remember(assignmentKey(scenario, member), {})
    }
  })
  const first = modern.join(MODERN[0] ?? '', 'joins', { topics: [MANY], assignor: 'range' })
  return [modern.found(), modern.strangers(...MODERN), strangers, first, ...steps.flat(), records(modern.id)]
}

function described({ modern }: Scenario): Step {
  const asked = { groupIds: [modern.id] }
  return call(`${modern.id} is described meanwhile`, ConsumerGroupDescribe, 1, asked, {
    compare: ({ groups }, session) =>
      groups.map(({ members, ...group }) => ({
        ...group,
        members: members
          .map(member => ({
            ...member,
            clientHost: '',
            subscribedTopicNames: member.subscribedTopicNames.toSorted(),
            assignment: named(session, member.assignment.topicPartitions),
            targetAssignment: named(session, member.targetAssignment.topicPartitions)
          }))
          .toSorted((a, b) => orderOf(a).localeCompare(orderOf(b)))
      }))
  })
}

function orderOf({ memberId, instanceId }: { memberId: string; instanceId: string | null }): string {
  return instanceId ?? (MODERN.includes(memberId) ? memberId : 'without')
}

/** Kafka lists topics in no order. */
function given(assignment: Buffer): Owned | undefined {
  const owned = partitionsOf(assignment)
  return owned && Object.fromEntries(Object.entries(owned).toSorted(([topic], [other]) => topic.localeCompare(other)))
}

function learning<A>(step: Call<A>, learn: (session: Session, answer: DecodedResponseOf<A>) => void): Step {
  return {
    ...step,
    async play(session) {
      const outcome = await step.play(session)
      learn(session, step.answerTo(session))
      return outcome
    }
  }
}

const lives = Array.from({ length: LIVES }, (_, seed): Scenario => {
  const id = `mixed-${seed}`
  return { modern: new ConsumerGroup(id, MANY), classic: new Group(id), random: seededRandom(1000 + seed) }
})

export const groupMigrationChance: Step[] = promptly([
  ...Object.entries(TOPICS).map(([name, partitions]) => topic(name, partitions)),
  ...since('4.4.0', lives.flatMap(life))
])
