/**
 * Whether a segment is where its file's name says. Offsets are looked for by name, so a copy under another name would be
 * read in place of the right file, or hide it. Nothing is mended: only who copied the file knows which one is right.
 */
import { BATCH_OVERHEAD, CorruptRecordError } from '../../protocol/records/batch.ts'
import { type Storage, StorageError } from '../../storage/storage.ts'
import { walkBatches } from '../segment/batch-walk.ts'
import type { Segment } from '../segment/segment.ts'
import { segmentPath } from '../segment/segment-names.ts'

/** Throws StorageError if the first batch is sound and comes before the offset in the file's name. */
export function refuseWrongName(storage: Storage, segment: Segment): void {
  const { path, baseOffset, size } = segment
  const first = ifSound(() => segment.headers(0, BATCH_OVERHEAD).next().value?.batch)
  if (!first || first.baseOffset >= baseOffset) return
  // No write that was cut short does this: the offset lies with the rest of the header in one block of the disk.
  if (!ifSound(() => walkBatches(storage, path, 0, size).next().value)) return
  refuse(`${path} begins at offset ${first.baseOffset}, before the one in its name`)
}

/** Throws StorageError if a segment goes on after the offset at which the next one begins. */
export function refuseOverlap(folder: string, segment: Segment, next: bigint | undefined): void {
  if (next === undefined) return
  const end = ifSound(() => segment.endOffset)
  if (end === undefined || end <= next) return
  refuse(`${segment.path} ends at offset ${end - 1n}, and ${segmentPath(folder, next, 'log')} begins before that`)
}

function refuse(reason: string): never {
  throw new StorageError('other', `${reason}: the file that does not belong there must be taken away`)
}

/** What is damaged is not to be judged by its place. */
function ifSound<T>(look: () => T): T | undefined {
  try {
    return look()
  } catch (error) {
    if (error instanceof CorruptRecordError) return undefined
    throw error
  }
}
