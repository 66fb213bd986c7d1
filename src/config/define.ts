/**
 * How a setting is written down: one call a row gives its type, default, bounds and documentation.
 * A value keeps its text beside it, because Kafka's longs reach 2^63-1 and DescribeConfigs must show every digit.
 */

/** The codes of DescribeConfigs for the types of a setting. */
export const TYPE_CODES = { boolean: 1, string: 2, int: 3, short: 4, long: 5, double: 6, list: 7 } as const

/** The type of a setting, by Kafka's name for it. */
export type SettingType = keyof typeof TYPE_CODES

/** What a config request can be refused with: names of the protocol's errors. */
export type InvalidConfigCode =
  | 'INVALID_CONFIG'
  | 'INVALID_REQUEST'
  | 'INVALID_TOPIC_EXCEPTION'
  | 'UNKNOWN_TOPIC_OR_PARTITION'
  | 'POLICY_VIOLATION'

/** A value, name or change that Kafka would refuse. The message is the one Kafka's clients see. */
export class InvalidConfig extends Error {
  override name = 'InvalidConfig'
  readonly code: InvalidConfigCode

  constructor(message: string, code: InvalidConfigCode = 'INVALID_CONFIG') {
    super(message)
    this.code = code
  }
}

/** A value with its canonical text; null where neither is set. Numbers beyond 2^53 are exact in the text only. */
export interface Value<T> {
  readonly value: T
  readonly text: string | null
}

/** What every row can say beyond type, default and documentation. */
export interface RowOptions {
  /** Changeable while the broker runs. Without it a change needs a restart. */
  readonly update?: 'cluster-wide'
  /** The topic's setting that this broker setting is the default of. */
  readonly topic?: string
  /** Milliseconds in one unit, where the topic's setting counts in milliseconds and this one does not. */
  readonly unitMs?: number
  /** Kafka hides it from DescribeConfigs unless it is set. */
  readonly internal?: true
  /** Accepted and shown, because clients and tools set it, but without effect so far. */
  readonly unsupported?: true
}

/** For rows that can change while the broker runs. */
export const DYNAMIC = { update: 'cluster-wide' } as const

/** One row of the table. */
export interface Setting<T> extends RowOptions {
  readonly type: SettingType
  readonly byDefault: Value<T>
  readonly documentation: string
  /** What a value must be, in words: completes "... must be". */
  readonly expects: string
  /** Parses and checks. Throws InvalidConfig. */
  read(name: string, text: string): Value<NonNullable<T>>
}

/** The value type of a row. */
export type ValueOf<S> = S extends Setting<infer T> ? T : never

interface NumberOptions extends RowOptions {
  readonly atLeast?: number
  readonly atMost?: number
  /** One more value that is allowed though outside the bounds. */
  readonly or?: number
}

interface TextOptions<W extends string = string> extends RowOptions {
  readonly oneOf?: readonly W[]
}

interface StringOptions<W extends string = string> extends TextOptions<W> {
  /** Whether the words may be written in capitals, too. */
  readonly anyCase?: true
  /** Null when the value is fine, else why not. */
  readonly check?: (name: string, value: string) => string | null
}

interface ListOptions extends TextOptions {
  readonly notEmpty?: true
  /** Replaces all other checks; null when the values are fine, else why not. */
  readonly check?: (name: string, values: readonly string[]) => string | null
}

type OrNull<D> = Extract<D, null>

const BITS = { short: 16, int: 32, long: 64 } as const

/** true or false, in any case. */
export function boolean(byDefault: boolean, documentation: string, options: RowOptions = {}): Setting<boolean> {
  const read = (name: string, text: string) => {
    const value = text.trim().toLowerCase()
    if (value !== 'true' && value !== 'false') throw invalid(name, text, 'Expected value to be either true or false')
    return { value: value === 'true', text: value }
  }
  const initial = { value: byDefault, text: String(byDefault) }
  return { ...options, type: 'boolean', byDefault: initial, documentation, expects: 'true or false', read }
}

/** A 32-bit number. */
export function int<D extends number | null>(byDefault: D, documentation: string, options: NumberOptions = {}) {
  return whole('int', byDefault, documentation, options)
}

/** A 16-bit number. */
export function short<D extends number | null>(byDefault: D, documentation: string, options: NumberOptions = {}) {
  return whole('short', byDefault, documentation, options)
}

/** A 64-bit number. */
export function long<D extends number | bigint | null>(
  byDefault: D,
  documentation: string,
  options: NumberOptions = {}
) {
  return whole('long', byDefault, documentation, options)
}

function whole<D extends number | bigint | null>(
  type: keyof typeof BITS,
  byDefault: D,
  documentation: string,
  options: NumberOptions
): Setting<number | OrNull<D>> {
  const { atLeast, atMost, or, ...rest } = options
  const read = (name: string, text: string) => {
    const exact = parseWhole(text, BITS[type])
    if (exact === undefined) throw invalid(name, text, `Not a number of type ${type.toUpperCase()}`)
    checkRange(name, Number(exact), String(exact), options)
    return { value: Number(exact), text: String(exact) }
  }
  const initial = { value: orNull(byDefault, Number), text: byDefault === null ? null : String(byDefault) }
  const top = type === 'long' ? undefined : 2 ** (BITS[type] - 1) - 1
  const expects = `a whole number${range(atLeast, atMost ?? top)}${or === undefined ? '' : `, or ${or}`}`
  return { ...rest, type, byDefault: initial, documentation, expects, read }
}

