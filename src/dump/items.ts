/**
 * Items of a dump, and their lines. An item is a list of labelled values; text (Kafka's `label: value` pairs) and JSON are two
 * renderings of it.
 */
import { jsonString } from './formats/json-text.ts'

/** JSON text that a decoder made from a key or value. */
export class Json {
  readonly text: string

  constructor(text: string) {
    this.text = text
  }
}

/** An optional number: printed as Java's OptionalLong in text, and as a number or null in JSON. */
export class OptionalLong {
  readonly value: bigint | undefined

  constructor(value: bigint | undefined) {
    this.value = value
  }
}

export type ItemValue = bigint | number | string | boolean | readonly string[] | OptionalLong | Json

/** A label and its value. */
export type Pair = readonly [label: string, value: ItemValue]

/** The kind of an item. Findings and problems go to stderr. Problems set exit code 1. */
export type ItemKind = 'file' | 'log' | 'batch' | 'record' | 'entry' | 'note' | 'finding' | 'problem'

export interface Item {
  readonly kind: ItemKind
  readonly pairs: readonly Pair[]
  /** The text line, if it is not made from the pairs. */
  readonly text?: string
}

/** The item for invalid or unreadable bytes, with the position in the file if there is one. */
export function problem(path: string, position: number | undefined, message: string): Item {
  const at = position === undefined ? '' : ` position ${position}:`
  const pairs: Pair[] = [['file', path]]
  if (position !== undefined) pairs.push(['position', position])
  return { kind: 'problem', pairs: [...pairs, ['what', message]], text: `${path}:${at} ${message}` }
}

// Items as lines of text: Kafka's format, or one JSON object each.

/** Renders an item as a line, without the line break. */
export type Renderer = (item: Item) => string

/** Labels that Kafka prints without a colon. */
const WITHOUT_COLON = new Set(['SnapshotHeader', 'SnapshotFooter', 'KRaftVersion', 'KRaftVoters'])

/** The line that DumpLogSegments prints. */
export function textOf({ kind, pairs, text }: Item): string {
  if (text !== undefined) return text
  const line = pairs.map(([label, value]) => `${label}${WITHOUT_COLON.has(label) ? '' : ':'} ${asText(value)}`)
  return (kind === 'record' && line.length > 0 ? '| ' : '') + line.join(' ')
}

function asText(value: ItemValue): string {
  if (value instanceof Json) return value.text
  if (value instanceof OptionalLong) {
    return value.value === undefined ? 'OptionalLong.empty' : `OptionalLong[${value.value}]`
  }
  return typeof value === 'object' ? `[${value.join()}]` : String(value)
}

/** A JSON object with Kafka's labels as names. */
export function jsonOf({ kind, pairs, text }: Item): string {
  const members: readonly Pair[] = pairs.length > 0 || text === undefined ? pairs : [['text', text]]
  return `{"kind":"${kind}"${members.map(([label, value]) => `,${jsonString(label)}:${asJson(value)}`).join('')}}`
}

function asJson(value: ItemValue): string {
  if (value instanceof Json) return value.text
  if (value instanceof OptionalLong) return String(value.value ?? null)
  if (typeof value === 'string') return jsonString(value)
  return typeof value === 'object' ? `[${value.map(jsonString).join()}]` : String(value)
}

const COLOURS: Partial<Record<Item['kind'], number>> = { file: 1, batch: 36, finding: 33, problem: 31 }

/** Adds colours for terminals. */
export function coloured(render: Renderer): Renderer {
  return item => {
    const colour = COLOURS[item.kind]
    return colour === undefined ? render(item) : `\u001b[${colour}m${render(item)}\u001b[0m`
  }
}
