/** The segments of one log, ascending by base offset. There is at least one. */
import { KafkaError } from '../../protocol/errors.ts'
import type { RecordBatch } from '../../protocol/records/batch.ts'
import { assert } from '../../runtime/assert.ts'
import { OWN_MEMORY } from '../../storage/buffer-pool.ts'
import type { Storage } from '../../storage/storage.ts'
import { Segment, type SegmentRead } from './segment.ts'
import { baseOffsetOf } from './segment-names.ts'

/** Limits of a read, and the memory for its bytes: by default the caller may keep them. */
export interface ReadLimits extends Omit<SegmentRead, 'buffers'>, Partial<Pick<SegmentRead, 'buffers'>> {
  /** Batches at or after this offset are not returned. */
  readonly upTo: bigint
}

/**
 * Folder of the segments, base offset of the first segment of an empty folder, and the function that creates a segment
 * (default: `Segment.create`).
 */
export interface SegmentsOptions {
  readonly storage: Storage
  readonly folder: string
  readonly emptyAt: bigint
  readonly nowMs: number
  readonly create?: (baseOffset: bigint) => Segment
}

const NOTHING = Buffer.alloc(0)

export class Segments {
  readonly #create: (baseOffset: bigint) => Segment
  /** Ascending by base offset, never empty. */
  readonly #segments: Segment[]

  /** Opens the segments of a folder. In an empty folder it creates the first one at `emptyAt`. */
  constructor({ storage, folder, emptyAt, nowMs, create }: SegmentsOptions) {
    this.#create = create ?? (offset => Segment.create(storage, folder, offset, nowMs))
    this.#segments = segmentOffsets(storage, folder).map(offset => new Segment(storage, folder, offset, nowMs))
    if (this.#segments.length === 0) this.#segments.push(this.#create(emptyAt))
  }

  /** Oldest first. */
  get all(): readonly Segment[] {
    return this.#segments
  }

  /** The newest segment, which appends go to. */
  get active(): Segment {
    const active = this.#segments.at(-1)
    assert(active, 'a log has a segment')
    return active
  }

  get firstOffset(): bigint {
    return this.#segments[0]?.baseOffset ?? 0n
  }

  get sizeInBytes(): number {
    return this.#segments.reduce((sum, segment) => sum + segment.size, 0)
  }

  /** The segment whose range contains `offset`, and all later ones. */
  from(offset: bigint): readonly Segment[] {
    return this.#segments.slice(this.#indexOf(offset))
  }

  /** Reads for a fetch from `offset`, as in `Segment.read`. The bytes come from one segment and end before `upTo`. */
  read(offset: bigint, { upTo, buffers = OWN_MEMORY, maxBytes, minOneBatch }: ReadLimits): Buffer {
    if (offset >= upTo) return NOTHING
    if (maxBytes < 0) throw new KafkaError('UNKNOWN_SERVER_ERROR', `${maxBytes} is not a valid number of bytes to read`)
    for (let index = this.#indexOf(offset); ; index++) {
      const segment = this.#segments[index]
      if (!segment) return NOTHING
      const bytes = segment.read(offset, { maxBytes, minOneBatch, buffers }, this.#endPosition(index, upTo))
      if (bytes) return bytes
    }
  }

  /** Whether two offsets are in the same segment. */
  areInSameSegment(from: bigint, to: bigint): boolean {
    return this.#indexOf(from) === this.#indexOf(to)
  }

  /** Bytes of the batches between two offsets of one segment. */
  bytesBetween(from: bigint, to: bigint): number {
    const segment = this.#segments[this.#indexOf(from)]
    assert(segment && this.areInSameSegment(from, to), 'both offsets are in the same segment')
    const positionOf = (offset: bigint) => segment.find(offset)?.position ?? segment.size
    return positionOf(to) - positionOf(from)
  }

  /** Whole batches from the one that holds `offset` to the last before `upTo`. */
  *batches(offset: bigint, upTo: bigint): Generator<RecordBatch, undefined> {
    for (const segment of this.from(offset)) {
      for (const { batch } of segment.batchesFrom(offset)) {
        if (batch.baseOffset >= upTo) return
        if (batch.lastOffset >= offset) yield batch
      }
    }
  }

  /** Finishes the active segment, creates the next one and returns the finished one. A throw leaves the list unchanged. */
  roll(baseOffset: bigint): Segment {
    const full = this.active
    full.finish()
    this.#segments.push(this.#create(baseOffset))
    return full
  }

  /** Removes the oldest segment from the list. The log must have another one. */
  dropOldest(): void {
    assert(this.#segments.length > 1, 'a log keeps a segment')
    this.#segments.shift()
  }

  /** Whether a segment begins at `baseOffset`. */
  hasBase(baseOffset: bigint): boolean {
    return this.#segments[this.#indexOf(baseOffset)]?.baseOffset === baseOffset
  }

  /** Whether all `segments` are still part of the log. */
  hasAll(segments: readonly Segment[]): boolean {
    return segments.every(segment => this.#segments.includes(segment))
  }

  /** Replaces neighbouring segments by one with the same base offset. */
  replace(sources: readonly Segment[], by: Segment): void {
    const at = sources[0] ? this.#segments.indexOf(sources[0]) : -1
    assert(at >= 0 && sources[0]?.baseOffset === by.baseOffset, 'the replaced segments exist')
    this.#segments.splice(at, sources.length, by)
  }

  /** Removes all segments and their files, and creates an empty segment at `offset`. */
  resetTo(offset: bigint): void {
    while (this.#segments.length > 0) this.#dropActive()
    this.#segments.push(this.#create(offset))
  }

  #dropActive(): void {
    this.active.remove()
    this.#segments.pop()
  }

  /** Index of the segment whose range contains `offset`. */
  #indexOf(offset: bigint): number {
    let low = 0
    let high = this.#segments.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if ((this.#segments[middle]?.baseOffset ?? 0n) <= offset) low = middle
      else high = middle - 1
    }
    return low
  }

  /** Position in a segment at which the batches before `upTo` end. */
  #endPosition(index: number, upTo: bigint): number {
    const segment = this.#segments[index]
    assert(segment, 'the segment exists')
    const end = this.#segments[index + 1]?.baseOffset ?? segment.endOffset
    return upTo >= end ? segment.size : (segment.find(upTo)?.position ?? segment.size)
  }
}

/** The base offsets of a folder's segments, ascending. */
export function segmentOffsets(storage: Storage, folder: string): bigint[] {
  return storage.list(folder).flatMap(({ name }) => baseOffsetOf(name) ?? [])
}
