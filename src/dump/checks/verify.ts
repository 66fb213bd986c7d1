/** The dump of `--verify`: checks each file, and the files of a partition against each other. Only problems are shown. */
import { basename, dirname } from 'node:path'
import type { RecordBatch } from '../../protocol/records/batch.ts'
import { RecordWalker } from '../../protocol/records/record.ts'
import { isAboutBytes } from '../decoders.ts'
import { dumperOf, filesUnder, guarded, MISSING } from '../dump.ts'
import { Findings } from '../findings.ts'
import { legacyRecords } from '../formats/legacy.ts'
import { RECORDS_LIMIT } from '../formats/log.ts'
import { entriesOf, type Files, isWhole, isZero } from '../formats/log-file.ts'
import { type Item, problem } from '../items.ts'
import type { DumpOptions } from '../options.ts'
import { PartitionOrder } from './partition-order.ts'

/** Yields the problems, and at the end the number of files and problems. */
export function* verify(files: Files, paths: readonly string[], options: DumpOptions): Generator<Item> {
  const counts = { files: 0, problems: 0 }
  for (const item of problemsIn(files, paths, options, () => counts.files++)) {
    counts.problems++
    yield item
  }
  const text = `${counts.files} files verified, ${counts.problems === 0 ? 'no' : counts.problems} problems found`
  yield { kind: 'note', pairs: Object.entries(counts), text }
}

function* problemsIn(files: Files, paths: readonly string[], options: DumpOptions, count: () => void): Generator<Item> {
  let order: PartitionOrder | undefined
  for (const path of filesUnder(files, paths)) {
    count()
    if (dirname(path) !== order?.folder) {
      if (order) yield* order.finish()
      order = new PartitionOrder(files, dirname(path))
    }
    const within = order
    yield* guarded(path, () => problemsOf(files, path, options, within))
  }
  if (order) yield* order.finish()
}

function problemsOf(files: Files, path: string, options: DumpOptions, order: PartitionOrder): Iterable<Item> {
  const dumper = dumperOf(path)
  if (!files.exists(path)) return [problem(path, undefined, MISSING)]
  if (path.endsWith('.log')) return verifyLog(files, path, order)
  if (path.endsWith('.checkpoint')) return verifyLog(files, path, new PartitionOrder(files, ''))
  if (dumper) return found(path, dumper, files, options)
  // Throws StorageError for an unreadable folder.
  files.list(path)
  return [
    problem(
      path,
      undefined,
      'the kind of file is unknown; dump-log reads .log, .checkpoint, .index, .timeindex, .snapshot and .txnindex'
    )
  ]
}

/** The problems that the dump of a file finds. Findings count as problems. */
function* found(
  path: string,
  dumper: NonNullable<ReturnType<typeof dumperOf>>,
  files: Files,
  options: DumpOptions
): Generator<Item> {
  const findings = new Findings()
  for (const item of dumper(files, path, { ...options, verifyIndexOnly: true, verifying: true }, findings)) {
    if (item.kind === 'problem') yield item
  }
  for (const message of findings.each()) yield problem(path, undefined, message)
}

function* verifyLog(files: Files, path: string, order: PartitionOrder): Generator<Item> {
  yield* order.enter(path)
  const end = files.size(path)
  const firstOffset = BigInt(/^\d{1,20}(?=\.log$)/.exec(basename(path))?.[0] ?? 0)
  let reached = 0
  let isMisplaced = false
  for (const entry of entriesOf(files, path, 0, end)) {
    const { position } = entry
    if (!isWhole(entry)) {
      reached = entry.next
      // Zeros at the end of the active segment are preallocated space (`preallocate`).
      if (order.isNewest && reached === end && isZero(files, path, position, end)) return
      yield problem(path, position, entry.why)
      continue
    }
    const { batch } = entry
    reached = position + entry.size
    if (!batch.hasValidCrc()) {
      yield problem(path, position, `the batch at offset ${batch.baseOffset} has a wrong checksum`)
      continue
    }
    if (batch.baseOffset < firstOffset && !isMisplaced) {
      isMisplaced = true
      yield problem(path, position, `offset ${batch.baseOffset} is below ${firstOffset}, the base offset of the file`)
    }
    yield* order.add(path, position, batch)
    const wrong = wrongRecords(batch)
    if (wrong !== undefined)
      yield problem(path, position, `the batch at offset ${batch.baseOffset} is invalid: ${wrong}`)
  }
  if (reached < end) yield problem(path, reached, `the last ${end - reached} bytes are not a complete batch`)
}

function wrongRecords(batch: RecordBatch): string | undefined {
  try {
    if (batch.isLegacy) {
      for (const record of legacyRecords(batch)) if (!record.isValid) return 'a record has a wrong checksum'
      return undefined
    }
    const { lastOffsetDelta, recordsCount } = batch
    if (lastOffsetDelta < 0) return `its last offset delta is ${lastOffsetDelta}`
    const walker = new RecordWalker(batch, RECORDS_LIMIT)
    let previous = -1
    while (walker.next()) {
      const { offsetDelta } = walker
      if (offsetDelta <= previous || offsetDelta > lastOffsetDelta) {
        return `a record has offset ${batch.baseOffset + BigInt(offsetDelta)}, which is out of order`
      }
      previous = offsetDelta
    }
    // Fewer records are valid: compaction removes records and keeps the last offset of the batch.
    return recordsCount > lastOffsetDelta + 1
      ? `it has ${recordsCount} records for ${lastOffsetDelta + 1} offsets`
      : undefined
  } catch (error) {
    if (isAboutBytes(error)) return error.message
    throw error
  }
}
