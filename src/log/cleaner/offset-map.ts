/**
 * The newest offset of each key, as in Kafka: a table of 16-byte MD5 digests and offsets, whose size does not depend on the
 * length of the keys. Keys with equal digests would count as one key, which is practically impossible.
 */
import { hash } from 'node:crypto'

/** Memory for one key. */
export const OFFSET_MAP_ENTRY_BYTES = 24
const DIGEST_INTS = 4

export class OffsetMap {
  /** Largest number of keys. */
  readonly capacity: number
  readonly #baseOffset: bigint
  readonly #slots: number
  readonly #digests: Int32Array
  /** Offset relative to the base offset, plus 1; 0 for a free slot. */
  readonly #offsets: Float64Array
  #size = 0
  /** Digest of the key of the last lookup. */
  readonly #digest = new Int32Array(DIGEST_INTS)

  /**
   * A map for the offsets from `baseOffset` to below `endOffset`. It allocates memory for that many keys, limited by
   * `memoryBytes`, and fills at most the share `loadFactor`, because lookups in a full table are slow.
   */
  constructor(baseOffset: bigint, endOffset: bigint, { memoryBytes, loadFactor }: OffsetMapLimits) {
    const neededSlots = Math.ceil(Number(endOffset - baseOffset) / loadFactor) + 1
    this.#slots = Math.max(1, Math.min(neededSlots, Math.floor(memoryBytes / OFFSET_MAP_ENTRY_BYTES)))
    this.capacity = Math.max(1, Math.floor(this.#slots * loadFactor))
    this.#baseOffset = baseOffset
    this.#digests = new Int32Array(this.#slots * DIGEST_INTS)
    this.#offsets = new Float64Array(this.#slots)
  }

  /** Number of keys. */
  get size(): number {
    return this.#size
  }

  get memoryBytes(): number {
    return this.#slots * OFFSET_MAP_ENTRY_BYTES
  }

  /** Sets the offset of a key; offsets must not descend. Returns false without a change if the map is full. */
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

  /** The newest offset of a key; undefined for an unknown key. */
  get(key: Buffer): bigint | undefined {
    const slot = this.#slotOf(key)
    const stored = slot === undefined ? 0 : (this.#offsets[slot] ?? 0)
    return stored === 0 ? undefined : this.#baseOffset + BigInt(stored - 1)
  }

  /** The slot of a key, or the free slot for it; undefined if there is neither. */
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

/** Memory limit of a map (log.cleaner.dedupe.buffer.size), and the share of it that is filled. */
export interface OffsetMapLimits {
  readonly memoryBytes: number
  /** log.cleaner.io.buffer.load.factor */
  readonly loadFactor: number
}

/** Writes the MD5 digest of a key. A digest as a binary string is several times faster than one as a Buffer. */
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
