/**
 * The `.checkpoint` files of the metadata log: the state before an offset, as records between a header and a footer. A snapshot
 * is complete as soon as it has its final name.
 */

import type { Events } from '../../events/event.ts'
import { LeaderEpochs } from '../../log/partition-log/leader-epochs.ts'
import { walkBatches } from '../../log/segment/batch-walk.ts'
import { Segments } from '../../log/segment/segments.ts'
import { CorruptRecordError, type RecordBatch } from '../../protocol/records/batch.ts'
import { controlTypeOf, SnapshotHeaderRecord } from '../../protocol/records/control.ts'
import { type BatchRecord, recordsOf } from '../../protocol/records/record.ts'
import { ByteReader } from '../../protocol/wire/bytes.ts'
import type { Steps } from '../../runtime/pace.ts'
import { directoryOf, type Storage } from '../../storage/storage.ts'
import { MetadataError } from '../metadata-error.ts'

/** A snapshot file: the state of all records before `offset`. The last of them has leader epoch `epoch`. */
export interface Snapshot {
  readonly offset: bigint
  readonly epoch: number
  readonly path: string
}

const NAME = /^(\d{20})-(\d{10})\.checkpoint$/
/** Names of files that a crash left partly written or partly deleted. */
const LEFTOVER = /\.checkpoint\.(deleted|part)$/

/** The snapshot of a folder with this offset and epoch. The file need not exist. */
export function snapshotAt(folder: string, offset: bigint, epoch: number): Snapshot {
  const name = `${offset.toString().padStart(20, '0')}-${epoch.toString().padStart(10, '0')}.checkpoint`
  return { offset, epoch, path: `${folder}/${name}` }
}

/** The snapshots of a folder, oldest first. */
export function listSnapshots(storage: Storage, folder: string): Snapshot[] {
  // All names have the same number of digits, so sorting by name sorts by offset.
  return storage.list(folder).flatMap(({ name }) => {
    const [, offset, epoch] = NAME.exec(name) ?? []
    if (offset === undefined || epoch === undefined) return []
    return [{ offset: BigInt(offset), epoch: Number(epoch), path: `${folder}/${name}` }]
  })
}

/** Removes leftovers of incomplete and deleted snapshots, and snapshots that end before the log start. */
export function removeUnusable(storage: Storage, folder: string, logStartOffset: bigint): void {
  for (const { name } of storage.list(folder)) {
    if (LEFTOVER.test(name)) storage.removeNow(`${folder}/${name}`)
  }
  for (const { offset, path } of listSnapshots(storage, folder)) if (offset < logStartOffset) storage.removeNow(path)
}

/** Takes a snapshot out of use by renaming its file. Returns the new path, for the later removal. */
export function markDeleted(storage: Storage, { path }: Snapshot): string {
  const marked = `${path}.deleted`
  storage.rename(path, marked)
  return marked
}

/** Writes a snapshot in steps of one batch. Renames the file to its final name only after it is synced to disk. */
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

/** Synchronous `writeSnapshot`. */
export function writeSnapshotNow(storage: Storage, { path }: Snapshot, batches: Iterable<RecordBatch>): void {
  const part = `${path}.part`
  storage.removeNow(part)
  storage.append(part, Buffer.concat(Array.from(batches, ({ bytes }) => bytes)))
  storage.syncNow(part)
  storage.rename(part, path)
  storage.syncNow(directoryOf(path))
}

/**
 * The batches of a snapshot, read in pieces. Throws MetadataError for a damaged snapshot: it was complete once, so a damaged tail
 * must not be truncated.
 */
export function* readSnapshot(storage: Storage, { path }: Snapshot): Generator<RecordBatch, undefined> {
  let last: BatchRecord | undefined
  try {
    for (const { position, batch } of walkBatches(storage, path, 0, storage.size(path))) {
      if (!batch.hasValidCrc())
        throw new MetadataError(`${path}: the batch at position ${position} has a wrong checksum`)
      yield batch
      last = batch.isControl ? [...recordsOf(batch)].at(-1) : undefined
    }
  } catch (error) {
    throw error instanceof CorruptRecordError ? new MetadataError(error.message) : error
  }
  if (!last || controlTypeOf(last.key) !== 'SNAPSHOT_FOOTER')
    throw new MetadataError(`${path} has no footer record at its end`)
}

/** Timestamp of the last record in a snapshot. Throws MetadataError for a damaged snapshot. */
export function lastContainedTimestamp(storage: Storage, snapshot: Snapshot): bigint {
  const [header] = readSnapshot(storage, snapshot)
  const [record] = header?.isControl ? recordsOf(header) : []
  if (!record?.value || controlTypeOf(record.key) !== 'SNAPSHOT_HEADER') {
    throw new MetadataError(`${snapshot.path} has no header record at its start`)
  }
  return SnapshotHeaderRecord.read(new ByteReader(record.value), 0).lastContainedLogTimestamp
}

// A snapshot past the end of the log: no file has the records between them. The log is truncated fully and continues at the end
// of the snapshot, as KRaft does after it has fetched a snapshot.

/** The folder of the metadata log, recovered and not yet opened. */
export interface RecoveredFolder {
  readonly storage: Storage
  readonly folder: string
  readonly nowMs: number
  readonly events: Events
}

/** Truncates the log fully and starts it at the end of the newest snapshot, if the log ends before that snapshot. */
export function followSnapshot({ storage, folder, nowMs, events }: RecoveredFolder): void {
  const newest = listSnapshots(storage, folder).at(-1)
  if (!newest) return
  const { offset, epoch } = newest
  const segments = new Segments({ storage, folder, emptyAt: offset, nowMs })
  const epochs = new LeaderEpochs(storage, folder)
  const latestEpoch = epochs.latest?.epoch ?? 0
  const { endOffset } = segments.active
  if (epoch < latestEpoch || (epoch === latestEpoch && offset <= endOffset)) return
  events.emit({ type: 'LogTruncatedFully', topicPartition: folder, logEndOffset: endOffset, startOffset: offset })
  segments.resetTo(offset)
  epochs.truncateFromEnd(0n)
}