/** A fraction. */
export function double(byDefault: number, documentation: string, options: NumberOptions = {}): Setting<number> {
  const { atLeast, atMost, or: _, ...rest } = options
  const read = (name: string, text: string) => {
    if (!/^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?[df]?\s*$/i.test(text)) {
      throw invalid(name, text, 'Not a number of type DOUBLE')
    }
    const value = Number.parseFloat(text)
    checkRange(name, value, doubleText(value), options)
    return { value, text: doubleText(value) }
  }
  const initial = { value: byDefault, text: doubleText(byDefault) }
  return {
    ...rest,
    type: 'double',
    byDefault: initial,
    documentation,
    expects: `a number${range(atLeast, atMost)}`,
    read
  }
}

/** Text; surrounding blanks do not count. */
export function string<D extends string | null, const W extends string = string>(
  byDefault: D,
  documentation: string,
  options: StringOptions<W> = {}
): Setting<W | OrNull<D>> {
  const { oneOf, anyCase, check, ...rest } = options
  const read = (name: string, text: string) => {
    const given = text.trim()
    const value = anyCase ? given.toLowerCase() : given
    if (oneOf) checkWord(name, value, oneOf)
    const problem = check?.(name, given) ?? null
    if (problem !== null) throw invalid(name, given, problem)
    return { value: value as NonNullable<W | OrNull<D>>, text: given }
  }
  const initial = { value: byDefault as W | OrNull<D>, text: byDefault }
  return { ...rest, type: 'string', byDefault: initial, documentation, expects: words('', oneOf) ?? 'text', read }
}

/** Texts separated by commas. */
export function list<D extends readonly string[] | null>(
  byDefault: D,
  documentation: string,
  options: ListOptions = {}
): Setting<readonly string[] | OrNull<D>> {
  const { oneOf, notEmpty, check, ...rest } = options
  const read = (name: string, text: string) => {
    const all = text.trim() === '' ? [] : text.trim().split(/\s*,\s*/)
    const values = check ? all : [...new Set(all)]
    const problem = check ? check(name, values) : listProblem(name, values, options)
    if (problem !== null) throw new InvalidConfig(problem)
    return { value: values, text: values.join(',') }
  }
  const initial = { value: orNull(byDefault, values => values), text: byDefault?.join(',') ?? null }
  const expects = words('a comma-separated list of ', oneOf) ?? `a comma-separated list${notEmpty ? ', not empty' : ''}`
  return { ...rest, type: 'list', byDefault: initial, documentation, expects, read }
}

/** A refusal of one value in Kafka's words. */
export function invalid(name: string, value: string, reason: string): InvalidConfig {
  return new InvalidConfig(`Invalid value ${value} for configuration ${name}: ${reason}`)
}

function orNull<D, T>(value: D, convert: (value: NonNullable<D>) => T): T | OrNull<D> {
  // The compiler cannot follow that D is null exactly in this branch.
  return value === null || value === undefined ? (null as OrNull<D>) : convert(value)
}

function checkRange(name: string, value: number, text: string, { atLeast, atMost, or }: NumberOptions): void {
  if (or !== undefined) {
    const inside = value === or || (value >= (atLeast ?? or) && value <= (atMost ?? or))
    if (!inside) throw invalid(name, text, `Value must be between ${atLeast} and ${atMost} or equal to ${or}`)
    return
  }
  if (atLeast !== undefined && value < atLeast) throw invalid(name, text, `Value must be at least ${atLeast}`)
  if (atMost !== undefined && value > atMost) throw invalid(name, text, `Value must be no more than ${atMost}`)
}

function checkWord(name: string, value: string, oneOf: readonly string[]): void {
  if (!oneOf.includes(value)) throw invalid(name, value, `String must be one of: ${oneOf.join(', ')}`)
}

function listProblem(name: string, values: readonly string[], { oneOf, notEmpty }: ListOptions): string | null {
  if (notEmpty && values.length === 0) {
    return `Configuration '${name}' must not be empty. Valid values include: any non-empty value`
  }
  if (values.includes('')) return `Configuration '${name}' values must not be empty.`
  if (oneOf) for (const value of values) checkWord(name, value, oneOf)
  return null
}

function range(atLeast: number | undefined, atMost: number | undefined): string {
  if (atLeast === undefined) return atMost === undefined ? '' : ` up to ${atMost}`
  return ` from ${atLeast} ${atMost === undefined ? 'up' : `to ${atMost}`}`
}

function words(prefix: string, oneOf: readonly string[] | undefined): string | undefined {
  return oneOf && `${prefix}${oneOf.slice(0, -1).join(', ')} or ${oneOf.at(-1)}`
}

// Number syntax and format of Java, so that values look as in Kafka.

/** Java's parseInt and parseLong: a sign, digits, and within the bits; undefined otherwise. */
function parseWhole(text: string, bits: number): bigint | undefined {
  const match = /^([+-]?)0*(\d{1,19})$/.exec(text.trim())
  if (!match) return undefined
  const value = BigInt(`${match[1] === '-' ? '-' : ''}${match[2]}`)
  return BigInt.asIntN(bits, value) === value ? value : undefined
}

/** Java's Double.toString: always a fraction digit, exponents outside 10^-3 .. 10^7. */
function doubleText(value: number): string {
  const size = Math.abs(value)
  if (value === 0 || (size >= 1e-3 && size < 1e7)) return Number.isInteger(value) ? `${value}.0` : String(value)
  const [digits = '', exponent = ''] = value.toExponential().split('e')
  return `${digits.includes('.') ? digits : `${digits}.0`}E${exponent.replace('+', '')}`
}
