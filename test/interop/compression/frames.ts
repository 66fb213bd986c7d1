/** Compressed frames of each codec: valid, unusual and damaged. */
import { deflateSync } from 'node:zlib'
import { type Compression, compress } from '../../../src/protocol/records/compression/codecs.ts'
import {
  type Frame,
  gzipMember,
  lz4Frame,
  skippableFrame,
  snappyBlock,
  xerialStream,
  zstdFrame
} from '../../protocol/records/compression/frames.ts'

type Frames = Readonly<Record<string, Frame>>

const LENGTHS = [1, 2, 3, 4, 5, 7, 8, 9, 10, 17, 18, 19, 20, 40]

/** The frame of our own codec. */
const ours =
  (codec: Compression, level?: number): Frame =>
  plain =>
    Buffer.concat([...compress(codec, plain, level)])

/** Two frames, each with one half of the bytes. */
function halves(first: Frame, second: Frame = first): Frame {
  return plain => {
    const middle = plain.length >> 1
    return Buffer.concat([first(plain.subarray(0, middle)), second(plain.subarray(middle))])
  }
}

/** The frame followed by other bytes. */
function followed(frame: Frame, after: Buffer | Frame): Frame {
  return plain => Buffer.concat([frame(plain), typeof after === 'function' ? after(plain) : after])
}

/** The frame up to `end`; a negative `end` counts from the end of the frame. */
function cut(frame: Frame, end: number): Frame {
  return plain => frame(plain).subarray(0, end)
}

/** The frame with one changed byte; a negative position counts from the end of the frame. */
function damaged(frame: Frame, position: number): Frame {
  return plain => {
    const bytes = Buffer.from(frame(plain))
    const at = position < 0 ? bytes.length + position : position
    bytes.writeUInt8(bytes.readUInt8(at) ^ 0x55, at)
    return bytes
  }
}

/** The frame followed by zeros or other bytes, and truncated to several lengths. */
function ends(frame: Frame): Frames {
  return Object.fromEntries(
    LENGTHS.flatMap(length => [
      [`${length} zeros after the end`, followed(frame, Buffer.alloc(length))],
      [`${length} bytes after the end`, followed(frame, Buffer.alloc(length, 'junk '))],
      [`${length} bytes of 255 after the end`, followed(frame, Buffer.alloc(length, 0xff))],
      [`without its last ${length} bytes`, cut(frame, -length)],
      [`its first ${length} bytes`, cut(frame, length)]
    ])
  )
}

const none: Frame = () => Buffer.alloc(0)
const empty =
  (frame: Frame): Frame =>
  () =>
    frame(Buffer.alloc(0))

const everyField = { extra: 'extra', name: 'file', comment: 'a comment', headerCrc: 'valid' } as const
const gzip: Frames = {
  'no bytes': none,
  ours: ours('gzip'),
  'ours, level 1': ours('gzip', 1),
  stored: plain => gzipMember(plain, { level: 0 }),
  ...ends(gzipMember),
  '9000 bytes after the end': followed(gzipMember, Buffer.alloc(9000, 'junk ')),
  'zlib instead of gzip': plain => deflateSync(plain),
  'two members': halves(gzipMember),
  'two stored members': halves(plain => gzipMember(plain, { level: 0 })),
  'the member twice': followed(gzipMember, gzipMember),
  'an empty member first': followed(empty(gzipMember), gzipMember),
  'an empty member last': followed(gzipMember, empty(gzipMember)),
  'every field': plain => gzipMember(plain, everyField),
  'every field in both members': halves(plain => gzipMember(plain, everyField)),
  'reserved flags': plain => gzipMember(plain, { flags: 0xe1 }),
  'a wrong header checksum': plain => gzipMember(plain, { headerCrc: 'wrong' }),
  'a wrong header checksum in the second member': halves(gzipMember, plain =>
    gzipMember(plain, { headerCrc: 'wrong' })
  ),
  'another member with a wrong header checksum': followed(gzipMember, plain =>
    gzipMember(plain, { headerCrc: 'wrong' })
  ),
  'a wrong checksum': plain => gzipMember(plain, { crc: 1 }),
  'a wrong size': plain => gzipMember(plain, { size: 1 }),
  'a wrong checksum in the first member': halves(plain => gzipMember(plain, { crc: 1 }), gzipMember),
  'a wrong checksum in the second member': halves(gzipMember, plain => gzipMember(plain, { crc: 1 })),
  'another compression method': plain => gzipMember(plain, { method: 7 }),
  'another magic': plain => gzipMember(plain, { magic: 0x8c1f }),
  'another member cut in its header': followed(gzipMember, cut(gzipMember, 8)),
  'another member cut after its header': followed(gzipMember, cut(gzipMember, 18)),
  'another member cut in its data': followed(gzipMember, cut(gzipMember, 30)),
  'another member cut in its trailer': followed(gzipMember, cut(gzipMember, -1)),
  'another member with damaged data': followed(gzipMember, damaged(gzipMember, 10)),
  'another member with an endless name': followed(
    gzipMember,
    cut(plain => gzipMember(plain, { name: 'x'.repeat(40) }), 40)
  ),
  'another member with a cut extra field': followed(
    gzipMember,
    cut(plain => gzipMember(plain, { extra: 'x'.repeat(40) }), 40)
  ),
  'damage at the begin of the data': damaged(gzipMember, 10),
  'damage in the data': damaged(gzipMember, 200)
}

