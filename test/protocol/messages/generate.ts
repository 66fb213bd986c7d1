/**
 * Random values of a shape at a version, as decoding returns them: fields that the version lacks have their defaults. A seed
 * drives the values. Extremes, empty values, nulls and defaults are frequent, because codecs fail there.
 */
import { ERROR_CODES, type ErrorName } from '../../../src/protocol/errors.ts'
import type { AnyField, Decoded, FixedType, Shape, Wire } from '../../../src/protocol/wire/schema.ts'
import { type Random, randomUuid } from '../../../src/runtime/random.ts'

type Value = unknown

const ERROR_NAMES = Object.keys(ERROR_CODES) as ErrorName[]
/** Letters of one, two, three and four bytes of UTF-8. */
const LETTERS = ['a', 'Z', '0', '-', '.', '_', '"', 'é', '語', '🦆']
/** Compact lengths need a second byte from 127; the chunks of reader and writer end near 256 and 4096. */
const LONG_LENGTHS = [126, 127, 128, 255, 300, 4096, 5000]
const MOST_ELEMENTS = 3

/** One message of `shape` at `version`. */
export function generate<S extends Shape>(shape: S, version: number, random: Random): Decoded<S> {
  const entries = Object.entries(shape).map(([name, field]) => [name, generateField(field, version, random)])
  return Object.fromEntries(entries) as Decoded<S>
}

function generateField(field: AnyField, version: number, random: Random): Value {
  const { since, until, nullableSince, tag } = field.traits
  if (version < since || version > until) return field.absent
  if (tag >= 0 && random.below(3) === 0) return field.absent
  if (version >= nullableSince && random.below(4) === 0) return null
  return generateWire(field.wire, version, random)
}

function generateWire(wire: Wire, version: number, random: Random): Value {
  switch (wire.kind) {
    case 'fixed':
      return generateFixed(wire.type, random)
    case 'string':
      return Array.from({ length: generateLength(random) }, () => pick(LETTERS, random)).join('')
    case 'bytes':
    case 'records':
      return random.bytes(generateLength(random))
    case 'array':
      return Array.from({ length: random.below(MOST_ELEMENTS + 1) }, () => generateField(wire.of, version, random))
    case 'struct':
      return generate(wire.shape, version, random)
  }
}

function generateLength(random: Random): number {
  return random.below(40) === 0 ? pick(LONG_LENGTHS, random) : random.below(9)
}

function generateFixed(type: FixedType, random: Random): Value {
  switch (type) {
    case 'boolean':
      return random.below(2) === 1
    case 'int8':
      return generateInteger(-(2 ** 7), 2 ** 7 - 1, random)
    case 'int16':
      return generateInteger(-(2 ** 15), 2 ** 15 - 1, random)
    case 'uint16':
      return generateInteger(0, 2 ** 16 - 1, random)
    case 'int32':
      return generateInteger(-(2 ** 31), 2 ** 31 - 1, random)
    case 'uint32':
      return generateInteger(0, 2 ** 32 - 1, random)
    case 'int64':
      return pick([0n, 1n, -1n, -(2n ** 63n), 2n ** 63n - 1n, random.bytes(8).readBigInt64BE()], random)
    case 'float64':
      return pick([0, -1.5, Number.MAX_VALUE, Number.MIN_VALUE, random.below(2 ** 31) / 7], random)
    case 'uuid':
      return randomUuid(random)
    case 'errorCode':
      return pick(ERROR_NAMES, random)
  }
}

function generateInteger(lowest: number, highest: number, random: Random): number {
  const anywhere = lowest + random.below(highest - lowest + 1)
  return pick([0, 1, lowest < 0 ? -1 : 2, lowest, highest, anywhere, anywhere], random)
}

function pick<T>(choices: readonly T[], random: Random): T {
  const chosen = choices[random.below(choices.length)]
  if (chosen === undefined) throw new RangeError('nothing to choose from')
  return chosen
}
