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
  readonly log: PartitionLog
  readonly events: Events
}

export class ProducerSnapshots {
  readonly #options: ProducerSnapshotsOptions
  /** Offset of the newest snapshot. A snapshot at this offset or below is not written again. */
  #newestOffset = 0n

  /**
   * Removes snapshots below the log start offset or above the log end offset. Of the snapshots that are not at the base
   * offset of a segment, only the newest snapshot is kept.
   */
  constructor(options: ProducerSnapshotsOptions) {
    this.#options = options
    const { storage, log } = options
    const bases = new Set(log.segments.map(({ baseOffset }) => baseOffset))
    let newest: bigint | undefined
    for (const offset of this.#offsets()) {
      const fits = offset >= log.logStartOffset && offset <= log.logEndOffset
      if (fits) newest ??= offset
      if (!fits || (offset !== newest && !bases.has(offset))) storage.removeNow(this.#path(offset))
    }
  }

  /** Returns the newest valid snapshot and removes damaged ones that are newer. Throws StorageError. */
  newest(): { offset: bigint; producers: ProducerEntry[] } | undefined {
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
   * Writes the snapshot of a new segment at `offset`. Errors give an event and do not fail the append that rolled the segment,
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
    return segmentPath(this.#options.log.folder, offset, 'snapshot')
  }

  /** Offsets of the snapshot files, newest first. */
  #offsets(): bigint[] {
    const { storage, log } = this.#options
    const files = storage.list(log.folder).flatMap(({ name }) => parseSegmentFile(name) ?? [])
    const snapshots = files.filter(({ suffix, stage }) => suffix === 'snapshot' && stage === '')
    return snapshots.map(({ baseOffset }) => baseOffset).reverse()
  }
}

/** Writes snapshots for a log without producers, because Kafka writes them for `__cluster_metadata` too. */
export function emptyProducerSnapshots(options: ProducerSnapshotsOptions): BatchObserver {
  const snapshots = new ProducerSnapshots(options)
  snapshots.newest()
  return {
    observed: () => undefined,
    firstUnstableOffset: () => undefined,
    arrived: () => {},
    offline: () => {},
    isLastOfProducer: () => false,
    rolled: baseOffset => snapshots.write(baseOffset, []),
    closing: endOffset => snapshots.writeSynced(endOffset, [])
  }
}
