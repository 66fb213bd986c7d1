/**
 * The `.checkpoint` files beside the metadata log: the state up to an offset, as records between a header and a footer.
 * One is complete as soon as it has its final name.
 */
import type { Storage } from '../log/storage.ts'
import { batchesIn, type RecordBatch } from '../protocol/records/batch.ts'
import { MetadataError } from './metadata-error.ts'

/** State of all records before `offset`, the last of which was of `epoch`. */
export interface Snapshot {
  readonly offset: bigint
  readonly epoch: number
  readonly path: string
}

const NAME = /^(\d{20})-(\d{10})\.checkpoint$/
/** What a process that died left half written, or half deleted. */
const LEFTOVER = /\.checkpoint\.(deleted|part)$/

/** The newest snapshot of a folder, if it has one. */
export function newestSnapshot(storage: Storage, folder: string): Snapshot | undefined {
  // Digits of one length: the names sort as the numbers do.
  const name = storage
    .list(folder)
    .map(entry => entry.name)
    .findLast(entry => NAME.test(entry))
  const [, offset, epoch] = NAME.exec(name ?? '') ?? []
  if (offset === undefined || epoch === undefined) return undefined
  return { offset: BigInt(offset), epoch: Number(epoch), path: `${folder}/${name}` }
}

/** Removes what will never be a snapshot. */
export function removeLeftovers(storage: Storage, folder: string): void {
  for (const { name } of storage.list(folder)) {
    if (LEFTOVER.test(name)) storage.removeNow(`${folder}/${name}`)
  }
}

/** Writes a snapshot; it has its name only once it is on the disk. */
export function writeSnapshot(storage: Storage, folder: string, offset: bigint, epoch: number, bytes: Buffer): void {
  const name = `${offset.toString().padStart(20, '0')}-${epoch.toString().padStart(10, '0')}.checkpoint`
  const part = `${folder}/${name}.part`
  storage.removeNow(part)
  storage.append(part, bytes)
  storage.syncNow(part)
  storage.rename(part, `${folder}/${name}`)
  storage.syncNow(folder)
}

/** The batches of a snapshot. Throws MetadataError for a damaged one: it was complete once, so nothing may be cut off. */
export function* snapshotBatches(storage: Storage, { path }: Snapshot): Generator<RecordBatch, undefined> {
  const bytes = storage.read(path, 0, storage.size(path))
  let position = 0
  for (const batch of batchesIn(bytes)) {
    if (!batch.hasValidCrc()) throw new MetadataError(`${path}: the checksum at position ${position} does not fit`)
    position += batch.sizeInBytes
    yield batch
  }
  if (position !== bytes.length) throw new MetadataError(`${path} ends in the middle of a batch`)
}
