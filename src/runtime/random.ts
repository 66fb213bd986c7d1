/** Port for random values, so that tests can reproduce them. */
import { randomBytes } from 'node:crypto'

export interface Random {
  /** `length` random bytes. */
  bytes(length: number): Buffer
  /** A random integer from 0 to `bound`, exclusive. */
  below(bound: number): number
}

/** Random values from the operating system. */
export const systemRandom: Random = {
  bytes: length => randomBytes(length),
  below: bound => (bound <= 1 ? 0 : Number(randomBytes(6).readUIntBE(0, 6) % bound))
}

/** A reproducible sequence (mulberry32) for tests and simulations. Not for ids that must be unpredictable. */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
  return {
    bytes: length => Buffer.from(Uint8Array.from({ length }, () => next() & 0xff)),
    below: bound => (bound <= 1 ? 0 : Math.floor((next() / 2 ** 32) * bound))
  }
}

/**
 * A random (version 4) UUID in Kafka's text form: 22 characters of base64url. As in Kafka it never begins with '-', so that it is
 * usable as a command-line argument.
 */
export function randomUuid(random: Random): string {
  for (;;) {
    const text = randomUuidBytes(random).toString('base64url')
    if (!text.startsWith('-')) return text
  }
}

/** The 16 bytes of a random (version 4) UUID. */
export function randomUuidBytes(random: Random): Buffer {
  const bytes = random.bytes(16)
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x40, 6)
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8)
  return bytes
}
