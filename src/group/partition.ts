/**
 * One partition of `__consumer_offsets`: its groups and offsets, and their journal. A change is first appended to the journal,
 * then applied in memory; if the append fails, nothing changes.
 */

import { batchesOf } from '../coordinator/batches.ts'
import type { JournalProducer, StateJournal } from '../coordinator/journal.ts'
import { KafkaError } from '../protocol/errors.ts'
import type { TxnResult } from '../protocol/records/control.ts'
import { MalformedFrame } from '../protocol/wire/bytes.ts'
import type { Logger } from '../runtime/logger.ts'
import type { Steps } from '../runtime/pace.ts'
import { type ClassicGroup, emptyGroup, isSimple } from './classic/group.ts'
import { restoreGroup } from './classic/record.ts'
import { ConsumerGroup } from './consumer/group.ts'
import type { ConsumerGroupRecord } from './consumer/records.ts'
import type { CoordinatorResult } from './coordinator-result.ts'
import type { Group } from './group.ts'
import { Offsets } from './offsets/offsets.ts'
import { decodeRecord, encodeRecord, type GroupRecord, groupIdOf, type SkippedRecord } from './records.ts'

export class GroupPartition {
  readonly journal: StateJournal
  readonly #groups = new Map<string, Group>()
  readonly #offsets = new Offsets()

  private constructor(journal: StateJournal) {
    this.journal = journal
  }

  /** Loads a partition. Throws MalformedFrame for an unreadable record: the states of the partition's groups are then unknown. */
  static *load(journal: StateJournal, wallMs: number, logger: Logger): Steps<GroupPartition> {
    const partition = new GroupPartition(journal)
    const skipped = new Map<number, SkippedRecord>()
    yield* journal.replay({
      record: (keyValue, producerId) => {
        const record = decodeRecord(keyValue)
        if (record.type === 'Skipped') skipped.set(record.typeId, record)
        else partition.#apply(record, wallMs, producerId)
      },
      ended: (producerId, result) => partition.endTransaction(producerId, result, wallMs)
    })
    for (const { typeId, name } of skipped.values()) {
      logger.warn({ typeId }, `records of __consumer_offsets are skipped: ${name ?? 'an unknown type'}`)
    }
    return partition
  }

  get groups(): ReadonlyMap<string, Group> {
    return this.#groups
  }

  get offsets(): Pick<Offsets, 'of' | 'pending'> {
    return this.#offsets
  }

  /** Appends records as one batch, then applies them. Offsets of a transaction are applied when it commits. */
  write(records: readonly GroupRecord[], wallMs: number, producer?: JournalProducer): void {
    if (records.length === 0) return
    this.#append(records, producer)
    for (const record of records) this.#apply(record, wallMs, producer?.producerId)
  }

  /**
   * Applies a transaction marker of the journal: offsets of the producer's transaction become committed offsets, or are dropped.
   */
  endTransaction(producerId: bigint, result: TxnResult, wallMs: number): void {
    for (const { key } of this.#offsets.endTransaction(producerId, result)) this.#makeGroup(key.group, wallMs)
  }

  /** As `write`, in several batches if necessary, for records that need not be atomic. */
  writeInParts(records: readonly GroupRecord[], wallMs: number): void {
    for (const batch of batchesOf(records, this.journal.maxBatchBytes(), encodeRecord)) {
      this.journal.append(batch.encoded)
      for (const record of batch.items) this.#apply(record, wallMs)
    }
  }

  /** Appends the records of an operation, then replaces the group by its new state. */
  conclude({ group, records }: Pick<CoordinatorResult, 'group' | 'records'>): void {
    if (records.length > 0) this.#append(records)
    this.#groups.set(group.groupId, group)
  }

  #append(records: readonly GroupRecord[], producer?: JournalProducer): void {
    const maxBytes = this.journal.maxBatchBytes()
    const [batch] = batchesOf(records, maxBytes, encodeRecord)
    if (!batch || batch.items.length < records.length || batch.bytes > maxBytes) {
      throw new KafkaError('RECORD_LIST_TOO_LARGE', `${records.length} records of a group are above ${maxBytes} bytes`)
    }
    this.journal.append(batch.encoded, producer)
  }

  #apply(record: GroupRecord, wallMs: number, producerId?: bigint): void {
    const groupId = groupIdOf(record)
    if (record.type === 'OffsetCommit') {
      if (producerId === undefined) this.#offsets.apply(record)
      else this.#offsets.holdBack(record, producerId)
      if (record.value) this.#makeGroup(groupId, wallMs)
    } else if (record.type === 'GroupMetadata') {
      if (record.value) this.#groups.set(groupId, restoreGroup(groupId, record.value))
      else this.#groups.delete(groupId)
    } else {
      this.#applyToConsumerGroup(record)
    }
  }

  #applyToConsumerGroup(record: ConsumerGroupRecord): void {
    const { groupId } = record.key
    const existing = this.#groups.get(groupId)
    if (!existing && !record.value) return
    const group = existing?.type === 'consumer' ? existing : this.#newConsumerGroup(groupId, existing)
    group.apply(record)
    if (record.type === 'ConsumerGroupMetadata' && !record.value) this.#groups.delete(groupId)
  }

  /** Offset records may precede the records of their group. They create a simple group, which the consumer group replaces. */
  #newConsumerGroup(groupId: string, existing: ClassicGroup | undefined): ConsumerGroup {
    if (existing && !isSimple(existing)) throw new MalformedFrame(`group ${groupId} has records of two kinds of groups`)
    const group = new ConsumerGroup(groupId)
    this.#groups.set(groupId, group)
    return group
  }

  /** A client that only commits offsets creates a "simple" group: empty, without a protocol type. */
  #makeGroup(group: string, wallMs: number): void {
    if (!this.#groups.has(group)) this.#groups.set(group, emptyGroup(group, wallMs))
  }
}
