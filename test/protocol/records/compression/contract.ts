/** The contract of every codec and of each of its implementations. */
import { describe, expect, test } from 'vitest'
import type { CompressionCodec } from '../../../../src/protocol/records/compression/codec.ts'
import { seededRandom } from '../../../../src/runtime/random.ts'

/** Node's zlib returns the output of gzip in one piece, so the limit applies to that piece. */
const LIMIT = 5_000_000
const BOMB_BYTES = 64 * 1024 * 1024

/** Half random bytes, half repetition. */
export function sample(length: number): Buffer {
  const noise = seededRandom(length).bytes(length / 2)
  return Buffer.concat([noise, Buffer.alloc(length - noise.length, 'again and ')])
}

/** All pieces of the compressed bytes, or of the decompressed bytes. */
export function whole(pieces: Iterable<Buffer>): Buffer {
  return Buffer.concat([...pieces])
}

export function codecContract(name: string, codec: CompressionCodec): void {
  const compress = (bytes: Buffer, level?: number) => whole(codec.compress(bytes, level))
  const decompress = (bytes: Buffer, limit = LIMIT) => whole(codec.decompress(bytes, limit))

  describe(name, () => {
    test.each([0, 1, 100, 16_384, 65_536, 65_537, 131_072, 1_000_000])(`${name} round-trips %i bytes`, length => {
      const bytes = sample(length)
      expect(decompress(compress(bytes)).equals(bytes)).toBe(true)
    })

    test(`${name} accepts compression levels`, () => {
      const bytes = sample(1000)
      for (const level of [1, 9]) expect(decompress(compress(bytes, level)).equals(bytes)).toBe(true)
    })

    test(`${name} returns a decompression bomb in pieces within the limit, or refuses it`, () => {
      const bomb = compress(Buffer.alloc(BOMB_BYTES))
      let total = 0
      const read = () => {
        for (const piece of codec.decompress(bomb, LIMIT)) {
          total += piece.length
          expect(piece.buffer.byteLength).toBeLessThanOrEqual(LIMIT)
          if (total > LIMIT) throw new RangeError('the limit')
        }
      }
      expect(read).toThrow(RangeError)
      expect(total).toBeLessThan(2 * LIMIT)
    })

    test(`${name} refuses random bytes, and reads the next input correctly`, () => {
      const bytes = sample(100_000)
      const compressed = compress(bytes)
      for (let seed = 0; seed < 20; seed++) {
        const noise = seededRandom(seed).bytes(100)
        expect(() => decompress(noise), `seed ${seed}`).toThrow()
        expect(decompress(compressed).equals(bytes)).toBe(true)
      }
    })

    test(`${name} with a flipped bit is refused or read, and the next input is read completely`, () => {
      const bytes = sample(30_000)
      const compressed = compress(bytes)
      const random = seededRandom(1)
      for (let count = 0; count < 200; count++) {
        const damaged = Buffer.from(compressed)
        const at = random.below(damaged.length)
        damaged.writeUInt8(damaged.readUInt8(at) ^ (1 << random.below(8)), at)
        readAnyway(codec, damaged)
        expect(decompress(compressed).equals(bytes), `after damage at ${at}`).toBe(true)
      }
    })

    test(`iterations of ${name} that are abandoned after any piece leave no resources behind`, () => {
      const bytes = sample(600_000)
      const compressed = compress(bytes)
      for (const returns of [true, false]) {
        for (let pieces = 1; pieces <= 3; pieces++) {
          const iterator = codec.decompress(compressed, LIMIT)[Symbol.iterator]()
          for (let count = 0; count < pieces; count++) iterator.next()
          if (returns) iterator.return?.()
          expect(decompress(compressed).equals(bytes)).toBe(true)
        }
      }
    })

    test(`two interleaved iterations of ${name} are independent`, () => {
      const inputs = [sample(500_000), sample(500_001)]
      const iterators = inputs.map(bytes => codec.decompress(compress(bytes), LIMIT)[Symbol.iterator]())
      const outputs: Buffer[][] = inputs.map(() => [])
      for (let open = iterators.length; open > 0; ) {
        open = iterators.filter((iterator, index) => {
          const { done, value } = iterator.next()
          if (!done) outputs[index]?.push(value)
          return !done
        }).length
      }
      expect(outputs.map(pieces => Buffer.concat(pieces).equals(inputs.shift() ?? Buffer.alloc(0)))).toEqual([
        true,
        true
      ])
    })
  })
}

/** Reads bytes that may be damaged. Both an error and an end are valid. */
function readAnyway(codec: CompressionCodec, bytes: Buffer): void {
  let total = 0
  try {
    for (const piece of codec.decompress(bytes, LIMIT)) {
      total += piece.length
      if (total > LIMIT) return
    }
  } catch (error) {
    expect(error).toBeInstanceOf(Error)
  }
}
