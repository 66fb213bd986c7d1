/** Regular expressions of clients: RE2 syntax, as in Kafka. Matching takes linear time for every expression. */
import { RE2JS, RE2JSException } from 're2js'
import { KafkaError } from '../protocol/errors.ts'

/** A compiled regular expression. */
export interface Pattern {
  /** True if the expression matches the whole text. */
  matches(text: string): boolean
}

/**
 * Limit on the instructions of a compiled expression. Each instruction may cost time for each character of a text, and a short
 * expression can have a million instructions: `(a?){1000}(a?){1000}...`. A list of 400 topic names stays well below the limit.
 */
const MAX_INSTRUCTIONS = 10_000

/** RE2's limit on the product of nested repetitions. */
const MAX_NESTED_REPEAT = 1_000

/** Compiles an expression. Throws INVALID_REGULAR_EXPRESSION if it is malformed or too large. */
export function compilePattern(expression: string): Pattern {
  if (sizeBound(expression) > MAX_INSTRUCTIONS) {
    throw new KafkaError(
      'INVALID_REGULAR_EXPRESSION',
      `the regular expression has more than ${MAX_INSTRUCTIONS} instructions`
    )
  }
  try {
    const compiled = RE2JS.compile(expression)
    return { matches: text => compiled.matches(text) }
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error
    throw new KafkaError(
      'INVALID_REGULAR_EXPRESSION',
      `the regular expression ${expression} is invalid: ${error.message}`
    )
  }
}

/**
 * Upper bound of the instructions of an expression, computed without parsing it. A character counts as one instruction, a
 * repeated character as many as its maximum, and a repeated group multiplies the whole size.
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
