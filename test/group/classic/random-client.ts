/** A member of a group as real clients behave, one request at a time; it may vanish, restart, or be slow. */
import { expect } from 'vitest'
import type { Protocol } from '../../../src/group/classic/group.ts'
import type { JoinAnswer } from '../../../src/group/classic/turn.ts'
import type { GroupCoordinator } from '../../../src/group/coordinator.ts'
import type { ErrorName } from '../../../src/protocol/errors.ts'
import { GROUP } from '../random-world.ts'

export const PARTITIONS = 12
const TOPIC = { name: 'foo', topicId: 'AAECAwQFBgcICQoLDA0ODw' }

/** What a client brings with it. */
export interface Character {
  readonly name: string
  readonly apiVersion: number
  readonly groupInstanceId: string | null
  readonly sessionTimeoutMs: number
  readonly rebalanceTimeoutMs: number
  readonly protocols: readonly Protocol[]
}

/** `away` knows nothing or its old id; `joined` may sync; `dead` was told never to come again. */
export type Phase = 'away' | 'joining' | 'joined' | 'syncing' | 'member' | 'dead'

export interface Surroundings {
  coordinator(): GroupCoordinator
  /** Every answer must come, sooner or later. */
  awaited<T>(what: string, answer: Promise<T>): Promise<T>
  /** A member was told what it owns in a generation. */
  owns(client: Client, partitions: readonly number[]): void
  /** A commit was acknowledged. */
  committed(partition: number, offset: bigint): void
}

const START_ANEW: readonly ErrorName[] = ['UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION']
const COME_AGAIN: readonly ErrorName[] = ['REBALANCE_IN_PROGRESS', 'NOT_COORDINATOR', 'COORDINATOR_NOT_AVAILABLE']
const GIVE_UP: readonly ErrorName[] = [
  ...(['FENCED_INSTANCE_ID', 'GROUP_MAX_SIZE_REACHED', 'INCONSISTENT_GROUP_PROTOCOL'] as const)
]

export class Client {
  readonly character: Character
  phase: Phase = 'away'
  memberId = ''
  generationId = -1
  partitions: readonly number[] = []
  readonly #world: Surroundings
  #joined: JoinAnswer | undefined
  /** Answers to what a former life asked are not heard any more. */
  #life = 0

  constructor(world: Surroundings, character: Character) {
    this.#world = world
    this.character = character
  }

  /** What it is to the group: a static member stays the same when it restarts. */
  get owner(): string {
    return this.character.groupInstanceId ?? this.memberId
  }

  /** The next thing that a client in its place does. */
  async step(): Promise<void> {
    if (this.phase === 'away') await this.join()
    else if (this.phase === 'joined') await this.sync()
    else if (this.phase === 'member') await this.heartbeat()
  }

  /** Nobody hears of it again; what it asked is still on its way. */
  vanish(): void {
    this.#life++
    this.phase = 'away'
    this.memberId = ''
  }

  async join(): Promise<void> {
    this.phase = 'joining'
    const { name, ...character } = this.character
    const { memberId } = this
    const request = { ...character, groupId: GROUP, memberId, clientId: name, clientHost: '/127.0.0.1' }
    const joining = this.#world.coordinator().classic.joinGroup({ ...request, protocolType: 'consumer', reason: null })
    const answer = await this.#heard(`join of ${name}`, joining)
    if (!answer) return
    if (answer.errorCode === 'MEMBER_ID_REQUIRED') {
      this.memberId = answer.memberId
      this.phase = 'away'
    } else if (this.#isFine(answer.errorCode)) {
      this.memberId = answer.memberId
      this.generationId = answer.generationId
      this.#joined = answer
      this.phase = 'joined'
    }
  }

  async sync(): Promise<void> {
    const answer = this.#joined
    if (!answer) return
    this.phase = 'syncing'
    const assignments = this.#leads(answer) ? assign(answer) : []
    const { protocolType, protocolName } = answer
    const request = { ...this.#claim(), groupId: GROUP, protocolType, protocolName, assignments }
    const told = await this.#heard(
      `sync of ${this.character.name}`,
      this.#world.coordinator().classic.syncGroup(request)
    )
    if (!told || !this.#isFine(told.errorCode)) return
    expect(told.protocolName).toBe(protocolName)
    this.partitions = partitionsOf(told.assignment, this.generationId)
    this.phase = 'member'
    this.#world.owns(this, this.partitions)
  }

  async heartbeat(): Promise<void> {
    const answer = this.#world.coordinator().classic.heartbeat({ ...this.#claim(), groupId: GROUP })
    const errorCode = await this.#heard('heartbeat', answer)
    if (errorCode) this.#isFine(errorCode)
  }

  async leave(): Promise<void> {
    const { memberId } = this
    const { groupInstanceId } = this.character
    this.vanish()
    if (memberId === '') return
    const leaving = this.#world.coordinator().classic.leaveGroup(GROUP, [{ memberId, groupInstanceId }])
    await this.#world.awaited('leave', leaving)
  }

  /** Commits for one of its partitions. */
  async commit(offset: bigint): Promise<void> {
    const [partitionIndex] = this.partitions
    if (this.phase !== 'member' || partitionIndex === undefined) return
    const partition = { partitionIndex, committedOffset: offset, committedLeaderEpoch: -1, committedMetadata: null }
    const topics = [{ ...TOPIC, partitions: [partition] }]
    const request = { ...this.#claim(), groupId: GROUP, apiVersion: 9, retentionTimeMs: -1n, topics }
    const [told] = await this.#world.awaited('commit', this.#world.coordinator().offsets.commit(request))
    const errorCode = told?.partitions[0]?.errorCode ?? 'NONE'
    if (errorCode === 'NONE') this.#world.committed(partitionIndex, offset)
    else this.#isFine(errorCode)
  }

  #claim() {
    const { memberId, generationId } = this
    return { memberId, generationId, groupInstanceId: this.character.groupInstanceId }
  }

  #leads({ leader, skipAssignment }: JoinAnswer): boolean {
    return leader === this.memberId && !skipAssignment
  }

  /** The answer, unless nobody is there any more to hear it. */
  async #heard<T>(what: string, answer: Promise<T>): Promise<T | undefined> {
    const life = this.#life
    const told = await this.#world.awaited(what, answer)
    return this.#life === life ? told : undefined
  }

  /** Does what a client does about an error. */
  #isFine(errorCode: ErrorName): boolean {
    if (errorCode === 'NONE') return true
    expect([...START_ANEW, ...COME_AGAIN, ...GIVE_UP]).toContain(errorCode)
    this.phase = GIVE_UP.includes(errorCode) ? 'dead' : 'away'
    if (START_ANEW.includes(errorCode)) this.memberId = ''
    return false
  }
}

/** A leader's work: all partitions, in turn, to all who are there. The generation is in it, so that none is mixed up. */
function assign({ members, generationId }: JoinAnswer) {
  const sorted = members.toSorted((a, b) => (a.memberId < b.memberId ? -1 : 1))
  return sorted.map(({ memberId }, index) => {
    const mine = Array.from({ length: PARTITIONS }, (_, partition) => partition).filter(
      partition => partition % sorted.length === index
    )
    return { memberId, assignment: Buffer.from([generationId >> 8, generationId & 255, ...mine]) }
  })
}

/** The partitions of an assignment, which must be of that generation. */
export function partitionsOf(assignment: Buffer, generationId: number): readonly number[] {
  expect(assignment.readUInt16BE(0)).toBe(generationId)
  return [...assignment.subarray(2)]
}
