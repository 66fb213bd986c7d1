/**
 * Whether a gap between two segments of a log is a loss: a full segment can lose its last batches with the power while
 * the disk has the next one. Kafka keeps such a log, hole and all. Here it ends before the hole, but only where no doubt
 * is left, for all that follows goes.
 */
import type { RecordBatch } from '../../protocol/records/batch.ts'
import type { Storage } from '../../storage/storage.ts'
import { parseSegmentFile } from '../segment/segment-names.ts'

/** A folder as recovery finds it, and from where on it cannot have gaps, as far as is known of it. */
export interface GapsOptions {
  readonly storage: Storage
  readonly folder: string
  readonly lossesFrom: bigint | undefined
}

export class Gaps {
  readonly #lossesFrom: bigint | undefined
  /** Segments that retention has taken out. Names may reach the disk in any order: an older one can be back. */
  readonly #deleted: readonly bigint[]
  /** Compaction, here or where the log was copied from, has taken records from among others. */
  #isCompacted = false
  #endOffset: bigint | undefined

  constructor({ storage, folder, lossesFrom }: GapsOptions) {
    this.#lossesFrom = lossesFrom
    this.#deleted = storage.list(folder).flatMap(({ name }) => {
      const file = parseSegmentFile(name)
      return file?.suffix === 'log' && file.stage === '.deleted' ? [file.baseOffset] : []
    })
  }

  /** The next segment is checked. */
  begin(baseOffset: bigint): void {
    if (this.#endOffset !== undefined && baseOffset > this.#endOffset) this.#isCompacted = true
    this.#endOffset = baseOffset
  }

  /** The next batch of it that was checked. */
  note(batch: RecordBatch): void {
    if (this.#lossesFrom === undefined || this.#isCompacted) return
    const lacksRecords = !batch.isLegacy && batch.recordsCount <= batch.lastOffsetDelta
    this.#isCompacted = lacksRecords || batch.baseOffset !== this.#endOffset
    this.#endOffset = batch.nextOffset
  }

  /** Whether batches were lost between the end of a segment and the next one. */
  isLoss(end: bigint, next = end): boolean {
    if (next <= end || this.#lossesFrom === undefined || next <= this.#lossesFrom || this.#isCompacted) return false
    return !this.#deleted.some(baseOffset => baseOffset >= end && baseOffset < next)
  }
}
