/**
 * Encodes a snapshot as batches with offsets from 0: a header (with the voters if the log names them), the records of the image,
 * and a footer. Yields one batch at a time, because a large image must not be encoded in one step.
 */
import type { RecordBatch } from '../../protocol/records/batch.ts'
import { buildBatch } from '../../protocol/records/builder.ts'
import {
  type ControlType,
  controlKey,
  KRaftVersionRecord,
  SnapshotFooterRecord,
  SnapshotHeaderRecord
} from '../../protocol/records/control.ts'
import type { NewRecord } from '../../protocol/records/encoding.ts'
import type { MetadataImage } from '../image/image.ts'
import { imageRecords } from '../image/image-records.ts'
import { encodeMetadataRecord } from '../records.ts'
import type { Quorum } from './quorum.ts'

/** The state after a record of the log. */
export interface SnapshotContent {
  readonly image: MetadataImage
  readonly quorum: Quorum
  /** Offset after that record, and its leader epoch. */
  readonly offset: bigint
  readonly epoch: number
  /** Timestamp of that record. */
  readonly lastTimestamp: bigint
}

/** Size of the values of a batch. It limits the time of a step. */
const BATCH_BYTES = 65_536

/** The batches of a snapshot; `timestamp` is the time of its creation. */
export function* snapshotBatches(content: SnapshotContent, timestamp: bigint): Generator<RecordBatch, undefined> {
  const { epoch: partitionLeaderEpoch, image } = content
  let baseOffset = 0n
  const batch = (records: readonly NewRecord[], isControl: boolean) => {
    const built = buildBatch(records, { baseOffset, partitionLeaderEpoch, isControl })
    baseOffset += BigInt(records.length)
    return built
  }
  yield batch(header(content, timestamp), true)
  for (const records of groups(image, timestamp)) yield batch(records, false)
  yield batch([control('SNAPSHOT_FOOTER', SnapshotFooterRecord.encode({}, 0), timestamp)], true)
}

function header({ quorum, lastTimestamp }: SnapshotContent, timestamp: bigint): NewRecord[] {
  const { kraftVersion, votersRecord } = quorum
  const head = SnapshotHeaderRecord.encode({ lastContainedLogTimestamp: lastTimestamp }, 0)
  const records = [control('SNAPSHOT_HEADER', head, timestamp)]
  if (kraftVersion === 0) return records
  records.push(control('KRAFT_VERSION', KRaftVersionRecord.encode({ kRaftVersion: kraftVersion }, 0), timestamp))
  if (votersRecord) records.push(control('KRAFT_VOTERS', votersRecord, timestamp))
  return records
}

function* groups(image: MetadataImage, timestamp: bigint): Generator<NewRecord[], undefined> {
  let group: NewRecord[] = []
  let bytes = 0
  for (const record of imageRecords(image)) {
    const value = encodeMetadataRecord(record)
    if (bytes + value.length > BATCH_BYTES && group.length > 0) {
      yield group
      group = []
      bytes = 0
    }
    group.push({ timestamp, key: null, value })
    bytes += value.length
  }
  if (group.length > 0) yield group
}

function control(type: ControlType, value: Buffer, timestamp: bigint): NewRecord {
  return { timestamp, key: controlKey(type), value }
}
