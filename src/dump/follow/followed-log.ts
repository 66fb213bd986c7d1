/**
 * A followed log. It is followed by offset: if its files were truncated, rewritten or removed between two rounds, the next round
 * reports this and continues at the offset that it had reached. An incomplete batch at the end of the active segment waits for
 * the next round.
 */
import { readTopicId } from '../../log/partition-folder.ts'
import { baseOffsetOf, segmentPath } from '../../log/segment/segment-names.ts'
import { BATCH_OVERHEAD, LOG_OVERHEAD } from '../../protocol/records/batch.ts'
import { StorageError } from '../../storage/storage.ts'
import { problemOf } from '../dump.ts'
import type { Findings } from '../findings.ts'
import { dumpEntry, invalidEnd, OffsetOrder } from '../formats/log.ts'
import { entriesOf, type Files, isWhole, type LogEntry, wholeEntriesOf } from '../formats/log-file.ts'
import { type Item, problem } from '../items.ts'
import type { DumpOptions } from '../options.ts'

/** An item with the path of its file. */
interface LocatedItem {
  readonly path: string
  readonly item: Item
}

/** The segments of a partition's folder, from the first one found. */
export class FollowedLog {
  readonly #folder: string
  /** Base offset of the current segment, and the position in it that has been read. */
  #baseOffset: bigint
  #position = 0
  /** The next offset to show. */
  #nextOffset: bigint
  /** The header of the last batch shown. Another header at its position means that the file was replaced. */
  #before: Buffer = Buffer.alloc(0)
  #beforePosition = 0
  /** Position of a batch with a wrong checksum, which may be complete in the next round. */
  #invalidPosition = -1
  #headed: string | undefined
  #failure: string | undefined
  /** The topic id, once the folder has a partition.metadata file. */
  #topicId: string | undefined

  constructor(folder: string, baseOffset: bigint) {
    this.#folder = folder
    this.#baseOffset = baseOffset
    this.#nextOffset = baseOffset
  }

  /** True if the last call was for another file, so that the file needs the line with its start offset. */
  isNew(path: string): boolean {
    const isNew = this.#headed !== path
    this.#headed = path
    return isNew
  }

