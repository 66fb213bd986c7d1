// A classic group for transcripts. Members have names, and each has its own connection, on which it can wait. The
// member id and generation of a response are those of the member's next request.
import { APIS } from '../../../../src/protocol/messages/index.ts'
import type { Session } from '../session.ts'
import { arrange, type Call, call, delayed, type Step } from '../transcript.ts'

const { FindCoordinator, Heartbeat, JoinGroup, LeaveGroup, OffsetFetch, SyncGroup } = APIS

/** A member id that no broker generates. */
export const STRANGER = 'nobody-00000000-0000-0000-0000-000000000000'

/** Text is the user data of a subscription; bytes are the whole metadata. */
type Protocols = Readonly<Record<string, string | Buffer>>

interface JoinOptions {
  readonly version?: number
  /** The member id to send, possibly empty; by default the id of the member's last response. */
  readonly memberId?: string
  readonly instance?: string
  readonly protocolType?: string
  /** Metadata by protocol name, in order of preference; by default `range` with the member's name. */
  readonly protocols?: Protocols
  readonly sessionTimeoutMs?: number
  readonly rebalanceTimeoutMs?: number
  readonly reason?: string
}

interface SyncOptions extends Claim {
  readonly version?: number
  readonly protocolType?: string | null
  readonly protocolName?: string | null
  /** Assignments by member. */
  readonly assignments?: Readonly<Record<string, string | Buffer>>
}

/** Fields of a request that differ from the member's state. */
export interface Claim {
  readonly memberId?: string
  readonly instance?: string
  readonly generation?: number
}

/** The group with that id. */
export class Group {
  readonly id: string

  constructor(id: string) {
    this.id = id
  }

  /** Waits for its coordinator. */
  found(): Step {
    return arrange(`${this.id} has its coordinator`, async session => {
      const request = { coordinatorKeys: [this.id] }
      await session.requestUntil(FindCoordinator, 4, request, answer => answer.coordinators[0]?.errorCode === 'NONE')
      const groups = [{ groupId: this.id, topics: [] }]
      await session.requestUntil(OffsetFetch, 8, { groups }, answer => answer.groups[0]?.errorCode === 'NONE')
    })
  }

  /** A JoinGroup with an immediate response. */
  join(member: string, name: string, options: JoinOptions = {}): Call<typeof JoinGroup> {
    const { version = 9 } = options
    const request = (session: Session) => this.#joining(session, member, options)
    return this.#learning(
      member,
      call(`${member} ${name}`, JoinGroup, version, request, { on: this.#connection(member), compare: membersInOrder })
    )
  }

  /** A JoinGroup with a delayed response. */
  delayedJoin(member: string, name: string, options: JoinOptions = {}): { sent: Step; answer: Step } {
    const { version = 9 } = options
    const request = (session: Session) => this.#joining(session, member, options)
    const { sent, answer } = delayed(`${member} ${name}`, JoinGroup, version, request, {
      ...{ on: this.#connection(member), compare: membersInOrder }
    })
    return { sent, answer: this.#learning(member, answer) }
  }

  /**
   * A new member joins as clients since 2.2 do: it gets an id, then joins with it. The response comes with the new
   * generation.
   */
  enter(member: string, options: JoinOptions = {}): Step[] {
    return [this.newcomer(member, options), this.join(member, 'joins', options)]
  }

  /** The first half of `enter`: a pending member, which the group waits for. */
  newcomer(member: string, options: JoinOptions = {}): Call<typeof JoinGroup> {
    return this.join(member, 'asks for an id', { ...options, memberId: '' })
  }

  /** New members join the group of a leader, who has already joined; all wait for SyncGroup. */
  gather(
    leader: string,
    leading: JoinOptions,
    ...others: (readonly [member: string, options?: JoinOptions])[]
  ): Step[] {
    const waiting = others.map(([member, options]) => ({ options, ...this.delayedJoin(member, 'joins', options) }))
    const rebalancing = this.rebalancing(leader, leading.instance === undefined ? {} : { instance: leading.instance })
    const statics = waiting.filter(({ options }) => options?.instance)
    const dynamic = waiting.filter(({ options }) => !options?.instance)
    return [
      ...others.filter(([, options]) => !options?.instance).map(([member, options]) => this.newcomer(member, options)),
      // A group waits for its pending members, and not for static members: these join first, and their requests must
      // have arrived.
      ...statics.flatMap(({ sent }) => [sent, rebalancing]),
      ...dynamic.map(({ sent }) => sent),
      rebalancing,
      this.join(leader, 'joins again', leading),
      ...waiting.map(({ answer }) => answer)
    ]
  }

  sync(member: string, name: string, options: SyncOptions = {}): Call<typeof SyncGroup> {
    const { version = 5 } = options
    return call(`${member} ${name}`, SyncGroup, version, session => this.#syncing(session, member, options), {
      on: this.#connection(member)
    })
  }

  delayedSync(member: string, name: string, options: SyncOptions = {}): { sent: Step; answer: Step } {
    const { version = 5 } = options
    return delayed(`${member} ${name}`, SyncGroup, version, session => this.#syncing(session, member, options), {
      on: this.#connection(member)
    })
  }

  heartbeat(member: string, name: string, { version = 4, ...claim }: Claim & { version?: number } = {}): Step {
    const request = (session: Session) => ({ groupId: this.id, ...this.claim(session, member, claim) })
    return call(`${member} ${name}`, Heartbeat, version, request)
  }

  /** Waits until a heartbeat of the member gets REBALANCE_IN_PROGRESS, so that a delayed request has arrived. */
  rebalancing(member: string, options: Claim = {}): Step {
    return arrange(`${member} hears of a rebalance`, session =>
      session.requestUntil(
        Heartbeat,
        4,
        { groupId: this.id, ...this.claim(session, member, options) },
        ({ errorCode }) => errorCode === 'REBALANCE_IN_PROGRESS'
      )
    )
  }

  /** Members leave, each with its own id by default. */
  leave(name: string, ...members: (string | { member?: string; memberId?: string; instance?: string })[]): Step {
    return this.leaveAt(5, name, ...members)
  }

  leaveAt(
    version: number,
    name: string,
    ...members: (string | { member?: string; memberId?: string; instance?: string; reason?: string })[]
  ): Step {
    return call(name, LeaveGroup, version, session => {
      const leaving = members.map(leaver => {
        const { member, memberId, instance, reason } = typeof leaver === 'string' ? { member: leaver } : { ...leaver }
        const id = memberId ?? (member === undefined ? '' : this.memberId(session, member))
        return { memberId: id, groupInstanceId: instance ?? null, reason: reason ?? null }
      })
      const [first] = leaving
      return { groupId: this.id, memberId: first?.memberId ?? '', members: leaving }
    })
  }

  /** The last member id that a member received. */
  memberId(session: Session, member: string): string {
    return `${session.recall(`${member}'s id in ${this.id}`)}`
  }

  /** The last generation that a member received. */
  generation(session: Session, member: string): number {
    return Number(session.recall(`${member}'s generation in ${this.id}`))
  }

  /** Identity fields of a member's request. */
  claim(session: Session, member: string, { memberId, instance, generation }: Claim = {}) {
    return {
      memberId: memberId ?? this.memberId(session, member),
      generationId: generation ?? this.generation(session, member),
      groupInstanceId: instance ?? null
    }
  }

  #connection(member: string): string {
    return `${member} of ${this.id}`
  }

