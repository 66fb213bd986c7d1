/**
 * Files that a crash during compaction, retention or a file replacement has left in a partition's folder. As in Kafka, a
 * replacement with complete results (`.swap`) is completed. Everything else is undone.
 */
import type { Events } from '../../events/event.ts'
import type { Storage } from '../../storage/storage.ts'
import { walkHeaders } from '../segment/batch-walk.ts'
import { OffsetIndex } from '../segment/offset-index.ts'
import { parseSegmentFile, type SegmentFileName, segmentPath } from '../segment/segment-names.ts'

/** A folder to clear. */
export interface LeftoverOptions {
  readonly storage: Storage
  readonly folder: string
  readonly events: Events
  /** Removes a file that may be large, possibly later and in the background. */
  readonly discard: (path: string) => void
}

/** Temporary files of an interrupted file replacement. */
const TEMPORARY = /^(?:leader-epoch-checkpoint|partition\.metadata|\d{20}\.snapshot)\.tmp$/
/** Bytes per read of a compaction result. A result without its index is read from its beginning. */
const READ_AHEAD_BYTES = 65_536

/** Removes or renames all files that are not in use. Can be repeated after an interruption. */
export function clearLeftovers(options: LeftoverOptions): void {
  const { storage, folder, discard } = options
  const names = storage.list(folder).map(({ name }) => name)
  for (const name of names) if (TEMPORARY.test(name)) storage.removeNow(`${folder}/${name}`)
  const files = segmentFiles(names)
  for (const file of files) if (file.stage === '.deleted') discard(pathOf(folder, file))
  const swaps = validSwaps(options, files)
  if (swaps.length > 0) finishSwaps(options, files, swaps)
  const left = swaps.length > 0 ? segmentFiles(storage.list(folder).map(({ name }) => name)) : files
  removeOrphans(options, left)
}

/**
 * The complete compaction results. Removes `.cleaned` files, which are incomplete, and `.swap` files at or after the base
 * offset of a `.cleaned` file: results are renamed to `.swap` from the last to the first, so an earlier result is missing.
 */
function validSwaps({ storage, folder }: LeftoverOptions, files: readonly SegmentFileName[]): SegmentFileName[] {
  const cleaned = files.filter(({ stage }) => stage === '.cleaned')
  const swaps = files.filter(({ stage }) => stage === '.swap')
  const isValid = (swap: SegmentFileName) => cleaned.every(({ baseOffset }) => swap.baseOffset < baseOffset)
  for (const swap of swaps) if (!isValid(swap)) storage.removeNow(pathOf(folder, swap))
  for (const file of cleaned) storage.removeNow(pathOf(folder, file))
  return swaps.filter(isValid)
}

/**
 * Replaces the segments that the results were made from. Those are the segments that begin between the base offset of the
 * first result and the end offset of the last one.
 */
function finishSwaps(options: LeftoverOptions, files: readonly SegmentFileName[], swaps: readonly SegmentFileName[]) {
  const { storage, folder, events } = options
  const logs = swaps.filter(({ suffix }) => suffix === 'log')
  const [first, last] = [logs[0], logs.at(-1)]
  if (first && last) {
    const end = endOf(storage, folder, last)
    const [startOffset, endOffset] = [first.baseOffset, end]
    events.emit({ type: 'CompactionCompleted', topicPartition: folder, startOffset, endOffset })
    for (const file of files) {
      const isReplaced = file.stage === '' && file.baseOffset >= first.baseOffset && file.baseOffset < end
      // Producer snapshots stay: they are valid for the results too.
      if (isReplaced && file.suffix !== 'snapshot') storage.removeNow(pathOf(folder, file))
    }
    // After a power loss, no replaced file may reappear next to a result that has its final name.
    storage.syncNow(folder)
  }
  // The logs are renamed first: after a crash between the renames, the next start renames the remaining `.swap` index files.
  for (const swap of [...logs, ...swaps.filter(({ suffix }) => suffix !== 'log')]) {
    storage.rename(pathOf(folder, swap), segmentPath(folder, swap.baseOffset, swap.suffix))
  }
}

/** Removes index files without their log, which remain after a crash during a removal or the loss of the log. */
function removeOrphans({ storage, folder, events }: LeftoverOptions, files: readonly SegmentFileName[]): void {
  const used = files.filter(({ stage }) => stage === '')
  const bases = new Set(used.filter(({ suffix }) => suffix === 'log').map(({ baseOffset }) => baseOffset))
  const orphans = used.filter(({ suffix, baseOffset }) => suffix !== 'snapshot' && !bases.has(baseOffset))
  const paths = orphans.map(file => pathOf(folder, file))
  if (paths.length > 0) events.emit({ type: 'OrphanedIndexesRemoved', topicPartition: folder, paths })
  for (const path of paths) storage.removeNow(path)
}

/** The offset after the last batch of a result. */
function endOf(storage: Storage, folder: string, swap: SegmentFileName): bigint {
  const path = pathOf(folder, swap)
  const indexPath = segmentPath(folder, swap.baseOffset, 'index', '.swap')
  const from = new OffsetIndex(storage, indexPath, swap.baseOffset).lastPosition
  let end = swap.baseOffset
  for (const { batch } of walkHeaders(storage, path, from, storage.size(path), READ_AHEAD_BYTES)) end = batch.nextOffset
  return end
}

function segmentFiles(names: readonly string[]): SegmentFileName[] {
  return names.flatMap(name => parseSegmentFile(name) ?? [])
}

function pathOf(folder: string, { baseOffset, suffix, stage }: SegmentFileName): string {
  return segmentPath(folder, baseOffset, suffix, stage)
}
