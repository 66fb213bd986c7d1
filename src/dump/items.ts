/**
 * What a dump consists of: items, each a list of labelled values. Kafka's own lines are `label: value` pairs, so text
 * and JSON are two ways to write the same item, and everything before them knows neither.
 */

/** Text that is JSON already: what a decoder made of a key or value. */
export class Json {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** A number that may be missing, as Java prints it; null in JSON. */
export class OptionalLong {
  readonly value: bigint | undefined

  constructor(value: bigint | undefined) {
    this.value = value
  }
}

export type ItemValue = bigint | number | string | boolean | readonly string[] | OptionalLong | Json

/** A label and its value. */
export type Pair = readonly [label: string, value: ItemValue]

/** What an item is about. Findings and problems are for stderr; problems end in exit code 1. */
export type ItemKind = 'file' | 'log' | 'batch' | 'record' | 'entry' | 'note' | 'finding' | 'problem'

export interface Item {
  readonly kind: ItemKind
  readonly pairs: readonly Pair[]
  /** The line, where it is not made of the pairs. */
  readonly text?: string
}

/** Bytes that are not what they should be, or cannot be read at all: where and what. */
export function problem(path: string, position: number | undefined, message: string): Item {
  const at = position === undefined ? '' : ` position ${position}:`
  const pairs: Pair[] = [['file', path]]
  if (position !== undefined) pairs.push(['position', position])
  return { kind: 'problem', pairs: [...pairs, ['what', message]], text: `${path}:${at} ${message}` }
}
