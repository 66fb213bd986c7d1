/**
 * What a partition knows of its producers, such that it outlives the process: the newest snapshot in the partition's
 * folder and the log after it. A snapshot only saves reading, so one that is damaged or missing costs time, not state.
 */
import { CorruptSnapshot, decodeSnapshot, encodeSnapshot } from '../idempotence/producer-snapshot.ts'
import { ProducerStates } from '../idempotence/producer-state.ts'
import type { BatchObserver } from '../log/batch-observer.ts'
import type { PartitionLog } from '../log/partition-log.ts'
import { segmentPath } from '../log/segment-names.ts'
import { segmentOffsets } from '../log/segments.ts'
import { replaceFile, replaceFileSynced, type Storage } from '../log/storage.ts'
import { KafkaError } from '../protocol/errors.ts'
import type { RecordBatch } from '../protocol/records/batch.ts'
import type { Logger } from '../runtime/logger.ts'

const SNAPSHOT_NAME = /^(\d{20})\.snapshot$/

export interface DurableProducersOptions {
  readonly storage: Storage
  readonly log: PartitionLog
  readonly logger: Logger
  readonly now: number
  /** `producer.id.expiration.ms` */
  readonly expirationMs: number
}

export class DurableProducers implements Pick<BatchObserver, 'observed' | 'rolled' | 'closing'> {
  readonly states = new ProducerStates()
  readonly #options: DurableProducersOptions
  /** Of the newest snapshot; there is none to write before the log has grown beyond. */
  #snapshotOffset: bigint

  /** Brings back what was known. Throws StorageError where the disk does not let us. */
  constructor(options: DurableProducersOptions) {
    this.#options = options
    this.#removeStrays()
    const loaded = this.#loadNewest()
    this.#snapshotOffset = loaded ?? 0n
    this.#replay(loaded ?? options.log.firstSegmentOffset)
  }

  observed(batch: RecordBatch): void {
    if (!batch.isLegacy && batch.producerId >= 0n && !batch.isControl) this.states.record(batch)
  }

  /** The append that rolled goes on whatever happens here: the log says it all again. */
  rolled(baseOffset: bigint): void {
    if (baseOffset <= this.#snapshotOffset) return
    const { storage, logger } = this.#options
    try {
      replaceFile(storage, this.#path(baseOffset), encodeSnapshot(this.states.entries()))
      this.#snapshotOffset = baseOffset
    } catch (error) {
      logger.warn({ path: this.#path(baseOffset), error }, 'a snapshot of producers could not be written')
    }
  }

  /** If this rejects the stop is not clean: Kafka would take a clean log without a snapshot for one without producers. */
  async closing(endOffset: bigint): Promise<void> {
    if (endOffset <= this.#snapshotOffset) return
    const bytes = encodeSnapshot(this.states.entries())
    await replaceFileSynced(this.#options.storage, this.#path(endOffset), bytes)
    this.#snapshotOffset = endOffset
  }

  #path(offset: bigint): string {
    return segmentPath(this.#options.log.folder, offset, 'snapshot')
  }

  /** Offsets of the folder's snapshots, newest first. */
  #offsets(): bigint[] {
    const { storage, log } = this.#options
    const digits = storage.list(log.folder).flatMap(({ name }) => SNAPSHOT_NAME.exec(name)?.[1] ?? [])
    return digits.map(BigInt).reverse()
  }

  /** Those that the log does not reach or has left behind, and all but the newest that no segment begins at. */
  #removeStrays(): void {
    const { storage, log } = this.#options
    const bases = new Set(segmentOffsets(storage, log.folder))
    let newest: bigint | undefined
    for (const offset of this.#offsets()) {
      const fits = offset >= log.logStartOffset && offset <= log.logEndOffset
      if (fits) newest ??= offset
      if (!fits || (offset !== newest && !bases.has(offset))) storage.removeNow(this.#path(offset))
    }
  }

  /** Returns the offset of the newest good snapshot, after removing what is damaged. */
  #loadNewest(): bigint | undefined {
    const { storage, logger, now, expirationMs } = this.#options
    return this.#offsets().find(offset => {
      const path = this.#path(offset)
      try {
        this.states.restore(decodeSnapshot(storage.read(path, 0, storage.size(path))))
      } catch (error) {
        if (!(error instanceof CorruptSnapshot)) throw error
        logger.warn({ path, error }, 'a snapshot of producers is damaged: more of the log is read instead')
        storage.removeNow(path)
        return false
      }
      this.states.expire(now, expirationMs)
      return true
    })
  }

  /** A log that is damaged in the middle is still served up to there, and its producers are known up to there. */
  #replay(from: bigint): void {
    const { log, logger } = this.#options
    if (from >= log.logEndOffset) return
    try {
      for (const batch of log.batches(from)) this.observed(batch)
    } catch (error) {
      if (!(error instanceof KafkaError && error.code === 'CORRUPT_MESSAGE')) throw error
      logger.error({ folder: log.folder, error }, 'a log is damaged: not all that its producers sent is known')
    }
  }
}
