/** Items as lines: Kafka's text, or one JSON object each. */

import { jsonString } from './formats/json-text.ts'
import { type Item, type ItemValue, Json, OptionalLong, type Pair } from './items.ts'

/** One line, without its end. */
export type Renderer = (item: Item) => string

/** Labels that Kafka prints without a colon. */
const WITHOUT_COLON = new Set(['SnapshotHeader', 'SnapshotFooter', 'KRaftVersion', 'KRaftVoters'])

/** The line that Kafka's tool prints. */
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

/** The object with the item's values under Kafka's labels. */
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

/** The same lines in colours, for terminals. */
export function coloured(render: Renderer): Renderer {
  return item => {
    const colour = COLOURS[item.kind]
    return colour === undefined ? render(item) : `\u001b[${colour}m${render(item)}\u001b[0m`
  }
}
