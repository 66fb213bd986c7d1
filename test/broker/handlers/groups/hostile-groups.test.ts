/** Group requests that no client sends: the broker keeps serving, and its stored groups equal the described ones. */
import { expect, it } from 'vitest'
import { CloseConnection } from '../../../../src/net/dispatch.ts'
import { APIS, type ApiName } from '../../../../src/protocol/messages/index.ts'
import { yieldToEventLoop } from '../../../../src/runtime/pace.ts'
import { type Random, seededRandom } from '../../../../src/runtime/random.ts'
import { Harness } from '../../../../src/testing/harness.ts'
import { assignmentOf, subscriptionOf } from '../../../group/embedded.ts'

const GROUPS = ['', 'g', 'h', 'simple']
const REQUESTS = 300
const SEEDS = [1, 2, 3]

/** Sends odd requests, about half of them with an effect. */
class Stranger {
  readonly #broker: Harness
  readonly #random: Random
  readonly #topicIds: string[]
  /** Ids and epochs from earlier responses. */
  readonly #members = ['', 'nobody', 'm1', 'm2', 'm3']
  readonly #epochs = new Map<string, number>()

  constructor(broker: Harness, random: Random, topicIds: string[]) {
    this.#broker = broker
    this.#random = random
    this.#topicIds = topicIds
  }

  #pick<T>(...choices: readonly T[]): T {
    return choices[this.#random.below(choices.length)] as T
  }

  #some<T>(make: () => T, most = 3): T[] {
    return Array.from({ length: this.#random.below(most + 1) }, make)
  }

  #group = () => this.#pick('g', 'g', 'h', ...GROUPS)
  #member = () => this.#pick(...this.#members)
  #instance = () => this.#pick(null, null, null, 'i1', 'i2', '', ' ')
  #topic = () => this.#pick('foo', 'foo', 'bar', 'gone', '', 'a b')
  #topicId = () => this.#pick(...this.#topicIds, 'AAAAAAAAAAAAAAAAAAAAAA', 'AAECAwQFBgcICQoLDA0ODw')
  #partition = () => this.#pick(0, 1, 2, 3, -1, 4, 2_147_483_647, -2_147_483_648)
  #number = () => this.#pick(0, 1, 2, 3, 5, -1, -2, -3, 2_147_483_647, -2_147_483_648)
  #epochOf = (memberId: string) =>
    this.#random.below(4) === 0 ? this.#number() : (this.#epochs.get(memberId) ?? this.#pick(0, 0, 1, 2, -1))
  #owned = () => this.#some(() => ({ topicId: this.#topicId(), partitions: this.#some(this.#partition, 4) }))
  #names = () => this.#pick(null, [], ['foo'], ['foo', 'bar'], ['bar', 'foo', 'foo'], ['gone'], ['', 'a b'])
  #regex = () => this.#pick(null, null, null, '', 'f.*', '(', '.*', '(?=a)')
  #bytes = () =>
    this.#pick(
      Buffer.alloc(0),
      Buffer.from([0]),
      Buffer.from('nonsense'),
      subscriptionOf(['foo']),
      subscriptionOf(['foo', 'bar', 'foo'], { foo: [0, 0, -1, 99], none: [1] }, 'rack'),
      subscriptionOf([]),
      assignmentOf({ foo: [0, 1], bar: [0] }),
      assignmentOf({ foo: [0, 0, -5], none: [7] })
    )

