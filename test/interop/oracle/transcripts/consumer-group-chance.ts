// Random actions of consumer group members: they join, report, miss deadlines, change subscriptions and leave in random
// order. The groups are described every few steps, and at the end their records are read. ORACLE_LIVES sets the number
// of groups. Before 4.4, Kafka increments epochs at other times.
import { APIS } from '../../../../src/protocol/messages/index.ts'
import { type Random, seededRandom } from '../../../../src/runtime/random.ts'
import { call, type Step, since } from '../transcript.ts'
import { type Beat, ConsumerGroup, promptly } from './consumer-group.ts'
import { records } from './group-records.ts'
import { idOf, topic } from './topic.ts'

const { OffsetCommit, OffsetFetch } = APIS
const TOPICS: Readonly<Record<string, number>> = { 'chance-many': 7, 'chance-some': 3, 'chance-few': 1 }
const [MANY = '', SOME = '', FEW = ''] = Object.keys(TOPICS)
const NOWHERE = 'chance-nowhere'
const STEPS = 70
const LIVES = Number(process.env.ORACLE_LIVES ?? 3)

/** Static members, two of them with the same instance id; the others are dynamic. */
const INSTANCES: Readonly<Record<string, string>> = { d: 'I', e: 'I', f: 'J' }
/**
 * Member ids without collisions in Kafka's hash tables: colliding members would be ordered by their time of joining.
 */
const MEMBERS = ['a', 'b', 'c', 'd', 'e', 'f']

interface RandomGroup {
  readonly group: ConsumerGroup
  readonly random: Random
  /** Topic lists that members subscribe to. */
  readonly menu: readonly (readonly string[])[]
  readonly assignor: string
}

function pick<T>(random: Random, from: readonly T[]): T {
  const picked = from[random.below(from.length)]
  if (picked === undefined) throw new Error('there is nothing to pick from')
  return picked
}

function instanceOf(member: string): { instance?: string } {
  const instance = INSTANCES[member]
  return instance ? { instance } : {}
}

type Play = (world: RandomGroup, member: string) => Step

const beats =
  (name: string, options: (world: RandomGroup) => Beat): Play =>
  (world, member) => {
    const said = options(world)
    const { group, random } = world
    const identity = random.below(4) > 0 ? instanceOf(member) : {}
    return group.beat(member, said.topics ? `${name} [${said.topics.join(', ')}]` : name, { ...identity, ...said })
  }

const joins: Play = ({ group, random, menu, assignor }, member) => {
  // Never an empty subscription, see docs/differences.md.
  const topics = pick(
    random,
    menu.filter(({ length }) => length > 0)
  )
  return group.join(member, `joins [${topics.join(', ')}]`, { topics, assignor, ...instanceOf(member) })
}

const commits: Play = ({ group, random }, member) => {
  const [name, later] = [pick(random, Object.keys(TOPICS)), random.below(4) - 2]
  const partitions = [{ partitionIndex: random.below(TOPICS[name] ?? 1), committedOffset: 5n, committedMetadata: '' }]
  return call(`${member} commits, ${later} epochs later`, OffsetCommit, 10, session => ({
    ...{ groupId: group.id, memberId: member, generationIdOrMemberEpoch: group.epoch(session, member) + later },
    topics: [{ topicId: idOf(session, name), partitions }]
  }))
}

const fetches: Play = ({ group }, member) =>
  call(`${member} asks for offsets`, OffsetFetch, 9, session => ({
    groups: [{ groupId: group.id, memberId: member, memberEpoch: group.epoch(session, member), topics: [] }]
  }))

/** Actions; a repeated action is more likely. */
const PLAYS: readonly Play[] = [
  ...[joins, joins, joins],
  ...Array.from({ length: 6 }, () => beats('reports', () => ({ owned: 'received' }))),
  ...Array.from({ length: 4 }, () => beats('says nothing', () => ({}))),
  ...[1, 2].map(() => beats('has half of it', () => ({ owned: 'half' }))),
  ...[1, 2].map(() => beats('changes to', ({ random, menu }) => ({ topics: pick(random, menu) }))),
  beats('changes, and says what it has:', ({ random, menu }) => ({ topics: pick(random, menu), owned: 'received' })),
  beats('has nothing', () => ({ owned: {} })),
  beats('says all:', ({ random, menu }) => ({ topics: pick(random, menu), owned: 'received', timeoutMs: 30_000 })),
  beats('is an epoch late', () => ({ later: -1, owned: 'received' })),
  beats('is an epoch late, with nothing', () => ({ later: -1, owned: {} })),
  beats('is an epoch early', () => ({ later: 1 })),
  ...[commits, commits, fetches],
  ...[1, 2].map(() => beats('leaves', () => ({ epoch: -1 }))),
  ...[1, 2, 3].map(() => beats('leaves for a while', () => ({ epoch: -2, instance: 'I' })))
]

function life(world: RandomGroup): Step[] {
  const { group, random } = world
  const steps = Array.from({ length: STEPS }, (_, index): Step[] => {
    const member = pick(random, MEMBERS)
    return [pick(random, PLAYS)(world, member), ...(index % 3 === 0 ? [group.described('meanwhile')] : [])]
  })
  return [group.found(), group.strangers(...MEMBERS), ...steps.flat(), records(group.id)]
}

/** One topic for the uniform assignor: with several, the assignment depends on topic ids. */
const KINDS = [
  { assignor: 'uniform', menu: [[MANY], [MANY], [MANY, NOWHERE], []] },
  { assignor: 'range', menu: [[MANY], [SOME, FEW], [MANY, SOME, FEW], [FEW, NOWHERE], []] }
]

const lives = Array.from({ length: LIVES }, (_, seed): RandomGroup => {
  const random = seededRandom(seed)
  return { group: new ConsumerGroup(`chance-${seed}`), random, ...pick(random, KINDS) }
})

export const consumerGroupChance: Step[] = promptly([
  ...Object.entries(TOPICS).map(([name, partitions]) => topic(name, partitions)),
  ...since('4.4.0', lives.flatMap(life))
])
