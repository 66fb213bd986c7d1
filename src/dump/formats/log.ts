/** The dump of a `.log` or `.checkpoint` file: its batches, and with `deep` their records. */
import { basename } from 'node:path'
import { ATTRIBUTES, type RecordBatch } from '../../protocol/records/batch.ts'
import {
  controlTypeOf,
  coordinatorEpochOf,
  KRaftVersionRecord,
  LeaderChangeMessage,
  SnapshotFooterRecord,
  SnapshotHeaderRecord,
  VotersRecord
} from '../../protocol/records/control.ts'
import { type BatchRecord, RecordWalker } from '../../protocol/records/record.ts'
import { ByteReader, MalformedFrame } from '../../protocol/wire/bytes.ts'
import type { Message } from '../../protocol/wire/compile.ts'
import type { Shape } from '../../protocol/wire/schema.ts'
import { isAboutBytes } from '../decoders.ts'
import type { Findings } from '../findings.ts'
import { type Item, Json, OptionalLong, type Pair, problem } from '../items.ts'
import { type DumpOptions, isInRange } from '../options.ts'
import { shapeJson } from './json-text.ts'
import { type LegacyRecord, legacyPairs, legacyRecords } from './legacy.ts'
import { entriesOf, type Files, isWhole, type LogEntry } from './log-file.ts'

/** The limit of the uncompressed records of one batch in bytes. Damaged bytes must not exhaust the memory. */
export const RECORDS_LIMIT = 1 << 30

/** Dumps a log. */
export function* dumpLog(files: Files, path: string, options: DumpOptions, findings: Findings): Generator<Item> {
  yield beginning(path)
  const { filter, maxBytes } = options
  const size = files.size(path)
  const end = Math.min(size, maxBytes ?? size)
  const offsets = new OffsetOrder(path, findings)
  let reached = 0
  for (const entry of entriesOf(files, path, 0, end)) {
    if (!isWhole(entry)) {
      reached = entry.next
      yield problem(path, entry.position, entry.why)
      continue
    }
    reached = entry.position + entry.size
    if (filter.toOffset !== undefined && entry.batch.baseOffset > filter.toOffset) return
    yield* dumpEntry(path, entry, options, offsets)
  }
  if (reached < end && maxBytes === undefined) yield invalidEnd(path, end - reached)
}

/** The item for the last bytes of a file that are not a batch. */
export function invalidEnd(path: string, count: number): Item {
  return note([['invalidBytes', count]], `Found ${count} invalid bytes at the end of ${basename(path)}`)
}

function note(pairs: Pair[], text: string): Item {
  return { kind: 'note', pairs, text }
}

/** The heading of a file: the start offset of a log, or end offset and epoch of a checkpoint, from the file name. */
export function beginning(path: string): Item {
  const name = basename(path)
  if (name.endsWith('.log')) {
    const [digits = ''] = name.split('.')
    if (!/^\d{1,20}$/.test(digits))
      return problem(path, undefined, 'the file name does not begin with a base offset, as in 00000000000000000000.log')
    const offset = BigInt(digits)
    return { kind: 'log', pairs: [['startingOffset', offset]], text: `Log starting offset: ${offset}` }
  }
  if (name === 'bootstrap.checkpoint') return note([], 'KRaft bootstrap snapshot')
  const [, offset, epoch] = /^(\d{20})-(\d{10})\.checkpoint$/.exec(name) ?? []
  if (offset === undefined || epoch === undefined) {
    return problem(
      path,
      undefined,
      'the file name is not an end offset and an epoch, as in 00000000000000000042-0000000001.checkpoint'
    )
  }
  const pairs: Pair[] = [
    ['endOffset', BigInt(offset)],
    ['epoch', BigInt(epoch)]
  ]
  return { kind: 'log', pairs, text: `Snapshot end offset: ${BigInt(offset)}, epoch: ${BigInt(epoch)}` }
}

/** Dumps an entry and its records, if they match the filter. */
export function* dumpEntry(path: string, entry: LogEntry, options: DumpOptions, offsets: OffsetOrder): Generator<Item> {
  const { batch, position } = entry
  const { producerId } = options.filter
  const isOtherProducer = producerId !== undefined && (batch.isLegacy || batch.producerId !== producerId)
  if (isOtherProducer || !isInRange(options.filter, batch.baseOffset, batch.lastOffset))
    return offsets.skip(batch.lastOffset)
  const header: Item = { kind: 'batch', pairs: batchPairs(entry) }
  // With a key filter the line of the batch waits for the first matching record; a batch without one is not shown.
  let isShown = options.filter.key === undefined
  if (isShown) yield header
  if (!options.deep) return
  try {
    for (const record of recordsOf(batch)) {
      offsets.see(record.offset)
      const pairs = isInRange(options.filter, record.offset) ? recordPairs(batch, record, options) : undefined
      if (!pairs) continue
      if (!isShown) yield header
      isShown = true
      yield { kind: 'record', pairs }
    }
  } catch (error) {
    if (!isAboutBytes(error)) throw error
    yield problem(
      path,
      position,
      `the records of the batch at offset ${batch.baseOffset} are invalid: ${error.message}`
    )
  }
}

function* recordsOf(batch: RecordBatch): Generator<BatchRecord | LegacyRecord> {
  if (batch.isLegacy) return yield* legacyRecords(batch)
  const walker = new RecordWalker(batch, RECORDS_LIMIT)
  while (walker.next()) yield walker.record()
}