  requests: (() => Promise<unknown>)[] = [
    () => this.#beat(),
    () => this.#beat(),
    () => this.#beat(),
    () => this.#joinConsumer(),
    () => this.#join(),
    () => this.#join(),
    () => this.#sync(),
    () => this.#sendRequest('Heartbeat', { ...this.#claim(), groupInstanceId: this.#instance() }),
    () =>
      this.#sendRequest('LeaveGroup', { groupId: this.#group(), memberId: this.#member(), members: this.#leaving() }),
    () => this.#commit(),
    () => this.#fetch(),
    () => this.#sendRequest('OffsetDelete', { groupId: this.#group(), topics: this.#deleted() }),
    () => this.#sendRequest('DescribeGroups', { groups: this.#some(this.#group), includeAuthorizedOperations: true }),
    () =>
      this.#sendRequest('ConsumerGroupDescribe', {
        groupIds: this.#some(this.#group),
        includeAuthorizedOperations: true
      }),
    () =>
      this.#sendRequest('ListGroups', {
        statesFilter: this.#pick([], ['Stable', ' ']),
        typesFilter: this.#pick([], [''])
      }),
    () => this.#sendRequest('DeleteGroups', { groupsNames: this.#some(this.#group, 1) }),
    async () => this.#broker.clock.advance(this.#pick(1, 1_000, 10_000, 46_000))
  ]

  next(): Promise<unknown> {
    return this.#pick(...this.requests)()
  }

  #claim() {
    const memberId = this.#member()
    return { groupId: this.#group(), memberId, generationId: this.#epochOf(memberId) }
  }

  #leaving = () => this.#some(() => ({ memberId: this.#member(), groupInstanceId: this.#instance(), reason: 'why' }))
  #deleted = () =>
    this.#some(() => ({ name: this.#topic(), partitions: this.#some(() => ({ partitionIndex: this.#partition() })) }))

  async #joinConsumer() {
    const memberId = this.#pick('m1', 'm2', 'm3')
    const subscription = {
      subscribedTopicNames: this.#pick(['foo'], ['foo', 'bar']),
      subscribedTopicRegex: this.#regex()
    }
    const identity = {
      memberId,
      instanceId: this.#pick(null, null, 'i1'),
      memberEpoch: 0,
      rackId: null,
      topicPartitions: []
    }
    await this.#heartbeat({ groupId: this.#pick('g', 'h'), ...identity, ...subscription, rebalanceTimeoutMs: 60_000 })
  }

  async #beat() {
    const memberId = this.#member()
    await this.#heartbeat({
      groupId: this.#group(),
      memberId,
      memberEpoch: this.#epochOf(memberId),
      instanceId: this.#instance(),
      rackId: this.#pick(null, null, '', 'rack'),
      rebalanceTimeoutMs: this.#pick(-1, -1, this.#number()),
      subscribedTopicNames: this.#pick(null, null, this.#names()),
      subscribedTopicRegex: this.#regex(),
      serverAssignor: this.#pick(null, null, 'range', 'uniform', '', 'none'),
      topicPartitions: this.#pick(null, [], this.#owned())
    })
  }

  async #heartbeat(request: object) {
    const answer = (await this.#sendRequest('ConsumerGroupHeartbeat', { serverAssignor: null, ...request })) as
      | { errorCode: string; memberId: string | null; memberEpoch: number }
      | undefined
    if (answer?.errorCode === 'NONE' && answer.memberId !== null) this.#heard(answer.memberId, answer.memberEpoch)
  }

  #heard(memberId: string, epoch: number) {
    if (!this.#members.includes(memberId)) this.#members.push(memberId)
    this.#epochs.set(memberId, epoch)
  }

  async #join() {
    const answer = (await this.#sendRequest('JoinGroup', {
      groupId: this.#group(),
      sessionTimeoutMs: this.#pick(10_000, 10_000, 10_000, this.#number()),
      rebalanceTimeoutMs: this.#pick(10_000, this.#number()),
      memberId: this.#member(),
      groupInstanceId: this.#instance(),
      protocolType: this.#pick('consumer', 'consumer', 'consumer', '', 'connect'),
      protocols: this.#some(() => ({ name: this.#pick('range', 'range', 'sticky', ''), metadata: this.#bytes() })),
      reason: this.#pick(null, 'because')
    })) as { errorCode: string; memberId: string; generationId: number } | undefined
    if (answer && answer.memberId !== '') this.#heard(answer.memberId, answer.generationId)
  }

  #sync() {
    const assignments = this.#some(() => ({ memberId: this.#member(), assignment: this.#bytes() }))
    const protocol = { protocolType: this.#pick(null, 'consumer'), protocolName: this.#pick(null, 'range', 'sticky') }
    return this.#sendRequest('SyncGroup', {
      ...this.#claim(),
      groupInstanceId: this.#instance(),
      ...protocol,
      assignments
    })
  }

  #commit() {
    const { generationId: generationIdOrMemberEpoch, ...claim } = this.#claim()
    const topics = this.#some(() => ({
      name: this.#topic(),
      topicId: this.#topicId(),
      partitions: this.#some(() => ({
        partitionIndex: this.#partition(),
        committedOffset: this.#pick(0n, 5n, -1n, -(2n ** 63n), 2n ** 63n - 1n),
        committedLeaderEpoch: this.#number(),
        committedMetadata: this.#pick(null, '', 'm', 'x'.repeat(5_000))
      }))
    }))
    const retentionTimeMs = this.#pick(-1n, 0n, -2n, 2n ** 63n - 1n)
    const request = { ...claim, generationIdOrMemberEpoch, groupInstanceId: this.#instance(), retentionTimeMs, topics }
    return this.#sendRequest('OffsetCommit', request)
  }

  #fetch() {
    const topics = this.#some(() => ({
      name: this.#topic(),
      topicId: this.#topicId(),
      partitionIndexes: this.#some(this.#partition)
    }))
    const group = () => {
      const memberId = this.#pick(null, this.#member())
      return { groupId: this.#group(), memberId, memberEpoch: this.#number(), topics: this.#pick(null, topics) }
    }
    return this.#sendRequest('OffsetFetch', {
      groupId: this.#group(),
      topics,
      groups: this.#some(group),
      requireStable: true
    })
  }

  /** At any version. A field that the version cannot encode is an error of this client, not of the broker. */
  async #sendRequest(name: ApiName, request: object): Promise<object | undefined> {
    const [oldest, newest] = APIS[name].versions
    const version = oldest + this.#random.below(newest - oldest + 1)
    try {
      return await this.#broker.send(name, request as never, { version })
    } catch (error) {
      if (error instanceof CloseConnection || isUnsayable(error)) return undefined
      throw error
    }
  }
}

