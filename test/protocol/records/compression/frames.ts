/** Compressed records made by hand, with control over every field of the frame formats: the bytes of a frame, by codec. */
import { crc32, deflateRawSync } from 'node:zlib'
import { xxh64 } from '@node-rs/xxhash'
import { xxhash32 } from '../../../../src/protocol/records/compression/lz4.ts'

/** Makes a frame of the bytes. */
export type Frame = (plain: Buffer) => Buffer

export interface GzipFields {
  readonly magic?: number
  readonly method?: number
  /** Added to the flags of the fields below. */
  readonly flags?: number
  readonly extra?: string
  readonly name?: string
  readonly comment?: string
  readonly headerCrc?: 'valid' | 'wrong'
  readonly crc?: number
  readonly size?: number
  /** The level of the deflate stream; 0 stores the bytes. */
  readonly level?: number
}

/** One gzip member (RFC 1952). */
export function gzipMember(plain: Buffer, fields: GzipFields = {}): Buffer {
  const { magic = 0x8b1f, method = 8, extra, name, comment, headerCrc, level = 6 } = fields
  const flags = (fields.flags ?? 0) | presenceBits(undefined, headerCrc, extra, name, comment)
  const parts = [uint16(magic), Buffer.from([method, flags, 1, 2, 3, 4, 0, 3])]
  if (extra !== undefined) parts.push(uint16(extra.length), Buffer.from(extra))
  for (const text of [name, comment]) if (text !== undefined) parts.push(Buffer.from(`${text}\0`))
  if (headerCrc !== undefined)
    parts.push(uint16((crc32(Buffer.concat(parts)) ^ (headerCrc === 'wrong' ? 1 : 0)) & 0xffff))
  const trailer = [uint32(fields.crc ?? crc32(plain)), uint32(fields.size ?? plain.length)]
  return Buffer.concat([...parts, deflateRawSync(plain, { level }), ...trailer])
}

export interface Lz4Fields {
  readonly magic?: number
  readonly version?: number
  readonly isIndependent?: boolean
  readonly blockChecksums?: 'valid' | 'wrong'
  readonly contentChecksum?: 'valid' | 'wrong'
  readonly contentSize?: number
  readonly dictionaryId?: number
  readonly reservedFlags?: number
  readonly blockDescriptor?: number
  readonly headerChecksum?: 'valid' | 'wrong'
  readonly blockBytes?: number
  readonly hasEndMark?: boolean
}

/** One LZ4 frame of stored blocks. */
export function lz4Frame(plain: Buffer, fields: Lz4Fields = {}): Buffer {
  const { blockChecksums, contentChecksum, contentSize, dictionaryId, blockBytes = 0xffff } = fields
  const flags =
    (fields.reservedFlags ?? 0) | presenceBits(dictionaryId, undefined, contentChecksum, contentSize, blockChecksums)
  const independence = (fields.isIndependent ?? true) ? 0x20 : 0
  const descriptor: Buffer[] = [
    Buffer.from([((fields.version ?? 1) << 6) | independence | flags, fields.blockDescriptor ?? 0x40])
  ]
  if (contentSize !== undefined) descriptor.push(uint32(contentSize), uint32(0))
  if (dictionaryId !== undefined) descriptor.push(uint32(dictionaryId))
  const headerChecksum = (xxhash32(Buffer.concat(descriptor)) >>> 8) ^ (fields.headerChecksum === 'wrong' ? 1 : 0)
  const parts = [uint32(fields.magic ?? 0x184d2204), ...descriptor, Buffer.from([headerChecksum])]
  for (const block of slices(plain, blockBytes)) {
    parts.push(uint32(0x8000_0000 + block.length), block)
    if (blockChecksums) parts.push(uint32(xxhash32(block) ^ (blockChecksums === 'wrong' ? 1 : 0)))
  }
  if (fields.hasEndMark ?? true) parts.push(uint32(0))
  if (contentChecksum) parts.push(uint32(xxhash32(plain) ^ (contentChecksum === 'wrong' ? 1 : 0)))
  return Buffer.concat(parts)
}

