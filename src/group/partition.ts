/**
 * One partition of __consumer_offsets: the groups and offsets it holds, and the journal that they came from and go to.
 * Memory follows the journal: what cannot be written does not happen.
 */
import { KafkaError } from '../protocol/errors.ts'
import type { Logger } from '../runtime/logger.ts'
import type { Steps } from '../runtime/steps.ts'
import { type ClassicGroup, emptyGroup } from './classic/group.ts'
import { restoreGroup } from './classic/record.ts'
import type { Turn } from './classic/turn.ts'
import { Offsets } from './offsets.ts'
import { decodeRecord, encodeRecord, type GroupRecord, type KeyValue, type SkippedRecord } from './records.ts'

/** The log of one partition, as far as groups need it. */
export interface GroupJournal {
  /** Writes all of the records, or throws (a KafkaError where the log says why) and has written none. */
  append(records: readonly KeyValue[]): void
  /** How many bytes one call of append may bring (max.message.bytes of the topic). */
  maxBatchBytes(): number
  /** Hands over every record from the first to the last, in steps. Buffers are the journal's own. */
  replay(each: (record: KeyValue) => void): Steps
  /** Resolves once answers may rest on all that was appended; undefined when they may now. */
  settled(): Promise<void> | undefined
}

export class GroupPartition {
  readonly journal: GroupJournal
  readonly #groups = new Map<string, ClassicGroup>()
  readonly #offsets = new Offsets()

  private constructor(journal: GroupJournal) {
    this.journal = journal
  }

  /** Loads a partition. Throws MalformedFrame when a record cannot be understood: nothing can be said of its groups then. */
  static *load(journal: GroupJournal, now: number, logger: Logger): Steps<GroupPartition> {
    const partition = new GroupPartition(journal)
    const skipped = new Map<number, SkippedRecord>()
    yield* journal.replay(keyValue => {
      const record = decodeRecord(keyValue)
      if (record.type === 'Skipped') skipped.set(record.typeId, record)
      else partition.#apply(record, now)
    })
    for (const { typeId, name } of skipped.values()) {
      logger.warn({ typeId }, `records of __consumer_offsets are skipped: ${name ?? 'an unknown type'}`)
    }
    return partition
  }

  get groups(): ReadonlyMap<string, ClassicGroup> {
    return this.#groups
  }

  get offsets(): Pick<Offsets, 'of'> {
    return this.#offsets
  }

  /** Writes records as one batch, then lets them take effect. */
  write(records: readonly GroupRecord[], now: number): void {
    if (records.length === 0) return
    this.#append(records)
    for (const record of records) this.#apply(record, now)
  }

  /** As `write`, in as many batches as it takes: for records that need not come together. */
  writeInParts(records: readonly GroupRecord[], now: number): void {
    for (const batch of batchesOf(records, this.journal.maxBatchBytes())) {
      this.journal.append(batch.encoded)
      for (const record of batch.records) this.#apply(record, now)
    }
  }

  /** Writes what a turn wants written, then puts its group in the place of the old one. */
  conclude({ group, record }: Turn): void {
    const key = { group: group.groupId }
    if (record) this.#append([{ type: 'GroupMetadata', key, value: record }])
    this.#groups.set(group.groupId, group)
  }

  #append(records: readonly GroupRecord[]): void {
    const maxBytes = this.journal.maxBatchBytes()
    const [batch] = batchesOf(records, maxBytes)
    if (!batch || batch.records.length < records.length || batch.bytes > maxBytes) {
      throw new KafkaError('RECORD_LIST_TOO_LARGE', `${records.length} records of a group are above ${maxBytes} bytes`)
    }
    this.journal.append(batch.encoded)
  }

  #apply(record: GroupRecord, now: number): void {
    const { group } = record.key
    if (record.type === 'OffsetCommit') {
      this.#offsets.apply(record)
      // A client that only commits makes a "simple" group: empty, without a protocol type.
      if (record.value && !this.#groups.has(group)) this.#groups.set(group, emptyGroup(group, now))
    } else if (record.value) {
      this.#groups.set(group, restoreGroup(group, record.value, now))
    } else {
      this.#groups.delete(group)
    }
  }
}

interface Batch {
  readonly records: GroupRecord[]
  readonly encoded: KeyValue[]
  /** Of keys and values; what a batch adds to each is little beside them. */
  bytes: number
}

/** Encodes one batch after another, each when it is asked for: a record has a few bytes of a request, and its group's whole id. */
function* batchesOf(records: readonly GroupRecord[], maxBytes: number): Iterable<Batch> {
  let batch: Batch = { records: [], encoded: [], bytes: 0 }
  for (const record of records) {
    const encoded = encodeRecord(record)
    const bytes = encoded.key.length + (encoded.value?.length ?? 0)
    if (batch.bytes > 0 && batch.bytes + bytes > maxBytes) {
      yield batch
      batch = { records: [], encoded: [], bytes: 0 }
    }
    batch.records.push(record)
    batch.encoded.push(encoded)
    batch.bytes += bytes
  }
  if (batch.bytes > 0) yield batch
}
