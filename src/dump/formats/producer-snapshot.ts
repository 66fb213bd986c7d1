/** The dump of `.snapshot` files (producer state of a partition) and `.txnindex` files (aborted transactions). */

import { CorruptSnapshot, decodeSnapshot, type ProducerEntry } from '../../idempotence/producer-snapshot.ts'
import { ABORTED_TXN_BYTES, readEntry } from '../../log/segment/transaction-index.ts'
import { decrementSequence } from '../../protocol/records/batch.ts'
import { ByteReader } from '../../protocol/wire/bytes.ts'
import { type Item, OptionalLong, type Pair, problem } from '../items.ts'
import { type DumpOptions, isInRange } from '../options.ts'
import type { Files } from './log-file.ts'

/** Bytes of the largest snapshot that is read. It has room for more than two million producers. */
export const LARGEST_SNAPSHOT = 128 << 20

/** Dumps a producer snapshot. */
export function* dumpProducerSnapshot(files: Files, path: string, { filter }: DumpOptions): Generator<Item> {
  const size = files.size(path)
  if (size > LARGEST_SNAPSHOT)
    return yield problem(path, undefined, `a snapshot of ${size} bytes is above the limit of ${LARGEST_SNAPSHOT} bytes`)
  const entries = entriesOf(files.read(path, 0, size))
  if (typeof entries === 'string') return yield problem(path, undefined, entries)
  for (const entry of entries) {
    if (filter.producerId !== undefined && filter.producerId !== entry.producerId) continue
    yield { kind: 'entry', pairs: producerPairs(entry) }
  }
}

/** The entries of a snapshot, or the message why it cannot be decoded. */
function entriesOf(bytes: Buffer): readonly ProducerEntry[] | string {
  try {
    return decodeSnapshot(bytes)
  } catch (error) {
    if (error instanceof CorruptSnapshot) return `the producer snapshot is invalid: ${error.message}`
    throw error
  }
}

function producerPairs(entry: ProducerEntry): Pair[] {
  const { currentTxnFirstOffset: first, lastSequence, lastOffset, offsetDelta, timestamp } = entry
  const pairs: Pair[] = [
    ['producerId', entry.producerId],
    ['producerEpoch', entry.producerEpoch],
    ['coordinatorEpoch', entry.coordinatorEpoch],
    ['currentTxnFirstOffset', new OptionalLong(first >= 0n ? first : undefined)],
    ['lastTimestamp', timestamp]
  ]
  if (lastOffset < 0n) return pairs
  return [
    ...pairs,
    ['firstSequence', decrementSequence(lastSequence, offsetDelta)],
    ['lastSequence', lastSequence],
    ['lastOffset', lastOffset],
    ['offsetDelta', offsetDelta],
    ['timestamp', timestamp]
  ]
}

const PAGE_BYTES = ABORTED_TXN_BYTES * 4096

/** Dumps a transaction index. */
export function* dumpTransactionIndex(files: Files, path: string, { filter }: DumpOptions): Generator<Item> {
  const size = files.size(path)
  const end = size - (size % ABORTED_TXN_BYTES)
  for (let position = 0; position < end; position += PAGE_BYTES) {
    const reader = new ByteReader(files.read(path, position, Math.min(PAGE_BYTES, end - position)))
    while (reader.remaining >= ABORTED_TXN_BYTES) {
      const at = position + reader.position
      const entry = readEntry(reader)
      if (entry.version !== 0)
        return yield problem(path, at, `the version ${entry.version} of an aborted transaction is unknown; valid is 0`)
      if (filter.producerId !== undefined && filter.producerId !== entry.producerId) continue
      if (isInRange(filter, entry.firstOffset, entry.lastOffset)) yield { kind: 'entry', pairs: Object.entries(entry) }
    }
  }
  if (end < size) yield problem(path, end, `${size - end} bytes follow the last complete entry`)
}
