/**
 * The functions that define a setting: one call for each row, with type, default, bounds and documentation. A value keeps its
 * text, because Kafka's longs reach 2^63-1 and DescribeConfigs must show every digit.
 */

/** The codes of DescribeConfigs for the types of settings. */
export const TYPE_CODES = { boolean: 1, string: 2, int: 3, short: 4, long: 5, double: 6, list: 7 } as const

/** Kafka's name of the type of a setting. */
export type SettingType = keyof typeof TYPE_CODES

/** The errors of config requests, by their names in the protocol. */
export type InvalidConfigCode =
  | 'INVALID_CONFIG'
  | 'INVALID_REQUEST'
  | 'INVALID_TOPIC_EXCEPTION'
  | 'UNKNOWN_TOPIC_OR_PARTITION'
  | 'POLICY_VIOLATION'

/** A value, name or change that Kafka refuses. The message is Kafka's. */
export class InvalidConfig extends Error {
  override name = 'InvalidConfig'
  readonly code: InvalidConfigCode

  constructor(message: string, code: InvalidConfigCode = 'INVALID_CONFIG') {
    super(message)
    this.code = code
  }
}

/** A value with its canonical text; both are null for an unset value. Numbers above 2^53 are exact only in the text. */
export interface Value<T> {
  readonly value: T
  readonly text: string | null
}

/** Options of a row besides type, default and documentation. */
export interface RowOptions {
  /** The setting can change while the broker runs. Without it a change needs a restart. */
  readonly update?: 'cluster-wide'
  /** The topic setting that has its default from this broker setting. */
  readonly topic?: string
  /** Milliseconds in the unit of this setting, if the topic setting is in milliseconds and this one is not. */
  readonly unitMs?: number
  /** As in Kafka, DescribeConfigs shows the setting only if it is set. */
  readonly internal?: true
  /** The setting is accepted and described, because clients and tools set it, but it has no effect. */
  readonly unsupported?: true
}

/** The option of rows that can change while the broker runs. */
export const DYNAMIC = { update: 'cluster-wide' } as const

/** A row of a table of settings. */
export interface Setting<T> extends RowOptions {
  readonly type: SettingType
  readonly byDefault: Value<T>
  readonly documentation: string
  /** The allowed values in words, to complete "... must be". */
  readonly expects: string
  /** Parses and validates a value. Throws InvalidConfig. */
  read(name: string, text: string): Value<NonNullable<T>>
}

/** The value type of a row. */
export type ValueOf<S> = S extends Setting<infer T> ? T : never

interface NumberOptions extends RowOptions {
  readonly atLeast?: number
  readonly atMost?: number
  /** One allowed value outside the bounds. */
  readonly or?: number
}

interface TextOptions<W extends string = string> extends RowOptions {
  readonly oneOf?: readonly W[]
}

interface StringOptions<W extends string = string> extends TextOptions<W> {
  /** The words are accepted in upper case too. */
  readonly anyCase?: true
  /** Returns null for a valid value, otherwise the reason. */
  readonly check?: (name: string, value: string) => string | null
}

interface ListOptions extends TextOptions {
  readonly notEmpty?: true
  /** Replaces all other checks. Returns null for valid values, otherwise the message. */
  readonly check?: (name: string, values: readonly string[]) => string | null
}

type OrNull<D> = Extract<D, null>

const BITS = { short: 16, int: 32, long: 64 } as const

/** A boolean: true or false, in upper or lower case. */
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

/** A floating-point number. */
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

/** A text. Surrounding blanks are removed. */
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

/** A list of texts, separated by commas. */
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

/** The error for an invalid value, with Kafka's message. */
export function invalid(name: string, value: string, reason: string): InvalidConfig {
  return new InvalidConfig(`Invalid value ${value} for configuration ${name}: ${reason}`)
}

function orNull<D, T>(value: D, convert: (value: NonNullable<D>) => T): T | OrNull<D> {
  // The compiler cannot derive that D is null exactly in this branch.
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

// Java's syntax and format of numbers, so that values look as in Kafka.

/** Parses as Java's parseInt and parseLong: an optional sign and digits, within the bits. Returns undefined for other text. */
function parseWhole(text: string, bits: number): bigint | undefined {
  const match = /^([+-]?)0*(\d{1,19})$/.exec(text.trim())
  if (!match) return undefined
  const value = BigInt(`${match[1] === '-' ? '-' : ''}${match[2]}`)
  return BigInt.asIntN(bits, value) === value ? value : undefined
}

/** Formats as Java's Double.toString: always with a fraction digit, with an exponent below 10^-3 and from 10^7. */
function doubleText(value: number): string {
  const size = Math.abs(value)
  if (value === 0 || (size >= 1e-3 && size < 1e7)) return Number.isInteger(value) ? `${value}.0` : String(value)
  const [digits = '', exponent = ''] = value.toExponential().split('e')
  return `${digits.includes('.') ? digits : `${digits}.0`}E${exponent.replace('+', '')}`
}
