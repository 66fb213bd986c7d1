import { expect, it } from 'vitest'
import { ConsumerGroup } from '../../../src/group/consumer/group.ts'
import {
  type ConsumerMember,
  currentAssignmentOf,
  memberMetadataOf,
  newMember
} from '../../../src/group/consumer/member.ts'
import type { Assignment } from '../../../src/group/modern/assignors/assignor.ts'
import type { EpochAssignment } from '../../../src/group/modern/member.ts'
import type { TopicPartitions } from '../../../src/group/modern/reconcile.ts'
import { reconcile } from '../../../src/group/modern/reconcile.ts'
import { type Random, seededRandom } from '../../../src/runtime/random.ts'

const TOPICS = ['AAAAAAAAAAAAAAAAAAAAAQ', 'AAAAAAAAAAAAAAAAAAAAAg']
const PARTITIONS = 4
const MEMBERS = ['a', 'b', 'c', 'd']

const all = TOPICS.flatMap(topicId => Array.from({ length: PARTITIONS }, (_, partition) => `${topicId} ${partition}`))

function byTopic(names: Iterable<string>): Map<string, Set<number>> {
  const topics = new Map<string, Set<number>>()
  for (const name of names) {
    const [topicId = '', partition = ''] = name.split(' ')
    topics.set(topicId, (topics.get(topicId) ?? new Set()).add(Number(partition)))
  }
  return topics
}

function named(assignment: ReadonlyMap<string, Iterable<number>>): Set<string> {
  return new Set([...assignment].flatMap(([topicId, partitions]) => [...partitions].map(p => `${topicId} ${p}`)))
}

const names = (assignment: EpochAssignment) =>
  named(new Map([...assignment].map(([topicId, epochs]) => [topicId, epochs.keys()])))

/** The partitions that no other member may have. */
const pending = ({ assigned, pendingRevocation }: ConsumerMember) =>
  new Set([...names(assigned), ...names(pendingRevocation)])

/** A client whose consumed partitions follow its assignment with a delay. */
class Client {
  readonly memberId: string
  topics: ReadonlySet<string> = new Set(TOPICS)
  owned = new Set<string>()
  assigned = new Set<string>()
  hasChanged = false

  constructor(memberId: string) {
    this.memberId = memberId
  }

  catchUp(): void {
    this.owned = new Set(this.assigned)
  }

  report(): TopicPartitions {
    return [...byTopic(this.owned)].map(([topicId, partitions]) => ({ topicId, partitions: [...partitions] }))
  }
}

class Model {
  readonly group = new ConsumerGroup('g')
  readonly clients = MEMBERS.map(memberId => new Client(memberId))
  readonly #random: Random
  targets = new Map<string, Assignment>()
  epoch = 0

  constructor(random: Random) {
    this.#random = random
    for (const memberId of MEMBERS) {
      const key = { groupId: 'g', memberId }
      this.group.apply({ type: 'ConsumerGroupMemberMetadata', key, value: memberMetadataOf(newMember(memberId)) })
    }
  }

  chance(outOf: number): boolean {
    return this.#random.below(outOf) === 0
  }

  anyClient(): Client {
    const client = this.clients[this.#random.below(this.clients.length)]
    if (!client) throw new Error('no client')
    return client
  }

  /** Assigns each partition to a random member or to none. */
  newTargets(): void {
    this.epoch++
    const shares = new Map(MEMBERS.map(memberId => [memberId, new Set<string>()]))
    for (const name of all) shares.get(MEMBERS[this.#random.below(MEMBERS.length + 1)] ?? '')?.add(name)
    this.targets = new Map([...shares].map(([memberId, names]) => [memberId, byTopic(names)]))
  }

  subscribe(client: Client): void {
    client.topics = new Set(TOPICS.filter(() => !this.chance(3)))
    client.hasChanged = true
  }

  heartbeat(client: Client, owned: TopicPartitions | null): void {
    const member = this.group.members.get(client.memberId) ?? newMember(client.memberId)
    const next = reconcile(member, {
      targetEpoch: this.epoch,
      target: this.targets.get(client.memberId) ?? new Map(),
      subscribedTopicIds: client.topics,
      hasSubscriptionChanged: client.hasChanged,
      owned,
      ownerEpoch: (topicId, partition) => this.group.ownerEpoch(topicId, partition)
    })
    client.hasChanged = false
    if (next === member) return
    const gone = [...pending(member)].filter(name => !pending(next).has(name))
    if (gone.length > 0) expect(owned, 'nothing goes without a word').not.toBeNull()
    for (const name of gone) expect(client.owned, 'nothing goes that is still in use').not.toContain(name)
    expect(next.memberEpoch).toBeGreaterThanOrEqual(member.memberEpoch)
    const key = { groupId: 'g', memberId: client.memberId }
    // Throws if another member owns an assigned partition.
    this.group.apply({ type: 'ConsumerGroupCurrentMemberAssignment', key, value: currentAssignmentOf(next) })
    client.assigned = names(next.assigned)
  }

  expectNothingShared(): void {
    const owned = this.clients.flatMap(client => [...client.owned])
    expect(owned.length).toBe(new Set(owned).size)
  }

  step(): void {
    const client = this.anyClient()
    if (this.chance(12)) this.newTargets()
    else if (this.chance(15)) this.subscribe(client)
    else if (this.chance(3)) client.catchUp()
    else this.heartbeat(client, this.chance(3) ? null : client.report())
    this.expectNothingShared()
  }
}

it.each(Array.from({ length: 60 }, (_, seed) => seed))(
  'members never share a partition and always reach their targets (seed %i)',
  seed => {
    const model = new Model(seededRandom(seed))
    for (let step = 0; step < 250; step++) model.step()
    model.newTargets()
    for (let round = 0; round < 2 * MEMBERS.length + 2; round++) {
      for (const client of model.clients) {
        model.heartbeat(client, client.report())
        client.catchUp()
        model.expectNothingShared()
      }
    }
    for (const client of model.clients) {
      const member = model.group.members.get(client.memberId)
      expect(member).toMatchObject({ memberEpoch: model.epoch, state: 'Stable', pendingRevocation: new Map() })
      const target = named(model.targets.get(client.memberId) ?? new Map())
      const subscribed = [...target].filter(name => client.topics.has(name.split(' ')[0] ?? ''))
      expect(client.assigned).toEqual(new Set(subscribed))
    }
  }
)
