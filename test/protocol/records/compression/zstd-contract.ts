/** The contract of zstd: the contract of every codec, and zstd-jni's rules for frames. */
import { describe, expect, test } from 'vitest'
import type { CompressionCodec } from '../../../../src/protocol/records/compression/codec.ts'
import { codecContract, sample, whole } from './contract.ts'
import { skippableFrame, zstdFrame } from './frames.ts'

const LIMIT = 5_000_000
const KAFKA_READS = 131_075

export function zstdContract(name: string, codec: CompressionCodec): void {
  const compress = (bytes: Buffer, level?: number) => whole(codec.compress(bytes, level))
  const read = (...parts: readonly Buffer[]) => whole(codec.decompress(Buffer.concat(parts), LIMIT))
  const records = Buffer.from('records of a batch')

  codecContract(name, codec)

  describe(`frames of ${name}`, () => {
    test(`${name} compresses better at higher levels, including negative ones`, () => {
      const bytes = Buffer.from(sample(200_000).map((byte, index) => (index % 3 === 0 ? byte : index % 100)))
      const frames = [-50, 1, 19].map(level => compress(bytes, level))
      for (const frame of frames) expect(read(frame).equals(bytes)).toBe(true)
      const lengths = frames.map(frame => frame.length)
      expect(lengths).toEqual(lengths.toSorted((a, b) => b - a))
      expect(new Set(lengths).size).toBe(lengths.length)
    })

    test(`${name} reads all frames, including skippable and empty ones`, () => {
      const empty = compress(Buffer.alloc(0))
      const skippable = skippableFrame('passed over')
      expect(`${read(skippable, compress(records), empty, skippable, zstdFrame(records), skippable)}`).toBe(
        `${records}${records}`
      )
      expect(read().length).toBe(0)
      expect(read(skippable).length).toBe(0)
    })

    test(`${name} reads thousands of tiny frames into full pieces`, () => {
      const frames = Buffer.concat(Array.from({ length: 20_000 }, () => compress(Buffer.from('ab'))))
      const pieces = [...codec.decompress(frames, LIMIT)]
      expect(pieces.map(piece => piece.length)).toEqual([16_384, 23_616])
    })

    test(`${name} reads frames that end where a piece or an input ends`, () => {
      for (const length of [16_384, 147_456, KAFKA_READS]) {
        const bytes = sample(length)
        expect(read(compress(bytes), compress(Buffer.alloc(0))).equals(bytes)).toBe(true)
        const stored = zstdFrame(bytes, { windowLog: 20 })
        const padding = skippableFrame('x'.repeat((2 * KAFKA_READS - 8 - (stored.length % KAFKA_READS)) % KAFKA_READS))
        expect(read(padding, stored).equals(bytes)).toBe(true)
      }
    })

    test(`${name} returns the bytes before a cut and refuses the frame that is cut off`, () => {
      const bytes = sample(400_000)
      const frame = zstdFrame(bytes)
      for (const length of [1, 5, 100_000, 300_000, frame.length - 1]) {
        const pieces: Buffer[] = []
        const readPieces = () => {
          for (const piece of codec.decompress(frame.subarray(0, length), LIMIT)) pieces.push(piece)
        }
        expect(readPieces, `cut at ${length}`).toThrow('a frame is truncated')
        const output = Buffer.concat(pieces)
        expect(output.equals(bytes.subarray(0, output.length)), `cut at ${length}`).toBe(true)
        expect(output.length, `cut at ${length}`).toBeGreaterThanOrEqual(length - 100)
      }
    })

    test(`${name} accepts a cut skippable frame after a frame that ended in the same input, as zstd-jni does`, () => {
      const cut = skippableFrame('passed over', 0xf000_0000)
      expect(`${read(compress(records), cut)}`).toBe(`${records}`)
      expect(() => read(cut)).toThrow('a frame is truncated')
      const bytes = sample(KAFKA_READS)
      expect(() => read(compress(records), zstdFrame(bytes, { blockBytes: 50_000 }).subarray(0, -1))).toThrow(
        'a frame is truncated'
      )
    })

    test(`${name} refuses windows above 128 MiB, as Kafka does, without an allocation`, () => {
      const bytes = sample(30_000)
      expect(read(zstdFrame(bytes, { windowLog: 27 })).equals(bytes)).toBe(true)
      expect(() => read(zstdFrame(bytes, { windowLog: 28 }))).toThrow()
      expect(() => read(zstdFrame(bytes, { windowLog: 28, contentSize: bytes.length }))).toThrow()
    })

    test(`${name} refuses a frame with a wrong content size, another magic or a dictionary`, () => {
      expect(() => read(zstdFrame(records, { contentSize: records.length + 1 }))).toThrow()
      expect(() => read(zstdFrame(records, { magic: 0xfd2f_b527 }))).toThrow()
      expect(() => read(zstdFrame(records, { dictionaryId: 7 }))).toThrow()
    })
  })
}
