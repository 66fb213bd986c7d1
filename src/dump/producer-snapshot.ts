/** `.snapshot`, what a partition knew of its producers, and `.txnindex`, the transactions that were aborted. */

import { decrementSequence } from '../idempotence/sequence.ts'
import { ByteReader } from '../protocol/bytes.ts'
import { message } from '../protocol/compile.ts'
import { crc32c } from '../protocol/records/checksum.ts'
import { type Decoded, int16, int32, int64 } from '../protocol/schema.ts'
import { type Item, OptionalLong, type Pair, problem } from './items.ts'
import type { Files } from './log-file.ts'
import { type DumpOptions, isWanted } from './options.ts'

const SNAPSHOT_VERSION = 1
const CRC_AT = 2
const COUNT_AT = 6
const ENTRIES_AT = 10
/** Two million producers: more than a broker could remember. */
const LARGEST_SNAPSHOT = 128 << 20

const ENTRY_BYTES = 46
const producerEntry = {
  producerId: int64,
  producerEpoch: int16,
  lastSequence: int32,
  lastOffset: int64,
  offsetDelta: int32,
  timestamp: int64,
  coordinatorEpoch: int32,
  currentTxnFirstOffset: int64
}
const ENTRY = message(producerEntry)

/** Lines about a producer snapshot. */
export function* dumpProducerSnapshot(files: Files, path: string, { filter }: DumpOptions): Generator<Item> {
  const size = files.size(path)
  if (size > LARGEST_SNAPSHOT) return yield problem(path, undefined, `a snapshot of ${size} bytes is too large`)
  const bytes = files.read(path, 0, size)
  const wrong = whyCorrupt(bytes)
  if (wrong !== undefined) return yield problem(path, undefined, wrong)
  const reader = new ByteReader(bytes, ENTRIES_AT)
  for (let left = bytes.readInt32BE(COUNT_AT); left > 0; left--) {
    const entry = ENTRY.read(reader, 0)
    if (filter.producerId !== undefined && filter.producerId !== entry.producerId) continue
    yield { kind: 'entry', pairs: producerPairs(entry) }
  }
}

function whyCorrupt(bytes: Buffer): string | undefined {
  if (bytes.length < ENTRIES_AT) return `a snapshot of producers cannot have ${bytes.length} bytes`
  const version = bytes.readInt16BE()
  if (version !== SNAPSHOT_VERSION) return `a snapshot of producers of unknown version ${version}`
  const stored = bytes.readUInt32BE(CRC_AT)
  const computed = crc32c(bytes.subarray(COUNT_AT))
  if (stored !== computed) return `the checksum of the snapshot is ${stored}, that of its bytes ${computed}`
  const count = bytes.readInt32BE(COUNT_AT)
  const room = (bytes.length - ENTRIES_AT) / ENTRY_BYTES
  return count < 0 || count > room ? `the snapshot has no room for its ${count} producers` : undefined
}

function producerPairs(entry: Decoded<typeof producerEntry>): Pair[] {
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

const ABORTED_BYTES = 34
const ABORTED = message({
  version: int16,
  producerId: int64,
  firstOffset: int64,
  lastOffset: int64,
  lastStableOffset: int64
})
const PAGE_BYTES = ABORTED_BYTES * 4096

/** Lines about a transaction index. */
export function* dumpTransactionIndex(files: Files, path: string, { filter }: DumpOptions): Generator<Item> {
  const size = files.size(path)
  const end = size - (size % ABORTED_BYTES)
  for (let position = 0; position < end; position += PAGE_BYTES) {
    const reader = new ByteReader(files.read(path, position, Math.min(PAGE_BYTES, end - position)))
    while (reader.remaining >= ABORTED_BYTES) {
      const at = position + reader.position
      const entry = ABORTED.read(reader, 0)
      if (entry.version !== 0)
        return yield problem(path, at, `an aborted transaction of unknown version ${entry.version}`)
      if (filter.producerId !== undefined && filter.producerId !== entry.producerId) continue
      if (isWanted(filter, entry.firstOffset, entry.lastOffset)) yield { kind: 'entry', pairs: Object.entries(entry) }
    }
  }
  if (end < size) yield problem(path, end, `${size - end} bytes are left over after the entries`)
}
