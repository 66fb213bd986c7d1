/**
 * Which partitions have an owner: by topic and partition the epoch of the member that has it. The inner maps are shared
 * among copies, and never changed.
 */
import type { ConsumerMember, EpochAssignment } from './member.ts'

export class PartitionOwners {
  readonly #byTopic: Map<string, ReadonlyMap<number, number>>

  constructor(byTopic: ReadonlyMap<string, ReadonlyMap<number, number>> = new Map()) {
    this.#byTopic = new Map(byTopic)
  }

  copy(): PartitionOwners {
    return new PartitionOwners(this.#byTopic)
  }

  /** The epoch of the member that owns a partition; undefined while nobody does. */
  epochOf(topicId: string, partition: number): number | undefined {
    return this.#byTopic.get(topicId)?.get(partition)
  }

  /** A member owns what it has, and what it still must give up. False when somebody else owns some of that. */
  own(member: ConsumerMember): boolean {
    return this.#own(member.assigned, member.memberEpoch) && this.#own(member.pendingRevocation, member.memberEpoch)
  }

  /** An owner that took a partition over in a later epoch keeps it. */
  release({ assigned, pendingRevocation, memberEpoch }: ConsumerMember): void {
    this.#release(assigned, memberEpoch)
    this.#release(pendingRevocation, memberEpoch)
  }

  #own(assignment: EpochAssignment, memberEpoch: number): boolean {
    for (const [topicId, partitions] of assignment) {
      const epochs = new Map(this.#byTopic.get(topicId))
      for (const partition of partitions.keys()) {
        if ((epochs.get(partition) ?? Number.NEGATIVE_INFINITY) >= memberEpoch) return false
        epochs.set(partition, memberEpoch)
      }
      this.#byTopic.set(topicId, epochs)
    }
    return true
  }

  #release(assignment: EpochAssignment, memberEpoch: number): void {
    for (const [topicId, partitions] of assignment) {
      const epochs = new Map(this.#byTopic.get(topicId))
      for (const partition of partitions.keys()) if (epochs.get(partition) === memberEpoch) epochs.delete(partition)
      if (epochs.size > 0) this.#byTopic.set(topicId, epochs)
      else this.#byTopic.delete(topicId)
    }
  }
}
