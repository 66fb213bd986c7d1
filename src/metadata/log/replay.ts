/** Rebuilds the metadata image and quorum from the newest snapshot and the log. An unusable record fails the start. */
import type { PartitionLog } from '../../log/partition-log/partition-log.ts'
import { KafkaError } from '../../protocol/errors.ts'
import type { RecordBatch } from '../../protocol/records/batch.ts'
import { recordsOf } from '../../protocol/records/record.ts'
import { MalformedFrame } from '../../protocol/wire/bytes.ts'
import type { Storage } from '../../storage/storage.ts'
import { ImageDraft } from '../image/evolve.ts'
import { EMPTY_IMAGE, type MetadataImage } from '../image/image.ts'
import { MetadataError } from '../metadata-error.ts'
import { decodeMetadataRecord } from '../records.ts'
import { type Quorum, quorumAfter, UNKNOWN_QUORUM } from './quorum.ts'
import { listSnapshots, readSnapshot } from './snapshots.ts'

/** Result of a replay. */
export interface Replayed {
  readonly image: MetadataImage
  readonly quorum: Quorum
  /** The largest leader epoch of the records and the snapshot; 0 if there are none. */
  readonly lastEpoch: number
  /** True if the log ends within a metadata transaction. The image has none of its records. */
  readonly inTransaction: boolean
  /** Timestamp of the last record, and the bytes of the log after the newest snapshot. */
  readonly lastTimestamp: bigint
  readonly bytesSinceSnapshot: number
}

/** Replays the newest snapshot and the log. Throws MetadataError with the file and offset of an unusable record. */
export function replay(storage: Storage, log: PartitionLog): Replayed {
  const replaying = new Replaying()
  const snapshot = listSnapshots(storage, log.folder).at(-1)
  const start = snapshot?.offset ?? 0n
  if (start < log.firstSegmentOffset || start > log.logEndOffset) {
    throw new MetadataError(
      `the metadata log has offsets ${log.firstSegmentOffset} to ${log.logEndOffset}, ` +
        `which do not continue its newest snapshot, which ends at offset ${start}`
    )
  }
  if (snapshot) {
    for (const batch of readSnapshot(storage, snapshot)) replaying.add(batch, 0n, snapshot.path)
  }
  let next = start
  let bytesSinceSnapshot = 0
  for (const batch of log.batches(start)) {
    if (batch.baseOffset > next) {
      throw new MetadataError(`${log.folder} has no records from offset ${next} to ${batch.baseOffset - 1n}`)
    }
    replaying.add(batch, start, log.folder)
    next = batch.nextOffset
    bytesSinceSnapshot += batch.sizeInBytes
  }
  return { ...replaying.finish(snapshot?.epoch ?? 0), bytesSinceSnapshot }
}

class Replaying {
  readonly #draft = new ImageDraft(EMPTY_IMAGE)
  #quorum = UNKNOWN_QUORUM
  #lastEpoch = 0
  #lastTimestamp = 0n

  /** Applies the records of a batch from offset `start` on. `where` is the location for error messages. */
  add(batch: RecordBatch, start: bigint, where: string): void {
    this.#lastEpoch = Math.max(this.#lastEpoch, batch.partitionLeaderEpoch)
    this.#lastTimestamp = batch.maxTimestamp
    let at = batch.baseOffset
    try {
      if (batch.isControl) this.#quorum = quorumAfter(this.#quorum, batch)
      else {
        for (const { offset, value } of recordsOf(batch)) {
          at = offset
          if (value === null) throw new MetadataError('the record has no value')
          if (offset >= start) this.#draft.apply(decodeMetadataRecord(value))
        }
      }
    } catch (error) {
      throw isAboutRecords(error) ? new MetadataError(`${where}, offset ${at}: ${error.message}`) : error
    }
  }

  finish(snapshotEpoch: number): Omit<Replayed, 'bytesSinceSnapshot'> {
    return {
      inTransaction: this.#draft.inTransaction,
      image: this.#draft.finish(),
      quorum: this.#quorum,
      lastTimestamp: this.#lastTimestamp,
      lastEpoch: Math.max(this.#lastEpoch, snapshotEpoch)
    }
  }
}

function isAboutRecords(error: unknown): error is Error {
  return error instanceof MalformedFrame || error instanceof MetadataError || error instanceof KafkaError
}
