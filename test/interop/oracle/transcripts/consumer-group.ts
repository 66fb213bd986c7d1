// A consumer group (KIP-848) for transcripts. Members choose their ids. The epoch and partitions of a response are
// those of the member's next request, unless a step says otherwise. Steps name topics instead of ids.
import type { DecodedResponseOf } from '../../../../src/protocol/api.ts'
import { APIS } from '../../../../src/protocol/messages/index.ts'
import type { Session } from '../session.ts'
import { arrange, type Call, call, type Step } from '../transcript.ts'
import { Group } from './group.ts'
import { idOf, nameOf, topicId } from './topic.ts'

const { ConsumerGroupDescribe, ConsumerGroupHeartbeat, DescribeConfigs, IncrementalAlterConfigs } = APIS
const BROKER = 4
const INTERVAL = 'group.consumer.assignment.interval.ms'
const [SET, DELETE] = [0, 1]
/** The config source of a cluster-wide dynamic broker config. */
const DYNAMIC_DEFAULT = 3
const REPEAT_LIMIT_MS = 120_000
const PAUSE_MS = 25

type Answer = DecodedResponseOf<typeof ConsumerGroupHeartbeat>
type TopicPartitions = readonly { readonly topicId: string; readonly partitions: readonly number[] }[]

/** Partitions by topic. */
type Places = Readonly<Record<string, readonly number[]>>

/** Fields of a heartbeat that differ from the member's state. An absent field is not sent. */
export interface Beat {
  readonly version?: number
  readonly groupId?: string
  readonly memberId?: string
  /** By default the last epoch of the member plus `later`. */
  readonly epoch?: number
  readonly later?: number
  readonly instance?: string
  readonly rack?: string
  readonly timeoutMs?: number
  readonly topics?: readonly string[] | null
  readonly regex?: string
  readonly assignor?: string
  /** The reported partitions: `received` are those of the last response, `half` about half of them. */
  readonly owned?: Places | 'received' | 'half' | null
}

/** The group with that id, and the default subscription of its members. */
export class ConsumerGroup {
  readonly id: string
  readonly #topics: readonly string[]

  constructor(id: string, ...topics: string[]) {
    this.id = id
    this.#topics = topics
  }

  /** Waits for its coordinator. */
  found(): Step {
    return new Group(this.id).found()
  }

  /** Resets the state of members to that before their first response, so that any heartbeat can be built. */
  strangers(...members: string[]): Step {
    return arrange(`no member of ${this.id} has a response`, async session => {
      for (const member of members) {
        session.remember(`${member}'s epoch in ${this.id}`, 1)
        session.remember(`${member}'s partitions in ${this.id}`, [])
      }
    })
  }

  /** A heartbeat. */
  beat(member: string, name: string, options: Beat = {}): Call<typeof ConsumerGroupHeartbeat> {
    const { version = 1 } = options
    const request = (session: Session) => this.#request(session, member, options)
    const step = call(`${member} ${name}`, ConsumerGroupHeartbeat, version, request, { compare: withNames })
    return {
      ...step,
      play: async session => {
        const outcome = await step.play(session)
        this.#learn(session, member, step.answerTo(session))
        return outcome
      }
    }
  }

  /** A full heartbeat with epoch 0, which joins or rejoins. */
  join(member: string, name = 'joins', options: Beat = {}): Call<typeof ConsumerGroupHeartbeat> {
    const topics = options.regex === undefined ? this.#topics : null
    return this.beat(member, name, { epoch: 0, timeoutMs: 30_000, topics, owned: {}, ...options })
  }

  /** Reports owned partitions, by default those of the last response. */
  report(member: string, name: string, options: Beat = {}): Call<typeof ConsumerGroupHeartbeat> {
    return this.beat(member, name, { owned: 'received', ...options })
  }

  leave(member: string, name = 'leaves', options: Beat = {}): Call<typeof ConsumerGroupHeartbeat> {
    return this.beat(member, name, { epoch: -1, ...options })
  }

  /**
   * Reports until `accepts` is true for the response, for work that a coordinator does asynchronously. The last
   * response is compared.
   */
  until(member: string, name: string, accepts: (answer: Answer) => boolean, options: Beat = {}): Step {
    const step = this.report(member, name, options)
    return {
      ...step,
      play: async session => {
        for (const deadline = Date.now() + REPEAT_LIMIT_MS; ; ) {
          const outcome = await step.play(session)
          if (accepts(step.answerTo(session))) return outcome
          if (Date.now() > deadline) throw new Error(`${step.name}: it never came, but ${JSON.stringify(outcome)}`)
          await pause(PAUSE_MS)
        }
      }
    }
  }

  /** Waits until the group has that many members; compares nothing else. */
  size(count: number): Step {
    return arrange(`${this.id} has ${count} members`, session =>
      session.requestUntil(
        ConsumerGroupDescribe,
        1,
        { groupIds: [this.id] },
        ({ groups }) => groups[0]?.members.length === count
      )
    )
  }