  #joining(session: Session, member: string, options: JoinOptions) {
    const {
      memberId,
      instance = null,
      protocolType = 'consumer',
      protocols = { range: member },
      reason = null
    } = options
    return {
      groupId: this.id,
      memberId: memberId ?? this.memberId(session, member),
      groupInstanceId: instance,
      sessionTimeoutMs: options.sessionTimeoutMs ?? 30_000,
      rebalanceTimeoutMs: options.rebalanceTimeoutMs ?? 30_000,
      protocolType,
      protocols: Object.entries(protocols).map(([name, said]) => {
        return { name, metadata: typeof said === 'string' ? subscription(said) : said }
      }),
      reason
    }
  }

  #syncing(session: Session, member: string, options: SyncOptions) {
    const { protocolType = 'consumer', protocolName = 'range', assignments = {}, version = 5 } = options
    const assigned = Object.entries(assignments).map(([member, assignment]) => ({
      memberId: member === '?' ? STRANGER : this.memberId(session, member),
      assignment: typeof assignment === 'string' ? Buffer.from(assignment) : assignment
    }))
    const protocol = version < 5 ? {} : { protocolType, protocolName }
    return { groupId: this.id, ...this.claim(session, member, options), ...protocol, assignments: assigned }
  }

  #learning(member: string, step: Call<typeof JoinGroup>): Call<typeof JoinGroup> {
    return {
      ...step,
      play: async session => {
        const outcome = await step.play(session)
        const { memberId, generationId } = step.answerTo(session)
        if (memberId !== '') session.remember(`${member}'s id in ${this.id}`, memberId)
        if (generationId >= 0) session.remember(`${member}'s generation in ${this.id}`, generationId)
        return outcome
      }
    }
  }
}

/** A subscription of Kafka's consumers to the topic `groups`, with user data. */
export function subscription(userData: string): Buffer {
  const topic = Buffer.from('groups')
  const data = Buffer.from(userData)
  const bytes = Buffer.alloc(2 + 4 + 2 + topic.length + 4 + data.length)
  bytes.writeInt32BE(1, 2)
  bytes.writeInt16BE(topic.length, 6)
  topic.copy(bytes, 8)
  bytes.writeInt32BE(data.length, 8 + topic.length)
  data.copy(bytes, 12 + topic.length)
  return bytes
}

/** Kafka lists members to the leader in no order. */
function membersInOrder<T extends { readonly members: readonly { readonly metadata: Buffer }[] }>(answer: T): T {
  return { ...answer, members: answer.members.toSorted((a, b) => Buffer.compare(a.metadata, b.metadata)) }
}
