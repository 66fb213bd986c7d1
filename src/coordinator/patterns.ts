/** Regular expressions that clients send: RE2's language, as in Kafka, in linear time whatever they are. */
import { RE2JS, RE2JSException } from 're2js'
import { KafkaError } from '../protocol/errors.ts'

/** A compiled expression. */
export interface Pattern {
  /** Whether it matches the whole of a text. */
  matches(text: string): boolean
}

/**
 * The most instructions that an expression may come to. Each of them may cost time for each character of a text, and a few
 * characters may stand for a million of them: `(a?){1000}(a?){1000}...`. A list of 400 topic names is well below.
 */
const MAX_INSTRUCTIONS = 10_000

/** What RE2 allows repetitions within each other to come to. */
const MAX_NESTED_REPEAT = 1_000

/** Throws INVALID_REGULAR_EXPRESSION for what is none, and for what is too large. */
export function compilePattern(expression: string): Pattern {
  if (sizeBound(expression) > MAX_INSTRUCTIONS) {
    throw new KafkaError(
      'INVALID_REGULAR_EXPRESSION',
      `a regular expression has ${MAX_INSTRUCTIONS} instructions at most`
    )
  }
  try {
    const compiled = RE2JS.compile(expression)
    return { matches: text => compiled.matches(text) }
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error
    throw new KafkaError('INVALID_REGULAR_EXPRESSION', `${expression} is no regular expression: ${error.message}`)
  }
}

/**
 * What the expression comes to at most, without a look at its structure: a character is an instruction or less, a repeated
 * one as many as it says, and a repeated group repeats any of those.
 */
function sizeBound(expression: string): number {
  let size = expression.length
  let groups = 1
  for (const [, before, min, max] of expression.matchAll(/(.)\{(\d+)(?:,(\d*))?\}/gs)) {
    const times = Math.max(1, Number(max || min))
    if (before === ')') groups = Math.min(groups * times, MAX_NESTED_REPEAT)
    else size += times
  }
  return size * groups
}
