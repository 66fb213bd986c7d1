/** Encodes the primitive types of the protocol into a list of buffers for a socket. */

const FIRST_CHUNK_BYTES = 256
/** Byte strings from this size on are added as views instead of being copied. */
const VIEW_FROM_BYTES = 4096

/** Writes big-endian primitives into growing chunks. Long byte strings are added as views, without copying. */
export class ByteWriter {
  readonly #done: Buffer[] = []
  #doneBytes = 0
  #chunk: Buffer
  #used = 0

  constructor(firstChunkBytes = FIRST_CHUNK_BYTES) {
    this.#chunk = Buffer.allocUnsafe(firstChunkBytes)
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#doneBytes + this.#used
  }

  int8(value: number): void {
    const at = this.#claim(1)
    this.#chunk.writeInt8(value, at)
  }

  int16(value: number): void {
    const at = this.#claim(2)
    this.#chunk.writeInt16BE(value, at)
  }

  uint16(value: number): void {
    const at = this.#claim(2)
    this.#chunk.writeUInt16BE(value, at)
  }

  int32(value: number): void {
    const at = this.#claim(4)
    this.#chunk.writeInt32BE(value, at)
  }

  uint32(value: number): void {
    const at = this.#claim(4)
    this.#chunk.writeUInt32BE(value, at)
  }

  int64(value: bigint): void {
    const at = this.#claim(8)
    this.#chunk.writeBigInt64BE(value, at)
  }

  float64(value: number): void {
    const at = this.#claim(8)
    this.#chunk.writeDoubleBE(value, at)
  }

  boolean(value: boolean): void {
    this.int8(value ? 1 : 0)
  }

  uuid(value: string): void {
    const at = this.#claim(16)
    const written = this.#chunk.write(value, at, 16, 'base64url')
    if (written !== 16) throw new RangeError(`not a uuid: ${value}`)
  }

  uvarint(value: number): void {
    let rest = value >>> 0
    while (rest > 0x7f) {
      const at = this.#claim(1)
      this.#chunk[at] = (rest & 0x7f) | 0x80
      rest >>>= 7
    }
    const at = this.#claim(1)
    this.#chunk[at] = rest
  }

  varint(value: number): void {
    this.uvarint((value << 1) ^ (value >> 31))
  }

  varlong(value: bigint): void {
    let rest = BigInt.asUintN(64, (value << 1n) ^ (value >> 63n))
    while (rest > 0x7fn) {
      const at = this.#claim(1)
      this.#chunk[at] = Number(rest & 0x7fn) | 0x80
      rest >>= 7n
    }
    const at = this.#claim(1)
    this.#chunk[at] = Number(rest)
  }

  /** Appends bytes. Long ones are added as views: they must not change until the output has been sent. */
  bytes(value: Buffer): void {
    if (value.length >= VIEW_FROM_BYTES) {
      this.#seal()
      this.#done.push(value)
      this.#doneBytes += value.length
      return
    }
    const at = this.#claim(value.length)
    value.copy(this.#chunk, at)
  }

  /** Appends all bytes of `other`. */
  append(other: ByteWriter): void {
    for (const chunk of other.chunks()) this.bytes(chunk)
  }

  /** The written bytes in order. The writer must not be used afterwards. */
  chunks(): Buffer[] {
    this.#seal()
    return this.#done
  }

  /** The written bytes as one Buffer. The writer must not be used afterwards. */
  toBuffer(): Buffer {
    const [only, ...more] = this.chunks()
    if (only && more.length === 0) return only
    return Buffer.concat(this.#done, this.#doneBytes)
  }

  #claim(length: number): number {
    if (this.#chunk.length - this.#used < length) {
      const size = Math.max(length, Math.min(65_536, this.#chunk.length * 2))
      this.#seal()
      this.#chunk = Buffer.allocUnsafe(size)
    }
    const at = this.#used
    this.#used += length
    return at
  }

  #seal(): void {
    if (this.#used === 0) return
    this.#done.push(this.#chunk.subarray(0, this.#used))
    this.#doneBytes += this.#used
    this.#chunk = this.#chunk.subarray(this.#used)
    this.#used = 0
  }
}
