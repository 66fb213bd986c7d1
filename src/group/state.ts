/** The state of one partition of `__consumer_offsets`: its groups and offsets. */
import type { ShardState } from '../coordinator/shard.ts'
import type { Timers } from '../coordinator/timers.ts'
import type { TxnResult } from '../protocol/records/control.ts'
import { MalformedFrame } from '../protocol/wire/bytes.ts'
import { ClassicGroup, isSimple } from './classic/group.ts'
import { restoreGroup } from './classic/record.ts'
import { ConsumerGroup } from './consumer/group.ts'
import type { ConsumerGroupRecord } from './consumer/records.ts'
import type { GroupTimer } from './effects.ts'
import { Offsets } from './offsets/offsets.ts'
import { type GroupRecord, groupIdOf } from './records.ts'

/** A group of a served kind. */
export type ServedGroup = ClassicGroup | ConsumerGroup

export class GroupState implements ShardState<GroupRecord> {
  readonly #timers: Pick<Timers<GroupTimer>, 'cancelAll'>
  readonly #groups = new Map<string, ServedGroup>()
  readonly #offsets = new Offsets()

  /** `timers` are the timers of the shard: those of a deleted group are cancelled. */
  constructor(timers: Pick<Timers<GroupTimer>, 'cancelAll'>) {
    this.#timers = timers
  }

  get groups(): ReadonlyMap<string, ServedGroup> {
    return this.#groups
  }

  get offsets(): Pick<Offsets, 'of' | 'pending'> {
    return this.#offsets
  }

  /** Replaces a group by its state after an operation. */
  put(group: ServedGroup): void {
    this.#groups.set(group.groupId, group)
  }

  /** Applies a record. Offsets of a transaction are applied when it commits. */
  apply(record: GroupRecord, wallMs: number, producerId?: bigint): void {
    if (record.type === 'OffsetCommit') {
      if (producerId === undefined) this.#offsets.apply(record)
      else this.#offsets.addPending(record, producerId)
      if (record.value) this.#createSimpleGroup(record.key.group, wallMs)
    } else if (record.type === 'GroupMetadata') {
      const groupId = groupIdOf(record)
      if (record.value) this.#groups.set(groupId, restoreGroup(groupId, record.value))
      else this.#delete(groupId)
    } else {
      this.#applyToConsumerGroup(record)
    }
  }

  /** The offsets of the producer's transaction become committed offsets, or are dropped. */
  endTransaction(producerId: bigint, result: TxnResult, wallMs: number): void {
    for (const { key } of this.#offsets.endTransaction(producerId, result)) this.#createSimpleGroup(key.group, wallMs)
  }

  #applyToConsumerGroup(record: ConsumerGroupRecord): void {
    const { groupId } = record.key
    const existing = this.#groups.get(groupId)
    if (!existing && !record.value) return
    const group = existing instanceof ConsumerGroup ? existing : this.#newConsumerGroup(groupId, existing)
    group.apply(record)
    if (record.type === 'ConsumerGroupMetadata' && !record.value) this.#delete(groupId)
  }

  /** Offset records may precede the records of their group. They create a simple group, which the consumer group replaces. */
  #newConsumerGroup(groupId: string, existing: ClassicGroup | undefined): ConsumerGroup {
    if (existing && !isSimple(existing)) throw new MalformedFrame(`group ${groupId} has records of two group types`)
    const group = new ConsumerGroup(groupId)
    this.#groups.set(groupId, group)
    return group
  }

  /** A client that only commits offsets creates a "simple" group: empty, without a protocol type. */
  #createSimpleGroup(groupId: string, wallMs: number): void {
    if (!this.#groups.has(groupId)) this.put(new ClassicGroup(groupId, { stateTimestamp: wallMs }))
  }

  #delete(groupId: string): void {
    this.#groups.delete(groupId)
    this.#timers.cancelAll(groupId)
  }
}
