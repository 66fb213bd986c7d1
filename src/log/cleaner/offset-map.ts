/**
 * The newest offset of every key, in memory that is set beforehand however long the keys are: a table of 16-byte digests
 * and offsets, as Kafka's. Two keys of one digest would count as one; MD5 makes that as good as never.
 */
import { hash } from 'node:crypto'

/** What one key takes. */
export const OFFSET_MAP_ENTRY_BYTES = 24
const DIGEST_INTS = 4

export class OffsetMap {
  /** How many keys fit in. */
  readonly capacity: number
  readonly #baseOffset: bigint
  readonly #slots: number
  readonly #digests: Int32Array
  /** Offset from the base, plus 1; 0 where a slot is free. */
  readonly #offsets: Float64Array
  #size = 0
  /** Of the key asked for last. */
  readonly #digest = new Int32Array(DIGEST_INTS)

  /**
   * For the offsets from `baseOffset` to `endOffset`: takes as much memory as that many keys need, `memoryBytes` at most,
   * of which the part `loadFactor` is used. Lookups in a full table are slow.
   */
  constructor(baseOffset: bigint, endOffset: bigint, { memoryBytes, loadFactor }: OffsetMapLimits) {
    const neededSlots = Math.ceil(Number(endOffset - baseOffset) / loadFactor) + 1
    this.#slots = Math.max(1, Math.min(neededSlots, Math.floor(memoryBytes / OFFSET_MAP_ENTRY_BYTES)))
    this.capacity = Math.max(1, Math.floor(this.#slots * loadFactor))
    this.#baseOffset = baseOffset
    this.#digests = new Int32Array(this.#slots * DIGEST_INTS)
    this.#offsets = new Float64Array(this.#slots)
  }

  /** How many keys are known. */
  get size(): number {
    return this.#size
  }

  get memoryBytes(): number {
    return this.#slots * OFFSET_MAP_ENTRY_BYTES
  }

  /** Notes a key's offset, which is no lower than any before. False, and nothing has changed, when the map is full. */
  put(key: Buffer, offset: bigint): boolean {
    const slot = this.#slotOf(key)
    if (slot === undefined) return false
    if (this.#offsets[slot] === 0) {
      if (this.#size >= this.capacity) return false
      this.#size++
      this.#digests.set(this.#digest, slot * DIGEST_INTS)
    }
    this.#offsets[slot] = Number(offset - this.#baseOffset) + 1
    return true
  }

  /** The newest offset of a key; undefined for one that was never put. */
  get(key: Buffer): bigint | undefined {
    const slot = this.#slotOf(key)
    const stored = slot === undefined ? 0 : (this.#offsets[slot] ?? 0)
    return stored === 0 ? undefined : this.#baseOffset + BigInt(stored - 1)
  }

  /** The slot of a key, or the free one where it would go; undefined when there is neither. */
  #slotOf(key: Buffer): number | undefined {
    const digest = this.#digest
    writeDigest(key, digest)
    let slot = ((digest[0] ?? 0) >>> 0) % this.#slots
    for (let tried = 0; tried < this.#slots; tried++) {
      if (this.#offsets[slot] === 0 || this.#holds(slot, digest)) return slot
      slot = slot + 1 === this.#slots ? 0 : slot + 1
    }
    return undefined
  }

  #holds(slot: number, digest: Int32Array): boolean {
    const at = slot * DIGEST_INTS
    const digests = this.#digests
    return (
      digests[at] === digest[0] &&
      digests[at + 1] === digest[1] &&
      digests[at + 2] === digest[2] &&
      digests[at + 3] === digest[3]
    )
  }
}

/** How much memory a map may take (log.cleaner.dedupe.buffer.size), and how much of it it uses. */
export interface OffsetMapLimits {
  readonly memoryBytes: number
  /** log.cleaner.io.buffer.load.factor */
  readonly loadFactor: number
}

/** As text a digest comes several times faster than as a Buffer. */
function writeDigest(key: Buffer, into: Int32Array): void {
  const text = hash('md5', key, 'binary')
  for (let index = 0; index < DIGEST_INTS; index++) {
    const at = 4 * index
    into[index] =
      text.charCodeAt(at) |
      (text.charCodeAt(at + 1) << 8) |
      (text.charCodeAt(at + 2) << 16) |
      (text.charCodeAt(at + 3) << 24)
  }
}
