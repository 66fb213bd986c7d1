/**
 * The snapshots of producers in a partition's folder: one at the beginning of every segment but the first, so that
 * recovery need not read what lies before, and one at the end of a log that was closed.
 */

import type { BatchObserver } from '../log/partition-log/batch-observer.ts'
import type { PartitionLog } from '../log/partition-log/partition-log.ts'
import { parseSegmentFile, segmentPath } from '../log/segment/segment-names.ts'
import type { Logger } from '../runtime/logger.ts'
import { replaceFile, replaceFileSynced, type Storage } from '../storage/storage.ts'
import { CorruptSnapshot, decodeSnapshot, encodeSnapshot, type ProducerEntry } from './producer-snapshot.ts'

export interface ProducerSnapshotsOptions {
  readonly storage: Storage
  readonly log: PartitionLog
  readonly logger: Logger
}

export class ProducerSnapshots {
  readonly #options: ProducerSnapshotsOptions
  /** Of the newest one; there is none to write before the log has grown beyond. */
  #newestOffset = 0n

  /** Removes those that the log does not reach or has left behind, and all but the newest that no segment begins at. */
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

  /** The newest good one, after the removal of what is damaged. Throws StorageError. */
  newest(): { offset: bigint; producers: ProducerEntry[] } | undefined {
    const { storage, logger } = this.#options
    for (const offset of this.#offsets()) {
      const path = this.#path(offset)
      try {
        const producers = decodeSnapshot(storage.read(path, 0, storage.size(path)))
        this.#newestOffset = offset
        return { offset, producers }
      } catch (error) {
        if (!(error instanceof CorruptSnapshot)) throw error
        logger.warn({ path, err: error }, 'a snapshot of producers is damaged: more of the log is read instead')
        storage.removeNow(path)
      }
    }
    return undefined
  }

  /** A segment begins at `offset`. The append that rolled goes on whatever happens here: the log says it all again. */
  write(offset: bigint, producers: readonly ProducerEntry[]): void {
    if (offset <= this.#newestOffset) return
    const { storage, logger } = this.#options
    try {
      replaceFile(storage, this.#path(offset), encodeSnapshot(producers))
      this.#newestOffset = offset
    } catch (error) {
      logger.warn({ path: this.#path(offset), err: error }, 'a snapshot of producers could not be written')
    }
  }

  /**
   * The log ends at `offset`. If this rejects the stop is not clean: Kafka would take a clean log without a snapshot for
   * one without producers.
   */
  async writeSynced(offset: bigint, producers: readonly ProducerEntry[]): Promise<void> {
    if (offset <= this.#newestOffset) return
    await replaceFileSynced(this.#options.storage, this.#path(offset), encodeSnapshot(producers))
    this.#newestOffset = offset
  }

  #path(offset: bigint): string {
    return segmentPath(this.#options.log.folder, offset, 'snapshot')
  }

  /** Newest first. */
  #offsets(): bigint[] {
    const { storage, log } = this.#options
    const files = storage.list(log.folder).flatMap(({ name }) => parseSegmentFile(name) ?? [])
    const snapshots = files.filter(({ suffix, stage }) => suffix === 'snapshot' && stage === '')
    return snapshots.map(({ baseOffset }) => baseOffset).reverse()
  }
}

/** For a log that has no producers, as that of the metadata: in Kafka it has snapshots none the less. */
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
