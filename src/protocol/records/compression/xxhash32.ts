/** xxHash32 with seed 0: the checksum of LZ4 frames. Of headers (a few bytes) and, where a frame has them, blocks. */

const PRIME_1 = 0x9e3779b1
const PRIME_2 = 0x85ebca77
const PRIME_3 = 0xc2b2ae3d
const PRIME_4 = 0x27d4eb2f
const PRIME_5 = 0x165667b1

/** The hash of all of `bytes`, unsigned. */
export function xxhash32(bytes: Buffer): number {
  const stripesEnd = bytes.length - (bytes.length % 16)
  let hash = (stripesEnd > 0 ? hashStripes(bytes, stripesEnd) : PRIME_5) + bytes.length
  let position = stripesEnd
  for (; position + 4 <= bytes.length; position += 4) {
    hash = Math.imul(rotate(hash + Math.imul(bytes.readInt32LE(position), PRIME_3), 17), PRIME_4)
  }
  for (; position < bytes.length; position++) {
    hash = Math.imul(rotate(hash + Math.imul(bytes.readUInt8(position), PRIME_5), 11), PRIME_1)
  }
  hash = Math.imul(hash ^ (hash >>> 15), PRIME_2)
  hash = Math.imul(hash ^ (hash >>> 13), PRIME_3)
  return (hash ^ (hash >>> 16)) >>> 0
}

/** Four lanes, each over every fourth word. */
function hashStripes(bytes: Buffer, end: number): number {
  let first = (PRIME_1 + PRIME_2) | 0
  let second = PRIME_2 | 0
  let third = 0
  let fourth = -PRIME_1 | 0
  for (let position = 0; position < end; position += 16) {
    first = mixLane(first, bytes.readInt32LE(position))
    second = mixLane(second, bytes.readInt32LE(position + 4))
    third = mixLane(third, bytes.readInt32LE(position + 8))
    fourth = mixLane(fourth, bytes.readInt32LE(position + 12))
  }
  return rotate(first, 1) + rotate(second, 7) + rotate(third, 12) + rotate(fourth, 18)
}

function mixLane(lane: number, word: number): number {
  return Math.imul(rotate(lane + Math.imul(word, PRIME_2), 13), PRIME_1)
}

function rotate(value: number, bits: number): number {
  return (value << bits) | (value >>> (32 - bits))
}