const snappy: Frames = {
  'no bytes': none,
  ours: ours('snappy'),
  'a bare block': snappyBlock,
  ...ends(xerialStream),
  ...Object.fromEntries(
    [1, 4, 20].flatMap(length => [
      [`a bare block, ${length} bytes after the end`, followed(snappyBlock, Buffer.alloc(length))],
      [`a bare block without its last ${length} bytes`, cut(snappyBlock, -length)]
    ])
  ),
  'many blocks': plain => xerialStream(plain, { blockBytes: 50 }),
  'version 2': plain => xerialStream(plain, { version: 2 }),
  'version 2, compatible with 2': plain => xerialStream(plain, { version: 2, compatibleVersion: 2 }),
  'version 0': plain => xerialStream(plain, { version: 0, compatibleVersion: 0 }),
  'a negative version': plain => xerialStream(plain, { version: -1, compatibleVersion: -1 }),
  'compatible with 5': plain => xerialStream(plain, { compatibleVersion: 5 }),
  'two streams': halves(xerialStream),
  'a header alone': empty(xerialStream),
  'another header': followed(xerialStream, empty(xerialStream)),
  'another header of version 3': followed(
    xerialStream,
    empty(plain => xerialStream(plain, { version: 3, compatibleVersion: 3 }))
  ),
  'half of another header': followed(xerialStream, cut(empty(xerialStream), 8)),
  'three quarters of another header': followed(xerialStream, cut(empty(xerialStream), 12)),
  'an empty block': followed(xerialStream, Buffer.from([0, 0, 0, 1, 0])),
  'a block of no bytes': followed(xerialStream, Buffer.alloc(4)),
  'a damaged block': followed(xerialStream, Buffer.from([0, 0, 0, 3, 9, 1, 1])),
  'a block that is cut off': followed(xerialStream, Buffer.from([0, 0, 0, 30, 9, 1, 1])),
  'a block of negative size': followed(xerialStream, Buffer.from([255, 255, 255, 250, 9, 1, 1])),
  'a bare block that claims more': damaged(snappyBlock, 0)
}

const lz4: Frames = {
  'no bytes': none,
  ours: ours('lz4'),
  stored: lz4Frame,
  ...ends(lz4Frame),
  'a content checksum': plain => lz4Frame(plain, { contentChecksum: 'valid' }),
  'a wrong content checksum': plain => lz4Frame(plain, { contentChecksum: 'wrong' }),
  'a cut content checksum': cut(plain => lz4Frame(plain, { contentChecksum: 'valid' }), -2),
  'no content checksum where it is announced': cut(plain => lz4Frame(plain, { contentChecksum: 'valid' }), -4),
  'block checksums': plain => lz4Frame(plain, { blockChecksums: 'valid' }),
  'wrong block checksums': plain => lz4Frame(plain, { blockChecksums: 'wrong' }),
  'a content size': plain => lz4Frame(plain, { contentSize: plain.length }),
  'a wrong content size': plain => lz4Frame(plain, { contentSize: plain.length + 1 }),
  'a dictionary': plain => lz4Frame(plain, { dictionaryId: 7 }),
  'linked blocks': plain => lz4Frame(plain, { isIndependent: false, blockBytes: 40 }),
  'many blocks': plain => lz4Frame(plain, { blockBytes: 50 }),
  'blocks of 256 KiB': plain => lz4Frame(plain, { blockDescriptor: 0x50, blockBytes: 200_000 }),
  'blocks of 4 MiB': plain => lz4Frame(plain, { blockDescriptor: 0x70, blockBytes: 1_000_000 }),
  'blocks above the largest size': plain => lz4Frame(plain, { blockBytes: 100_000 }),
  'block size 3': plain => lz4Frame(plain, { blockDescriptor: 0x30 }),
  'block size 8': plain => lz4Frame(plain, { blockDescriptor: 0x80 }),
  'reserved bits of the block descriptor': plain => lz4Frame(plain, { blockDescriptor: 0x41 }),
  'reserved flags': plain => lz4Frame(plain, { reservedFlags: 2 }),
  'version 0': plain => lz4Frame(plain, { version: 0 }),
  'version 2': plain => lz4Frame(plain, { version: 2 }),
  'a wrong header checksum': plain => lz4Frame(plain, { headerChecksum: 'wrong' }),
  'another magic': plain => lz4Frame(plain, { magic: 0x184c_2102 }),
  'no end mark': plain => lz4Frame(plain, { hasEndMark: false }),
  'two frames': halves(lz4Frame),
  'the frame twice': followed(lz4Frame, lz4Frame),
  'a skippable frame first': plain => Buffer.concat([skippableFrame('skipped'), lz4Frame(plain)]),
  'a skippable frame last': followed(lz4Frame, skippableFrame('skipped')),
  'damaged records': damaged(lz4Frame, 20),
  'a damaged block size': damaged(lz4Frame, 9)
}