  /** Yields the items since the last round, each with its file. */
  *round(files: Files, options: DumpOptions, findings: Findings): Generator<LocatedItem> {
    try {
      yield* this.#round(files, options, findings)
      this.#failure = undefined
    } catch (error) {
      const problemItem = problemOf(this.#path, error)
      // The next round handles a file that was removed after the listing. A lasting problem is reported once.
      if (problemItem.text === this.#failure || (error instanceof StorageError && !files.exists(this.#path))) return
      this.#failure = problemItem.text
      yield this.#located(problemItem)
    }
  }

  *#round(files: Files, options: DumpOptions, findings: Findings): Generator<LocatedItem> {
    const segments = segmentsOf(files, this.#folder)
    if (segments.length === 0) return
    const topicId = this.#topicId
    if (topicId === undefined) this.#topicId = readTopicId(files, this.#folder)
    if (!this.#isUnchanged(files, segments)) {
      this.#topicId = readTopicId(files, this.#folder) ?? topicId
      const isSame = topicId === undefined || topicId === this.#topicId
      yield this.#located(isSame ? this.#reposition(files, segments) : this.#restart(segments))
    }
    for (;;) {
      const next = segments.find(baseOffset => baseOffset > this.#baseOffset)
      yield* this.#readOn(files, next === undefined, options, findings)
      if (next === undefined) return
      this.#seek(next, 0)
    }
  }

  /** Shows the batches of the current segment from the position to its end. */
  *#readOn(files: Files, isNewest: boolean, options: DumpOptions, findings: Findings): Generator<LocatedItem> {
    const path = this.#path
    const end = files.size(path)
    const offsets = new OffsetOrder(path, findings, this.#nextOffset - 1n)
    for (const entry of entriesOf(files, path, this.#position, end)) {
      if (!isWhole(entry)) {
        if (isNewest && entry.next === end) return
        yield this.#located(problem(path, entry.position, entry.why))
        this.#position = entry.next
        continue
      }
      if (isNewest && this.#mayBecomeValid(files, entry)) return
      for (const item of dumpEntry(path, entry, options, offsets)) yield this.#located(item)
      this.#step(entry)
    }
    if (!isNewest && this.#position < end) yield this.#located(invalidEnd(path, end - this.#position))
  }

  /**
   * True for a batch at the end of the log with a wrong checksum: in a preallocated file the header may be written before the
   * records. Waits once for each batch.
   */
  #mayBecomeValid(files: Files, { position, size, batch }: LogEntry): boolean {
    if (this.#invalidPosition === position || batch.hasValidCrc()) return false
    if (files.read(this.#path, position + size, LOG_OVERHEAD).some(byte => byte !== 0)) return false
    this.#invalidPosition = position
    return true
  }

  #step({ position, size, batch }: LogEntry): void {
    this.#position = position + size
    this.#nextOffset = batch.nextOffset
    this.#before = Buffer.from(batch.bytes.subarray(0, BATCH_OVERHEAD))
    this.#beforePosition = position
  }

  #seek(baseOffset: bigint, position: number): void {
    this.#baseOffset = baseOffset
    this.#position = position
    this.#before = Buffer.alloc(0)
    this.#invalidPosition = -1
  }

  /** True if the next batch is at the position where the last round ended. */
  #isUnchanged(files: Files, segments: readonly bigint[]): boolean {
    if (!segments.includes(this.#baseOffset)) return false
    if (files.size(this.#path) < this.#position) return false
    return files.read(this.#path, this.#beforePosition, this.#before.length).equals(this.#before)
  }

  #restart([first = 0n]: readonly bigint[]): Item {
    this.#seek(first, 0)
    this.#nextOffset = first
    return this.#moved('the topic was recreated; the new log is shown from its beginning')
  }

  /** Moves to the position of the next offset in the changed files, and returns the finding with the reason. */
  #reposition(files: Files, segments: readonly bigint[]): Item {
    const expected = this.#nextOffset
    const baseOffset = segments.findLast(offset => offset <= expected) ?? segments[0] ?? expected
    this.#seek(baseOffset, 0)
    if (baseOffset > expected) {
      this.#nextOffset = baseOffset
      return this.#moved(`offsets ${expected} to ${baseOffset - 1n} were deleted before they were read`)
    }
    const reached = this.#skipTo(expected, files)
    if (reached === expected || baseOffset !== segments.at(-1)) {
      return this.#moved(`files were replaced or deleted; continues at offset ${expected}`)
    }
    this.#nextOffset = reached
    return this.#moved(`the log was truncated from offset ${expected} to ${reached}`)
  }

  /** Skips the batches of the segment below an offset. Returns the offset, or the end of the segment if it is lower. */
  #skipTo(offset: bigint, files: Files): bigint {
    let reached = this.#baseOffset
    for (const { position, size, batch } of wholeEntriesOf(files, this.#path, 0, files.size(this.#path))) {
      if (batch.lastOffset >= offset) return offset
      reached = batch.nextOffset
      this.#position = position + size
    }
    return reached
  }

  #moved(message: string): Item {
    return {
      kind: 'finding',
      pairs: [
        ['followed', this.#folder],
        ['what', message]
      ],
      text: `${this.#folder}: ${message}`
    }
  }

  get #path(): string {
    return segmentPath(this.#folder, this.#baseOffset, 'log')
  }

  #located(item: Item): LocatedItem {
    return { path: this.#path, item }
  }
}

/** The base offsets of a folder's segments in ascending order. */
function segmentsOf(files: Files, folder: string): bigint[] {
  return files.list(folder).flatMap(({ name }) => baseOffsetOf(name) ?? [])
}