export interface XerialFields {
  readonly version?: number
  readonly compatibleVersion?: number
  readonly blockBytes?: number
}

/** Snappy in the framing of the xerial library, with literals only. */
export function xerialStream(plain: Buffer, fields: XerialFields = {}): Buffer {
  const { version = 1, compatibleVersion = 1, blockBytes = 0x8000 } = fields
  const parts = [Buffer.from('82534e4150505900', 'hex'), int32BE(version), int32BE(compatibleVersion)]
  for (const slice of slices(plain, blockBytes)) {
    const block = snappyBlock(slice)
    parts.push(int32BE(block.length), block)
  }
  return Buffer.concat(parts)
}

/** One bare Snappy block of literals. */
export function snappyBlock(plain: Buffer): Buffer {
  const parts = [varint(plain.length)]
  for (const literal of slices(plain, 60)) parts.push(Buffer.from([(literal.length - 1) << 2]), literal)
  return Buffer.concat(parts)
}

export interface ZstdFields {
  readonly magic?: number
  /** Added to the frame header descriptor. */
  readonly descriptor?: number
  readonly windowLog?: number
  readonly contentSize?: number
  readonly dictionaryId?: number
  readonly blockBytes?: number
  readonly blockType?: number
  readonly hasLastBlock?: boolean
  readonly checksum?: 'valid' | 'wrong'
}

/** One Zstandard frame (RFC 8878) of stored blocks. */
export function zstdFrame(plain: Buffer, fields: ZstdFields = {}): Buffer {
  const { contentSize, dictionaryId, checksum, windowLog = 20, blockBytes = 100_000, blockType = 0 } = fields
  const flags = presenceBits(dictionaryId, undefined, checksum) | (contentSize === undefined ? 0 : 0x80)
  const parts = [
    uint32(fields.magic ?? 0xfd2f_b528),
    Buffer.from([(fields.descriptor ?? 0) | flags, (windowLog - 10) << 3])
  ]
  if (dictionaryId !== undefined) parts.push(Buffer.from([dictionaryId]))
  if (contentSize !== undefined) parts.push(uint32(contentSize))
  const blocks = plain.length === 0 ? [plain] : slices(plain, blockBytes)
  for (const [index, block] of blocks.entries()) {
    const isLast = index === blocks.length - 1 && (fields.hasLastBlock ?? true)
    parts.push(uint32((block.length << 3) | (blockType << 1) | (isLast ? 1 : 0)).subarray(0, 3), block)
  }
  if (checksum !== undefined) {
    parts.push(uint32(Number(xxh64(plain) & 0xffff_ffffn) ^ (checksum === 'wrong' ? 1 : 0)))
  }
  return Buffer.concat(parts)
}

/** A frame that decoders of LZ4 and Zstandard skip. `size` is the declared size. */
export function skippableFrame(content: string, size = content.length): Buffer {
  return Buffer.concat([uint32(0x184d_2a50), uint32(size), Buffer.from(content)])
}

/** One bit for each present field, from the lowest bit. */
function presenceBits(...fields: readonly unknown[]): number {
  return fields.reduce<number>((bits, field, index) => bits | (field === undefined ? 0 : 1 << index), 0)
}

function slices(bytes: Buffer, sliceBytes: number): Buffer[] {
  const count = Math.ceil(bytes.length / sliceBytes)
  return Array.from({ length: count }, (_, index) => bytes.subarray(index * sliceBytes, (index + 1) * sliceBytes))
}

function uint16(value: number): Buffer {
  const bytes = Buffer.alloc(2)
  bytes.writeUInt16LE(value)
  return bytes
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value >>> 0)
  return bytes
}

function int32BE(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}

function varint(value: number): Buffer {
  const bytes: number[] = []
  for (let rest = value; ; rest >>>= 7) {
    if (rest < 0x80) return Buffer.from([...bytes, rest])
    bytes.push((rest & 0x7f) | 0x80)
  }
}
