/** Regular expressions that clients send: RE2's language, as in Kafka, in linear time whatever they are. */
import { RE2JS, RE2JSException } from 're2js'
import { KafkaError } from '../protocol/errors.ts'

/** A compiled expression. */
export interface Pattern {
  /** Whether it matches the whole of a text. */
  matches(text: string): boolean
}

/** Throws INVALID_REGULAR_EXPRESSION. */
export function compilePattern(expression: string): Pattern {
  try {
    const compiled = RE2JS.compile(expression)
    return { matches: text => compiled.matches(text) }
  } catch (error) {
    if (!(error instanceof RE2JSException)) throw error
    throw new KafkaError('INVALID_REGULAR_EXPRESSION', `${expression} is no regular expression: ${error.message}`)
  }
}
