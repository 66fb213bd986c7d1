/**
 * Compact JSON text of values, as Kafka's tools print it: fields in schema order, tagged fields only if they differ from their
 * default, 64-bit numbers in full, bytes as base64.
 */
import { isDefault } from '../../protocol/wire/compile.ts'
import type { AnyField, Shape } from '../../protocol/wire/schema.ts'

type Struct = Readonly<Record<string, unknown>>

/** Returns the text of a field with a special rendering; undefined for the default rendering. */
export type Special = (name: string, value: unknown) => string | undefined

/** The JSON object of a value by its shape and version. */
export function shapeJson(shape: Shape, value: Struct, version: number, special?: Special): string {
  const members: string[] = []
  for (const [name, field] of Object.entries(shape)) {
    const { since, until, tag } = field.traits
    if (version < since || version > until) continue
    if (tag >= 0 && isDefault(field, value[name])) continue
    const text = special?.(name, value[name]) ?? fieldJson(field, value[name], version, special)
    members.push(`${jsonString(name)}:${text}`)
  }
  return `{${members.join()}}`
}

function fieldJson(field: AnyField, value: unknown, version: number, special: Special | undefined): string {
  if (value === null || value === undefined) return 'null'
  const { wire } = field
  if (wire.kind === 'struct') return shapeJson(wire.shape, value as Struct, version, special)
  if (wire.kind === 'array') {
    return `[${(value as readonly unknown[]).map(each => fieldJson(wire.of, each, version, special)).join()}]`
  }
  if (Buffer.isBuffer(value)) return `"${value.toString('base64')}"`
  if (typeof value === 'string') return jsonString(value)
  return wire.kind === 'fixed' && wire.type === 'float64' ? javaDouble(Number(value)) : String(value)
}

const SHORT_ESCAPES = new Map([
  ['"', '\\"'],
  ['\\', '\\\\'],
  ['\b', '\\b'],
  ['\t', '\\t'],
  ['\n', '\\n'],
  ['\f', '\\f'],
  ['\r', '\\r']
])

/** A JSON string. As in Jackson, escapes of control characters have upper-case hexadecimal digits. */
export function jsonString(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters that JSON wants escaped
  return `"${text.replace(/["\\\u0000-\u001f]/g, escaped)}"`
}

function escaped(character: string): string {
  const code = character.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')
  return SHORT_ESCAPES.get(character) ?? `\\u${code}`
}

const PLAIN_FROM = 1e-3
const PLAIN_BELOW = 1e7

/** A double as Java prints it: always with a fraction, and with an exponent below 1e-3 and from 1e7. */
function javaDouble(value: number): string {
  if (!Number.isFinite(value)) return jsonString(Number.isNaN(value) ? 'NaN' : value > 0 ? 'Infinity' : '-Infinity')
  if (Object.is(value, -0)) return '-0.0'
  const size = Math.abs(value)
  if (size === 0 || (size >= PLAIN_FROM && size < PLAIN_BELOW)) return withFraction(String(value))
  const [digits = '', exponent = ''] = value.toExponential().split('e')
  return `${withFraction(digits)}E${exponent.replace('+', '')}`
}

function withFraction(digits: string): string {
  return digits.includes('.') ? digits : `${digits}.0`
}
