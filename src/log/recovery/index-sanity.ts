/**
 * Whether the index files of a segment can belong to its log: what can be told from sizes and last entries alone, and
 * all entries of the aborted transactions, of which there are few, as in Kafka. An index that fails is made again from
 * the log; one that passes is believed.
 */

import type { Storage } from '../../storage/storage.ts'
import { OffsetIndex } from '../segment/offset-index.ts'
import { segmentPath } from '../segment/segment-names.ts'
import { TimeIndex } from '../segment/time-index.ts'
import { transactionIndexProblem } from '../segment/transaction-index.ts'

const OFFSET_ENTRY_BYTES = 8
const TIME_ENTRY_BYTES = 12

/** Why the indexes of a segment cannot be used, undefined when they can. */
export function indexProblem(storage: Storage, folder: string, baseOffset: bigint): string | undefined {
  const path = segmentPath(folder, baseOffset, 'index')
  const timePath = segmentPath(folder, baseOffset, 'timeindex')
  if (!storage.exists(path)) return `${path} is missing`
  if (!storage.exists(timePath)) return `${timePath} is missing`
  if (storage.size(path) % OFFSET_ENTRY_BYTES !== 0) return `${path} ends in the middle of an entry`
  if (storage.size(timePath) % TIME_ENTRY_BYTES !== 0) return `${timePath} ends in the middle of an entry`
  const offsets = new OffsetIndex(storage, path, baseOffset)
  // A log that lost its end would be read from there, found empty, and written over.
  const logSize = storage.size(segmentPath(folder, baseOffset, 'log'))
  if (offsets.count > 0 && (offsets.lastPosition < 0 || offsets.lastPosition >= logSize)) {
    return `${path} points beyond the end of the log`
  }
  const { offset, timestamp } = new TimeIndex(storage, timePath, baseOffset).last
  if (offset < baseOffset || timestamp < -1n) return `${timePath} has an entry that cannot be`
  return transactionIndexProblem(storage, segmentPath(folder, baseOffset, 'txnindex'), baseOffset)
}
