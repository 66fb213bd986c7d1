/**
 * The producer snapshots in a partition's folder: one at the base offset of each segment except the first, and one at the
 * end of a cleanly closed log. Recovery reads the log only after the newest snapshot.
 */

import type { Events } from '../events/event.ts'
import type { BatchObserver } from '../log/partition-log/batch-observer.ts'
import type { PartitionLog } from '../log/partition-log/partition-log.ts'
import { parseSegmentFile, segmentPath } from '../log/segment/segment-names.ts'
import { replaceFile, replaceFileSynced, type Storage } from '../storage/storage.ts'
import { CorruptSnapshot, decodeSnapshot, encodeSnapshot, type ProducerEntry } from './producer-snapshot.ts'

export interface ProducerSnapshotsOptions {
  readonly storage: Storage
  /** The folder of the partition. */
  readonly folder: string
  readonly events: Events
}

/** The log in the folder. */
type SnapshottedLog = Pick<PartitionLog, 'segments' | 'logStartOffset' | 'logEndOffset'>

export class ProducerSnapshots {
  readonly #options: ProducerSnapshotsOptions
  /** Offset of the newest snapshot. A snapshot at this offset or below is not written again. */
  #newestOffset = 0n

  constructor(options: ProducerSnapshotsOptions) {
    this.#options = options
  }

  /** The newest valid snapshot. Removes snapshots that do not fit the log, and newer damaged ones. Throws StorageError. */
  newest(log: SnapshottedLog): { offset: bigint; producers: ProducerEntry[] } | undefined {
    this.#removeUnfit(log)
    return this.#newestValid()
  }

  /**
   * Removes snapshots below the log start offset or above the log end offset. Of the snapshots that are not at the base
   * offset of a segment, only the newest snapshot is kept.
   */
  #removeUnfit(log: SnapshottedLog): void {
    const { storage } = this.#options
    const bases = new Set(log.segments.map(({ baseOffset }) => baseOffset))
    let newest: bigint | undefined
    for (const offset of this.#offsets()) {
      const fits = offset >= log.logStartOffset && offset <= log.logEndOffset
      if (fits) newest ??= offset
      if (!fits || (offset !== newest && !bases.has(offset))) storage.removeNow(this.#path(offset))
    }
  }

  #newestValid(): { offset: bigint; producers: ProducerEntry[] } | undefined {
    const { storage, events } = this.#options
    for (const offset of this.#offsets()) {
      const path = this.#path(offset)
      try {
        const producers = decodeSnapshot(storage.read(path, 0, storage.size(path)))
        this.#newestOffset = offset
        return { offset, producers }
      } catch (error) {
        if (!(error instanceof CorruptSnapshot)) throw error
        events.emit({ type: 'ProducerSnapshotDamaged', path, error })
        storage.removeNow(path)
      }
    }
    return undefined
  }

  /**
   * Writes the snapshot of a new segment at `offset`. An error emits an event and does not fail the append that rolled the segment,
   * because the producer state can be replayed from the log.
   */
  write(offset: bigint, producers: readonly ProducerEntry[]): void {
    if (offset <= this.#newestOffset) return
    const { storage, events } = this.#options
    try {
      replaceFile(storage, this.#path(offset), encodeSnapshot(producers))
      this.#newestOffset = offset
    } catch (error) {
      events.emit({ type: 'ProducerSnapshotWriteFailed', path: this.#path(offset), error })
    }
  }

  /**
   * Writes and syncs the snapshot at the log end `offset` before a clean shutdown. If this rejects, the shutdown must not count
   * as clean: Kafka takes a clean log without a snapshot for a log without producers.
   */
  async writeSynced(offset: bigint, producers: readonly ProducerEntry[]): Promise<void> {
    if (offset <= this.#newestOffset) return
    await replaceFileSynced(this.#options.storage, this.#path(offset), encodeSnapshot(producers))
    this.#newestOffset = offset
  }

  #path(offset: bigint): string {
    return segmentPath(this.#options.folder, offset, 'snapshot')
  }

  /** Offsets of the snapshot files, newest first. */
  #offsets(): bigint[] {
    const { storage, folder } = this.#options
    const files = storage.list(folder).flatMap(({ name }) => parseSegmentFile(name) ?? [])
    const snapshots = files.filter(({ suffix, stage }) => suffix === 'snapshot' && stage === '')
    return snapshots.map(({ baseOffset }) => baseOffset).reverse()
  }
}

/** Writes snapshots for a log without producers, because Kafka writes them for `__cluster_metadata` too. */
export class EmptyProducerSnapshots implements BatchObserver {
  readonly #snapshots: ProducerSnapshots

  constructor(options: ProducerSnapshotsOptions) {
    this.#snapshots = new ProducerSnapshots(options)
  }

  /** Removes the snapshots that do not fit the log. Called once, before the first append. */
  load(log: SnapshottedLog): void {
    this.#snapshots.newest(log)
  }

  observed(): undefined {
    return undefined
  }

  firstUnstableOffset(): undefined {
    return undefined
  }

  flushed(): void {}

  offline(): void {}

  isLastOfProducer(): boolean {
    return false
  }

  rolled(baseOffset: bigint): void {
    this.#snapshots.write(baseOffset, [])
  }

  async closing(endOffset: bigint): Promise<void> {
    await this.#snapshots.writeSynced(endOffset, [])
  }
}
