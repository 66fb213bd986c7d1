/** The invariants of a group at any moment, for all members, topics and restarts of the coordinator. */
import { expect } from 'vitest'
import { groupMetadataOf } from '../../../src/group/classic/record.ts'
import type { ConsumerGroup } from '../../../src/group/consumer/group.ts'
import { subscriptionHash } from '../../../src/group/consumer/subscription.ts'
import type { ServedGroup } from '../../../src/group/state.ts'
import type { Clocks } from '../../../src/runtime/time.ts'
import type { MemoryStateLog } from '../../coordinator/memory-state-log.ts'
import { GROUP } from '../group-coordinator-driver.ts'
import { groupShard } from '../group-shard.ts'
import type { ClusterTopics } from './cluster-topics.ts'
import { RandomClassic } from './random-classic.ts'
import { type Client, keysOf } from './random-client.ts'

interface Scene {
  readonly journal: MemoryStateLog
  readonly clock: Clocks
  readonly topics: ClusterTopics
}

interface InLog {
  readonly type: ServedGroup['type'] | undefined
  readonly durable: unknown
}

export class GroupLaws {
  readonly #scene: Scene
  #epochs = { group: 0, assignment: 0 }
  #lastType: ServedGroup['type'] | undefined
  /** Clients whose partitions are not checked. */
  readonly #void = new Set<Client>()
  #readBatches = 0
  #inLog: InLog = { type: undefined, durable: undefined }

  constructor(scene: Scene) {
    this.#scene = scene
  }

  /** Called before a restart. The generation of a classic group is in the log once the group is stable. */
  restart(group: ServedGroup | undefined): void {
    if (group?.type === 'classic') this.#epochs = { group: 0, assignment: 0 }
  }

  /** Checks all invariants. */
  check(group: ServedGroup | undefined, clients: readonly Client[]): void {
    this.#checkReplay(group)
    this.#checkEpochs(group)
    if (!group) return
    this.#checkOwners(group, clients)
    if (group.type === 'consumer') this.#checkCoverage(group)
  }

  /** Checks that a replay of the log restores the group. */
  #checkReplay(group: ServedGroup | undefined): void {
    const { batches } = this.#scene.journal
    if (batches.length > this.#readBatches) this.#inLog = this.#replayed()
    this.#readBatches = batches.length
    const isRecorded = group?.type === 'consumer' || group?.state === 'Stable'
    if (isRecorded) expect(durable(group)).toEqual(this.#inLog.durable)
    else expect(group?.type).toBe(this.#inLog.type)
  }

  #replayed(): InLog {
    const { journal, clock } = this.#scene
    const group = groupShard(journal, clock).state.groups.get(GROUP)
    return { type: group?.type, durable: durable(group) }
  }

  #checkEpochs(group: ServedGroup | undefined): void {
    const isEmpty = group === undefined || group.members.size === 0
    if (isEmpty) this.#epochs = { group: 0, assignment: 0 }
    else if (group.type === 'classic') this.#raise(group.generationId, 0)
    else this.#raise(group.groupEpoch, group.assignmentEpoch)
  }

  #raise(group: number, assignment: number): void {
    expect(group).toBeGreaterThanOrEqual(this.#epochs.group)
    expect(assignment === 0 ? Number.POSITIVE_INFINITY : assignment).toBeGreaterThanOrEqual(this.#epochs.assignment)
    this.#epochs = { group, assignment }
  }

  /** Checks that no two members have the same partition, and that a consumer group knows the partitions of each member. */
  #checkOwners(group: ServedGroup, clients: readonly Client[]): void {
    const { topics } = this.#scene
    const owners = new Map<string, string>()
    this.#distrust(group, clients)
    for (const client of clients.filter(client => !this.#void.has(client))) {
      const { memberId, pending } = client
      for (const key of pending) {
        expect(owners.get(key), `${memberId} and another have ${key}`).toBeUndefined()
        owners.set(key, memberId)
      }
      const member = group.type === 'consumer' ? group.members.get(memberId) : undefined
      if (!member) continue
      const assigned = new Set([...keysOf(member.assigned), ...keysOf(member.pendingRevocation)])
      const unknown = [...pending].filter(key => !assigned.has(key))
      // A group that is upgraded cannot know partitions of deleted topics.
      expect(unknown.filter(key => topics.nameOf(key.slice(0, key.indexOf(' '))))).toEqual([])
    }
  }

  /**
   * A fenced member may consume for a while, as in Kafka. The same holds for classic members with an old generation when the type
   * of the group changed: they rejoin after their next heartbeat.
   */
  #distrust(group: ServedGroup, clients: readonly Client[]): void {
    const hasChanged = group.type !== this.#lastType
    this.#lastType = group.type
    for (const client of clients) {
      const isBehind = client instanceof RandomClassic && hasChanged && !isInStep(client, group)
      if (!group.members.has(client.memberId) || isBehind) this.#void.add(client)
      else if (!(client instanceof RandomClassic) || isInStep(client, group)) this.#void.delete(client)
    }
  }

  #checkCoverage(group: ConsumerGroup): void {
    const { topics } = this.#scene
    const isUpToDate = subscriptionHash({ group, topics }) === group.metadataHash
    const isResolved = [...group.subscribedRegexes.keys()].every(regex => group.regexes.has(regex))
    if (group.state !== 'Stable' || !isUpToDate || !isResolved) return
    const owned = new Set([...group.members.values()].flatMap(({ assigned }) => [...keysOf(assigned)]))
    const topicNames = [...group.members.values()].flatMap(member => [...group.topicsOf(member)])
    for (const name of topicNames) {
      for (let partition = 0; partition < topics.partitionCountOf(name); partition++) {
        expect(owned, `partition ${partition} of ${name}`).toContain(`${topics.idOf(name)} ${partition}`)
      }
    }
  }
}

function isInStep({ isMember, memberId, epoch }: Client, group: ServedGroup): boolean {
  return (
    isMember && epoch === (group.type === 'classic' ? group.generationId : group.members.get(memberId)?.memberEpoch)
  )
}

/** The state of a group that the log must contain. */
function durable(group: ServedGroup | undefined): unknown {
  if (group?.type !== 'consumer') return group && { ...groupMetadataOf(group), currentStateTimestamp: 0n }
  const { groupEpoch, metadataHash, assignmentEpoch, assignmentTimestamp, hasPartitionMetadata, state } = group
  const { members, targets, regexes, subscribedTopics } = group
  // Members of a compacted log may have another order.
  const owners = new Map(
    [...members.values()]
      .flatMap(({ assigned, pendingRevocation }) => [...keysOf(assigned), ...keysOf(pendingRevocation)])
      .map(key => {
        const [topicId = '', partition] = key.split(' ')
        return [key, group.ownerEpoch(topicId, Number(partition))]
      })
  )
  const statics = new Map(
    [...members.values()]
      .map(({ instanceId }) => instanceId ?? '')
      .map(instance => [instance, group.staticMember(instance)?.memberId])
  )
  const lists = { members, targets, regexes, subscribedTopics, owners, statics }
  return { groupEpoch, metadataHash, assignmentEpoch, assignmentTimestamp, hasPartitionMetadata, state, ...lists }
}
