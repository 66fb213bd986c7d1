/**
 * The `.checkpoint` files beside the metadata log: the state up to an offset, as records between a header and a footer.
 * One is complete as soon as it has its final name.
 */

import { LeaderEpochs } from '../../log/partition-log/leader-epochs.ts'
import { walkBatches } from '../../log/segment/batch-walk.ts'
import { Segments } from '../../log/segment/segments.ts'
import { CorruptRecordError, type RecordBatch } from '../../protocol/records/batch.ts'
import { controlTypeOf, SnapshotHeaderRecord } from '../../protocol/records/control.ts'
import { type BatchRecord, recordsOf } from '../../protocol/records/record.ts'
import { ByteReader } from '../../protocol/wire/bytes.ts'
import type { Logger } from '../../runtime/logger.ts'
import type { Steps } from '../../runtime/pace.ts'
import { directoryOf, type Storage } from '../../storage/storage.ts'
import { MetadataError } from '../metadata-error.ts'

/** State of all records before `offset`, the last of which was of `epoch`. */
export interface Snapshot {
  readonly offset: bigint
  readonly epoch: number
  readonly path: string
}

const NAME = /^(\d{20})-(\d{10})\.checkpoint$/
/** What a process that died left half written, or half deleted. */
const LEFTOVER = /\.checkpoint\.(deleted|part)$/

/** The snapshot of a folder that has this offset and epoch, or would have. */
export function snapshotAt(folder: string, offset: bigint, epoch: number): Snapshot {
  const name = `${offset.toString().padStart(20, '0')}-${epoch.toString().padStart(10, '0')}.checkpoint`
  return { offset, epoch, path: `${folder}/${name}` }
}

/** The snapshots of a folder, oldest first. */
export function listSnapshots(storage: Storage, folder: string): Snapshot[] {
  // Digits of one length: the names sort as the numbers do.
  return storage.list(folder).flatMap(({ name }) => {
    const [, offset, epoch] = NAME.exec(name) ?? []
    if (offset === undefined || epoch === undefined) return []
    return [{ offset: BigInt(offset), epoch: Number(epoch), path: `${folder}/${name}` }]
  })
}

/** Removes what will never be a snapshot, and snapshots that end before the log begins. */
export function removeUnusable(storage: Storage, folder: string, logStartOffset: bigint): void {
  for (const { name } of storage.list(folder)) {
    if (LEFTOVER.test(name)) storage.removeNow(`${folder}/${name}`)
  }
  for (const { offset, path } of listSnapshots(storage, folder)) if (offset < logStartOffset) storage.removeNow(path)
}

/** Takes a snapshot out of use. Returns the path under which its file waits to be removed. */
export function markDeleted(storage: Storage, { path }: Snapshot): string {
  const marked = `${path}.deleted`
  storage.rename(path, marked)
  return marked
}

/** Writes a snapshot in steps, a batch each. It has its name only once it is on the disk. */
export function* writeSnapshot(storage: Storage, { path }: Snapshot, batches: Iterable<RecordBatch>): Steps {
  const part = `${path}.part`
  storage.removeNow(part)
  for (const { bytes } of batches) {
    storage.append(part, bytes)
    yield
  }
  yield storage.sync(part)
  storage.rename(part, path)
  yield storage.sync(directoryOf(path))
}

/** As `writeSnapshot`, while the process waits. */
export function writeSnapshotNow(storage: Storage, { path }: Snapshot, batches: Iterable<RecordBatch>): void {
  const part = `${path}.part`
  storage.removeNow(part)
  storage.append(part, Buffer.concat(Array.from(batches, ({ bytes }) => bytes)))
  storage.syncNow(part)
  storage.rename(part, path)
  storage.syncNow(directoryOf(path))
}

/**
 * The batches of a snapshot, read piece by piece. Throws MetadataError for a damaged one: it was complete once, so
 * nothing may be cut off.
 */
export function* readSnapshot(storage: Storage, { path }: Snapshot): Generator<RecordBatch, undefined> {
  let last: BatchRecord | undefined
  try {
    for (const { position, batch } of walkBatches(storage, path, 0, storage.size(path))) {
      if (!batch.hasValidCrc()) throw new MetadataError(`${path}: the checksum at position ${position} does not fit`)
      yield batch
      last = batch.isControl ? [...recordsOf(batch)].at(-1) : undefined
    }
  } catch (error) {
    throw error instanceof CorruptRecordError ? new MetadataError(error.message) : error
  }
  if (!last || controlTypeOf(last.key) !== 'SNAPSHOT_FOOTER') throw new MetadataError(`${path} ends without a footer`)
}

/** The time of the last record that went into a snapshot. Throws MetadataError for a damaged one. */
export function lastContainedTimestamp(storage: Storage, snapshot: Snapshot): bigint {
  const [header] = readSnapshot(storage, snapshot)
  const [record] = header?.isControl ? recordsOf(header) : []
  if (!record?.value || controlTypeOf(record.key) !== 'SNAPSHOT_HEADER') {
    throw new MetadataError(`${snapshot.path} begins without a header`)
  }
  return SnapshotHeaderRecord.read(new ByteReader(record.value), 0).lastContainedLogTimestamp
}

// A snapshot beyond the end of the log: the records between are in no file, so the log is truncated fully and continues at the end of
// the snapshot, as KRaft does after it has fetched a snapshot.

/** The metadata's folder, recovered and not yet opened. */
export interface RecoveredFolder {
  readonly storage: Storage
  readonly folder: string
  readonly nowMs: number
  readonly logger: Logger
}

/** Makes the log begin where the newest snapshot ends, if it does not reach up to there. */
export function followSnapshot({ storage, folder, nowMs, logger }: RecoveredFolder): void {
  const newest = listSnapshots(storage, folder).at(-1)
  if (!newest) return
  const { offset, epoch, path } = newest
  const segments = new Segments({ storage, folder, emptyAt: offset, nowMs })
  const epochs = new LeaderEpochs(storage, folder)
  const latestEpoch = epochs.latest?.epoch ?? 0
  const { endOffset } = segments.active
  if (epoch < latestEpoch || (epoch === latestEpoch && offset <= endOffset)) return
  logger.warn({ path, endOffset }, 'the metadata log ends before its newest snapshot: it begins again after it, empty')
  segments.startAgainAt(offset)
  epochs.truncateFromEnd(0n)
}