const skippable: Frame = () => skippableFrame('skipped')
const zstd: Frames = {
  'no bytes': none,
  ours: ours('zstd'),
  'ours, level 19': ours('zstd', 19),
  stored: zstdFrame,
  ...ends(zstdFrame),
  'two frames': halves(ours('zstd')),
  'the frame twice': followed(zstdFrame, zstdFrame),
  'an empty frame first': followed(empty(zstdFrame), zstdFrame),
  'an empty frame last': followed(zstdFrame, empty(zstdFrame)),
  'a skippable frame first': followed(skippable, zstdFrame),
  'a skippable frame last': followed(zstdFrame, skippable),
  'an empty skippable frame last': followed(zstdFrame, skippableFrame('')),
  'skippable frames alone': followed(skippable, skippable),
  'a cut skippable frame last': followed(zstdFrame, cut(skippable, -1)),
  'a cut skippable frame alone': cut(skippable, -1),
  'a cut header of a skippable frame last': followed(zstdFrame, cut(skippable, 6)),
  'a skippable frame that claims gigabytes last': followed(zstdFrame, skippableFrame('skipped', 0xf000_0000)),
  ...Object.fromEntries(
    [10, 17, 20, 27, 28, 31].map(windowLog => [`a window of 2^${windowLog}`, plain => zstdFrame(plain, { windowLog })])
  ),
  'a window of 2^28 with the content size': plain => zstdFrame(plain, { windowLog: 28, contentSize: plain.length }),
  'many blocks': plain => zstdFrame(plain, { blockBytes: 50 }),
  'blocks above the largest size': plain => zstdFrame(plain, { blockBytes: 131_073 }),
  'a content size': plain => zstdFrame(plain, { contentSize: plain.length }),
  'a wrong content size': plain => zstdFrame(plain, { contentSize: plain.length + 1 }),
  'a dictionary': plain => zstdFrame(plain, { dictionaryId: 7 }),
  'no dictionary by its id': plain => zstdFrame(plain, { dictionaryId: 0 }),
  'the reserved bit': plain => zstdFrame(plain, { descriptor: 8 }),
  'the unused bit': plain => zstdFrame(plain, { descriptor: 16 }),
  'the reserved block type': plain => zstdFrame(plain, { blockType: 3 }),
  'a checksum': plain => zstdFrame(plain, { checksum: 'valid' }),
  'a wrong checksum': plain => zstdFrame(plain, { checksum: 'wrong' }),
  'a cut checksum': cut(plain => zstdFrame(plain, { checksum: 'valid' }), -1),
  'no checksum where it is announced': cut(plain => zstdFrame(plain, { checksum: 'valid' }), -4),
  'no last block': plain => zstdFrame(plain, { hasLastBlock: false }),
  'the magic of version 0.7': plain => zstdFrame(plain, { magic: 0xfd2f_b527 }),
  'damaged records': damaged(zstdFrame, 20),
  'damaged literals': damaged(ours('zstd'), 20),
  'a damaged end': damaged(ours('zstd'), -3)
}

export const FRAMES: Readonly<Record<Compression, Frames>> = { gzip, snappy, lz4, zstd }