function isUnsayable(error: unknown): boolean {
  return error instanceof Error && /null|cannot/.test(error.message) && (error.stack ?? '').includes('encodeRequest')
}

/** The durable state of groups: their types, consumer groups with their members, and offsets. */
async function shown(broker: Harness) {
  const listed = (await broker.request('ListGroups', { statesFilter: [], typesFilter: [] })).groups
  const ofType = (type: string) =>
    listed
      .filter(({ groupType }) => groupType === type)
      .map(({ groupId }) => groupId)
      .sort()
  const { groups } = await broker.request('ConsumerGroupDescribe', { groupIds: ofType('consumer') })
  const described = groups.map(group => ({ ...group, members: group.members.toSorted(byMemberId) }))
  const asked = GROUPS.map(groupId => ({ groupId, memberId: null, memberEpoch: -1, topics: null }))
  const offsets = await broker.request('OffsetFetch', { groups: asked, requireStable: false }, { version: 9 })
  return { consumer: described, classic: ofType('classic'), offsets: offsets.groups.map(group => sorted(group)) }
}

function byMemberId(member: { memberId: string }, other: { memberId: string }) {
  return member.memberId < other.memberId ? -1 : 1
}

function sorted<G extends { topics: readonly { name: string; partitions: readonly { partitionIndex: number }[] }[] }>(
  group: G
) {
  const topics = group.topics.map(topic => {
    return { ...topic, partitions: topic.partitions.toSorted((a, b) => a.partitionIndex - b.partitionIndex) }
  })
  return { ...group, topics: topics.sort((a, b) => (a.name < b.name ? -1 : 1)) }
}

it.each(SEEDS)('odd group requests do no harm, and a restart shows the same groups (%i)', async seed => {
  const random = seededRandom(seed)
  let broker = await Harness.start()
  await broker.request('FindCoordinator', { coordinatorKeys: ['g'] })
  const ids = [await broker.createTopic('foo', 4), await broker.createTopic('bar', 2)]
  const stranger = () => new Stranger(broker, random, ids)
  let current = stranger()
  const sent: Promise<unknown>[] = []
  let bug: unknown
  for (let count = 1; count <= REQUESTS; count++) {
    sent.push(current.next().catch(error => (bug ??= error)))
    for (let turn = 0; turn < 5; turn++) await yieldToEventLoop()
    if (bug !== undefined) throw bug
    if (count % 100 > 0) continue
    await Promise.race([broker.broker.failed, yieldToEventLoop()])
    const before = await shown(broker)
    await broker.stop()
    await Promise.all(sent)
    const { storage, clock } = broker
    broker = await Harness.start({ storage, clock })
    expect(await shown(broker)).toEqual(before)
    current = stranger()
  }
  await broker.stop()
})
