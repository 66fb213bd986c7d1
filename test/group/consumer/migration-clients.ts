/**
 * Clients of both protocols that behave like real ones, each with the partitions of foo that it consumes. A classic client is
 * eager (revokes all partitions before it joins) or cooperative (keeps its partitions and revokes those it is not assigned).
 */
import { expect } from 'vitest'
import type { JoinGroupResult } from '../../../src/group/effects.ts'
import { readSubscription } from '../../../src/protocol/consumer-protocol.ts'
import { assignmentOf, partitionsOf, subscriptionOf } from '../embedded.ts'
import type { GroupCoordinatorDriver } from '../group-coordinator-driver.ts'

const PARTITIONS = [0, 1, 2, 3]
const COME_AGAIN = ['REBALANCE_IN_PROGRESS', 'NOT_COORDINATOR', 'MEMBER_ID_REQUIRED']
const START_ANEW = ['UNKNOWN_MEMBER_ID', 'ILLEGAL_GENERATION']

export interface Client {
  readonly kind: 'classic' | 'consumer'
  readonly owned: ReadonlySet<number>
  /** True if the group knows the partitions that the client consumes. */
  readonly isSettled: boolean
  /** Sends the next request, unless the client waits for a response. */
  act(): Promise<void>
  leave(): Promise<void>
}

export class ClassicClient implements Client {
  readonly kind = 'classic'
  owned = new Set<number>()
  readonly #driver: GroupCoordinatorDriver
  readonly #isEager: boolean
  #memberId = ''
  #generationId = -1
  #phase: 'out' | 'waiting' | 'joined' | 'member' = 'out'
  #joined: JoinGroupResult | undefined

  constructor(driver: GroupCoordinatorDriver, isEager: boolean) {
    this.#driver = driver
    this.#isEager = isEager
  }

  get isSettled(): boolean {
    return this.#phase === 'member' || (this.#phase === 'out' && this.owned.size === 0)
  }

  async act(): Promise<void> {
    const phase = this.#phase
    if (phase === 'waiting') return
    this.#phase = 'waiting'
    if (phase === 'out') await this.#join()
    else if (phase === 'joined') await this.#sync()
    else this.#phase = this.#isFine(await this.#driver.beat(this.#memberId, this.#generationId)) ? 'member' : 'out'
  }

  async leave(): Promise<void> {
    if (this.#memberId !== '') await this.#driver.leave(this.#memberId)
  }

  async #join(): Promise<void> {
    if (this.#isEager) this.owned = new Set()
    const metadata = subscriptionOf(['foo'], { foo: [...this.owned] })
    const joining = this.#driver.join({ memberId: this.#memberId, protocols: [{ name: 'range', metadata }] })
    const answer = await joining
    if (answer.memberId !== '') this.#memberId = answer.memberId
    this.#generationId = answer.generationId
    this.#joined = answer
    this.#phase = this.#isFine(answer.errorCode) ? 'joined' : 'out'
  }

  async #sync(): Promise<void> {
    const isLeader = this.#joined?.leader === this.#memberId
    const assignments = isLeader && this.#joined ? assign(this.#joined) : []
    const { errorCode, assignment } = await this.#driver.sync(this.#memberId, this.#generationId, { assignments })
    if (!this.#isFine(errorCode)) {
      this.#phase = 'out'
      return
    }
    const before = this.owned
    this.owned = new Set(partitionsOf(assignment)?.foo)
    // A client that revoked partitions joins again, so that another member can get them.
    this.#phase = [...before].every(partition => this.owned.has(partition)) ? 'member' : 'out'
  }

  #isFine(errorCode: string): boolean {
    if (errorCode === 'NONE') return true
    expect([...COME_AGAIN, ...START_ANEW]).toContain(errorCode)
    if (START_ANEW.includes(errorCode)) this.owned = new Set()
    if (errorCode === 'UNKNOWN_MEMBER_ID') this.#memberId = ''
    return false
  }
}

/** The leader's assignment: no member gets a partition that another member still owns. */
function assign({ members }: JoinGroupResult) {
  const quota = Math.ceil(PARTITIONS.length / members.length)
  const claims = members.map(({ metadata }) => readSubscription(metadata)?.ownedPartitions[0]?.partitions ?? [])
  const shares = claims.map(claim => claim.slice(0, quota))
  for (const partition of PARTITIONS.filter(each => !claims.flat().includes(each))) {
    shares.toSorted((share, other) => share.length - other.length)[0]?.push(partition)
  }
  return members.map(({ memberId }, index) => ({ memberId, assignment: assignmentOf({ foo: shares[index] ?? [] }) }))
}

export class ConsumerClient implements Client {
  readonly kind = 'consumer'
  owned = new Set<number>()
  readonly #driver: GroupCoordinatorDriver
  readonly #memberId: string
  #epoch = 0
  #isWaiting = false

  constructor(driver: GroupCoordinatorDriver, memberId: string) {
    this.#driver = driver
    this.#memberId = memberId
  }

  get isSettled(): boolean {
    return true
  }

  async act(): Promise<void> {
    if (this.#isWaiting) return
    this.#isWaiting = true
    const partitions = [...this.owned]
    const topicPartitions = partitions.length > 0 ? [{ topicId: this.#driver.foo, partitions }] : []
    const answer = await this.#driver.heartbeat(this.#memberId, this.#epoch, { topicPartitions })
    this.#isWaiting = false
    if ('memberEpoch' in answer) {
      this.#epoch = answer.memberEpoch
      if (answer.assignment) this.owned = new Set(answer.assignment.get(this.#driver.foo)?.keys())
    } else {
      expect(['UNKNOWN_MEMBER_ID', 'FENCED_MEMBER_EPOCH', 'GROUP_ID_NOT_FOUND']).toContain(answer.errorCode)
      this.#epoch = 0
      this.owned = new Set()
    }
  }

  async leave(): Promise<void> {
    await this.#driver.heartbeat(this.#memberId, -1)
  }
}
