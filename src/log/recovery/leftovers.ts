/**
 * What a process that died in the middle of compaction, retention or a replacement has left in a partition's folder.
 * A compaction whose result was whole (`.swap`) is brought to its end, by Kafka's rules; everything else is undone.
 */
import type { Logger } from '../../runtime/logger.ts'
import type { Storage } from '../../storage/storage.ts'
import { walkHeaders } from '../segment/batch-walk.ts'
import { OffsetIndex } from '../segment/offset-index.ts'
import { parseSegmentFile, type SegmentFileName, segmentPath } from '../segment/segment-names.ts'

/** A folder to clear. */
export interface LeftoverOptions {
  readonly storage: Storage
  readonly folder: string
  readonly logger: Logger
  /** Removes a file that may be large, perhaps later and beside other work. */
  readonly discard: (path: string) => void
}

/** Half of a file that was to replace another one. */
const TEMPORARY = /^(?:leader-epoch-checkpoint|partition\.metadata|\d{20}\.snapshot)\.tmp$/
/** Where a result has lost its index all of it is read. */
const READ_AHEAD_BYTES = 65_536

/** Leaves the folder with nothing but files in use. May be called again where it was cut short. */
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
 * The results that are whole. `.cleaned` files never are; and as results get their `.swap` name from the last to the
 * first, those that come after a `.cleaned` one are not all there.
 */
function validSwaps({ storage, folder }: LeftoverOptions, files: readonly SegmentFileName[]): SegmentFileName[] {
  const cleaned = files.filter(({ stage }) => stage === '.cleaned')
  const swaps = files.filter(({ stage }) => stage === '.swap')
  const isValid = (swap: SegmentFileName) => cleaned.every(({ baseOffset }) => swap.baseOffset < baseOffset)
  for (const swap of swaps) if (!isValid(swap)) storage.removeNow(pathOf(folder, swap))
  for (const file of cleaned) storage.removeNow(pathOf(folder, file))
  return swaps.filter(isValid)
}

/** Puts results in the place of the segments they were made from, which reach up to where the last result ends. */
function finishSwaps(options: LeftoverOptions, files: readonly SegmentFileName[], swaps: readonly SegmentFileName[]) {
  const { storage, folder, logger } = options
  const logs = swaps.filter(({ suffix }) => suffix === 'log')
  const [first, last] = [logs[0], logs.at(-1)]
  if (first && last) {
    const end = endOf(storage, folder, last)
    logger.info({ folder, from: first.baseOffset, to: end }, 'a compaction that was cut short is brought to its end')
    for (const file of files) {
      const isReplaced = file.stage === '' && file.baseOffset >= first.baseOffset && file.baseOffset < end
      // What is known of producers is as true of the result.
      if (isReplaced && file.suffix !== 'snapshot') storage.removeNow(pathOf(folder, file))
    }
    // Should power be lost, none of them may come back beside a result that has its final name.
    storage.syncNow(folder)
  }
  // The log first: should this be cut short, an index is found without a stage where its log has none.
  for (const swap of [...logs, ...swaps.filter(({ suffix }) => suffix !== 'log')]) {
    storage.rename(pathOf(folder, swap), segmentPath(folder, swap.baseOffset, swap.suffix))
  }
}

/** Index files without their log: a crash in the middle of a removal leaves them behind, or the log has been lost. */
function removeOrphans({ storage, folder, logger }: LeftoverOptions, files: readonly SegmentFileName[]): void {
  const used = files.filter(({ stage }) => stage === '')
  const bases = new Set(used.filter(({ suffix }) => suffix === 'log').map(({ baseOffset }) => baseOffset))
  const orphans = used.filter(({ suffix, baseOffset }) => suffix !== 'snapshot' && !bases.has(baseOffset))
  const paths = orphans.map(file => pathOf(folder, file))
  if (paths.length > 0) logger.warn({ folder, paths }, 'index files without their log are removed')
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