  /** Describes the group; `since` as for any call. */
  described(when: string, { version = 1, since }: { version?: number; since?: string } = {}): Step {
    const name = `${this.id} is described ${when}`
    const request = { groupIds: [this.id] }
    return call(name, ConsumerGroupDescribe, version, request, { compare: inOrder, ...(since && { since }) })
  }

  epoch(session: Session, member: string): number {
    return Number(session.recall(`${member}'s epoch in ${this.id}`))
  }

  #request(session: Session, member: string, options: Beat) {
    const {
      groupId = this.id,
      memberId = member,
      instance = null,
      rack = null,
      regex = null,
      assignor = null
    } = options
    const { epoch, later = 0, timeoutMs: rebalanceTimeoutMs = -1, topics = null, owned = null } = options
    return {
      ...{ groupId, memberId, instanceId: instance, rackId: rack, rebalanceTimeoutMs },
      memberEpoch: epoch ?? this.epoch(session, member) + later,
      ...{ subscribedTopicNames: topics && [...topics], subscribedTopicRegex: regex, serverAssignor: assignor },
      topicPartitions: this.#owned(session, member, owned)
    }
  }

  #owned(session: Session, member: string, owned: Beat['owned']) {
    if (!owned) return null
    if (owned === 'received' || owned === 'half') {
      const assigned = session.recall(`${member}'s partitions in ${this.id}`) as TopicPartitions
      const isSaid = (partition: number) => owned === 'received' || partition % 2 === 0
      return assigned.map(({ topicId, partitions }) => ({ topicId, partitions: partitions.filter(isSaid) }))
    }
    return Object.entries(owned).map(([name, partitions]) => {
      return { topicId: idOf(session, name), partitions: [...partitions] }
    })
  }

  #learn(session: Session, member: string, { errorCode, memberEpoch, assignment }: Answer): void {
    if (errorCode !== 'NONE') return
    session.remember(`${member}'s epoch in ${this.id}`, memberEpoch)
    if (assignment) session.remember(`${member}'s partitions in ${this.id}`, assignment.topicPartitions)
  }
}

/** Steps without a delay between two assignments of a group. */
export function promptly(steps: readonly Step[]): Step[] {
  const isDynamic = (configSource: number) => configSource === DYNAMIC_DEFAULT
  return [interval(SET, '0', isDynamic), ...steps, interval(DELETE, null, source => !isDynamic(source))]
}

function interval(configOperation: number, value: string | null, isDone: (configSource: number) => boolean): Step {
  return arrange(`the time between assignments is ${value ?? 'as it was'}`, async session => {
    const configs = [{ name: INTERVAL, configOperation, value }]
    const resources = [{ resourceType: BROKER, resourceName: '', configs }]
    await session.sendRequest(IncrementalAlterConfigs, 1, { resources })
    const asked = { resources: [{ resourceType: BROKER, resourceName: '1', configurationKeys: [INTERVAL] }] }
    await session.requestUntil(DescribeConfigs, 4, asked, ({ results }) =>
      isDone(results[0]?.configs[0]?.configSource ?? 0)
    )
  })
}

/** The id of a topic that the broker creates itself. */
export function internalTopic(name: string): Step {
  return arrange(`the id of ${name} is known`, async session => {
    const id = await topicId(session, name)
    session.remember(`id of ${name}`, id)
    session.remember(`name of ${id}`, name)
  })
}

/** Partitions by topic, sorted. */
export function named(session: Session, topicPartitions: TopicPartitions) {
  const places = topicPartitions.map(({ topicId, partitions }) => ({ topic: nameOf(session, topicId), partitions }))
  return places.toSorted((topic, other) => (topic.topic < other.topic ? -1 : 1))
}

function withNames({ assignment, ...answer }: Answer, session: Session) {
  return { ...answer, assignment: assignment && named(session, assignment.topicPartitions) }
}

/** Sorted, because Kafka lists members in no order; client hosts are masked, because localhost has two addresses. */
function inOrder({ groups, ...answer }: DecodedResponseOf<typeof ConsumerGroupDescribe>, session: Session) {
  return {
    ...answer,
    groups: groups.map(({ members, ...group }) => ({
      ...group,
      members: members
        .toSorted((member, other) => (member.memberId < other.memberId ? -1 : 1))
        .map(({ assignment, targetAssignment, clientHost, subscribedTopicNames, ...member }) => ({
          ...member,
          clientHost: clientHost.replace(/[0-9.:]+$/, '<address>'),
          subscribedTopicNames: subscribedTopicNames.toSorted(),
          assignment: named(session, assignment.topicPartitions),
          targetAssignment: named(session, targetAssignment.topicPartitions)
        }))
    }))
  }
}

function pause(ms: number): Promise<void> {
  return new Promise(resolve => setTimeout(resolve, ms))
}