/** The pairs of a record; undefined if its key does not match the filter. */
function recordPairs(batch: RecordBatch, record: BatchRecord | LegacyRecord, options: DumpOptions): Pair[] | undefined {
  const isControl = !batch.isLegacy && batch.isControl
  const contents = options.print && !isControl ? options.decoder(record) : []
  const { key } = options.filter
  if (key !== undefined && !contents.some(([label, value]) => label === 'key' && keyText(value) === key))
    return undefined
  if (options.skipRecordMetadata) return contents
  const pairs: Pair[] = [
    ['offset', record.offset],
    [timestampLabel(batch), record.timestamp],
    ['keySize', record.key?.length ?? -1],
    ['valueSize', record.value?.length ?? -1]
  ]
  if ('crc' in record) pairs.push(['isValid', record.isValid], ['crc', record.crc])
  else pairs.push(['sequence', record.sequence], ['headerKeys', record.headers.map(header => header.key)])
  if (isControl) pairs.push(...controlPairs(record))
  return [...pairs, ...contents]
}

function keyText(value: Pair[1]): string {
  return typeof value === 'object' && 'text' in value ? value.text : String(value)
}

function timestampLabel(batch: RecordBatch): string {
  if (batch.magic === 0) return 'NoTimestampType'
  return batch.isLegacy ? legacyPairs(batch).timestampType : batch.timestampType
}

function batchPairs({ batch, position, size }: LogEntry): Pair[] {
  const legacy = batch.isLegacy ? legacyPairs(batch) : undefined
  return [
    ...(legacy ? ([['offset', batch.lastOffset]] satisfies Pair[]) : headerPairs(batch)),
    ['position', position],
    [timestampLabel(batch), legacy ? legacy.timestamp : batch.maxTimestamp],
    ['size', size],
    ['magic', batch.magic],
    ['compresscodec', legacy ? legacy.codec : codecName(batch)],
    ['crc', batch.crc],
    ['isvalid', batch.hasValidCrc()]
  ]
}

function headerPairs(batch: RecordBatch): Pair[] {
  return [
    ['baseOffset', batch.baseOffset],
    ['lastOffset', batch.lastOffset],
    ['count', batch.recordsCount],
    ['baseSequence', batch.baseSequence],
    ['lastSequence', batch.lastSequence],
    ['producerId', batch.producerId],
    ['producerEpoch', batch.producerEpoch],
    ['partitionLeaderEpoch', batch.partitionLeaderEpoch],
    ['isTransactional', batch.isTransactional],
    ['isControl', batch.isControl],
    ['deleteHorizonMs', new OptionalLong(batch.deleteHorizonMs)]
  ]
}

/** The name of a batch's codec; `unknown(<id>)` for an unknown codec id. */
export function codecName(batch: RecordBatch): string {
  try {
    return batch.codec
  } catch (error) {
    if (isAboutBytes(error)) return `unknown(${batch.attributes & ATTRIBUTES.codec})`
    throw error
  }
}

/** Finds offsets that are not consecutive. The first offset is expected to be 0, as in Kafka 4.3. */
export class OffsetOrder {
  readonly #path: string
  readonly #findings: Findings
  #last: bigint

  constructor(path: string, findings: Findings, last = -1n) {
    this.#path = path
    this.#findings = findings
    this.#last = last
  }

  see(offset: bigint): void {
    if (offset !== this.#last + 1n) this.#findings.add('nonConsecutive', this.#path, this.#last, offset)
    this.#last = offset
  }

  /** Skips offsets that the filter excludes. They do not count as missing. */
  skip(lastOffset: bigint): void {
    this.#last = lastOffset
  }
}

/** Position of the control type in the key of a control record. */
const TYPE_POSITION = 2

/** Type and contents of a control record. Throws INVALID_RECORD or MalformedFrame for bytes that are not a control record. */
export function controlPairs({ key, value }: BatchRecord): Pair[] {
  const type = controlTypeOf(key)
  switch (type) {
    case 'ABORT':
    case 'COMMIT':
      return [
        ['endTxnMarker', type],
        ['coordinatorEpoch', coordinatorEpochOf(value)]
      ]
    case 'LEADER_CHANGE':
      return [['LeaderChange', contents(LeaderChangeMessage, value)]]
    case 'SNAPSHOT_HEADER':
      return [['SnapshotHeader', contents(SnapshotHeaderRecord, value)]]
    case 'SNAPSHOT_FOOTER':
      return [['SnapshotFooter', contents(SnapshotFooterRecord, value)]]
    case 'KRAFT_VERSION':
      return [['KRaftVersion', contents(KRaftVersionRecord, value)]]
    case 'KRAFT_VOTERS':
      return [['KRaftVoters', contents(VotersRecord, value)]]
    case undefined:
      return [['controlType', `UNKNOWN(${key?.readInt16BE(TYPE_POSITION)})`]]
  }
}

/** The contents of a control record as JSON. All types have only version 0. */
function contents<S extends Shape>({ shape, read }: Message<S>, value: Buffer | null): Json {
  if (value === null) throw new MalformedFrame('the control record has no value')
  return new Json(shapeJson(shape, read(new ByteReader(value), 0), 0))
}
