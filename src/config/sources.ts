/**
 * Where settings are written by users: a file, the environment, the command line, a test's object. Each source becomes
 * entries that know their place; `resolve.ts` judges them. Nothing is read here: the caller hands over the content.
 */

import { isBrokerSetting } from './tables/broker.ts'
import { isKnownName } from './tables/names.ts'

/** One setting as written. `place` begins the sentence of an error: `--set`, `server.properties line 3`. */
export interface Entry {
  readonly source: string
  readonly name: string
  readonly value: string
}

/** What is wrong with the user's settings: one sentence that names place, value, and what would be right. */
export class ConfigError extends Error {
  override name = 'ConfigError'
}

/** The entries of a `server.properties` text; `file` is how the user named it. */
export function fromProperties(text: string, file: string): readonly Entry[] {
  return parseProperties(text).map(({ name, value, line }) => ({ source: `${file} line ${line}`, name, value }))
}

/**
 * The `KAFKA_*` variables that are Kafka settings, named as Kafka's container images do: `_` for a dot, `__` for an
 * underscore, `___` for a dash. Others (KAFKA_HEAP_OPTS, the KAFKA_PORT of Kubernetes) are not ours to judge.
 */
export function fromEnvironment(environment: Readonly<Record<string, string | undefined>>): readonly Entry[] {
  const entries: Entry[] = []
  for (const [variable, value] of Object.entries(environment)) {
    if (!variable.startsWith('KAFKA_') || value === undefined) continue
    const name = settingName(variable.slice('KAFKA_'.length))
    if (isBrokerSetting(name) || isKnownName(name)) entries.push({ source: variable, name, value })
  }
  return entries
}

/** The `name=value` texts of an option such as `--set`. Throws ConfigError where there is no `=`. */
export function fromOptions(texts: readonly string[], option = '--set'): readonly Entry[] {
  return texts.map(text => {
    const equals = text.indexOf('=')
    if (equals < 1) throw new ConfigError(`${option} "${text}": write it as name=value, as in num.partitions=3`)
    return { source: option, name: text.slice(0, equals).trim(), value: text.slice(equals + 1) }
  })
}

/** The members of a plain object, as the test fixture's `config` has them. */
export function fromObject(
  config: Readonly<Record<string, string | number | bigint | boolean>>,
  source = 'config'
): readonly Entry[] {
  return Object.entries(config).map(([name, value]) => ({ source, name, value: String(value) }))
}

function settingName(variable: string): string {
  return variable.toLowerCase().replace(/_{1,3}/g, run => ['.', '_', '-'][run.length - 1] ?? run)
}

// Java's `.properties` syntax: comments, continued lines, three separators, backslash escapes. Each entry has its line number.

/** One `name=value`, with the number of the line it begins on. */
export interface Property {
  readonly name: string
  readonly value: string
  readonly line: number
}

/** Reads a whole text. A later entry of the same name does not replace the earlier one here. */
export function parseProperties(text: string): readonly Property[] {
  const properties: Property[] = []
  for (const { content, line } of logicalLines(text)) {
    const end = keyEnd(content)
    const value = content.slice(end).replace(/^[ \t\f]*[=:]?[ \t\f]*/, '')
    properties.push({ name: unescaped(content.slice(0, end)), value: unescaped(value), line })
  }
  return properties
}

/** Lines with their continuations joined; blank lines and comments are gone. */
function logicalLines(text: string): { content: string; line: number }[] {
  const found: { content: string; line: number }[] = []
  let open: { content: string; line: number } | undefined
  for (const [index, natural] of text.split(/\r\n|\r|\n/).entries()) {
    const content = natural.replace(/^[ \t\f]+/, '')
    if (!open && (content === '' || content.startsWith('#') || content.startsWith('!'))) continue
    const continued = /(?:^|[^\\])(?:\\\\)*\\$/.test(content)
    const logical: { content: string; line: number } = open ?? { content: '', line: index + 1 }
    logical.content += continued ? content.slice(0, -1) : content
    if (!continued) found.push(logical)
    open = continued ? logical : undefined
  }
  return open ? [...found, open] : found
}

/** Where the key ends: at the first separator that no backslash protects. */
function keyEnd(content: string): number {
  for (let index = 0; index < content.length; index++) {
    if (content[index] === '\\') index++
    else if (/[=: \t\f]/.test(content[index] ?? '')) return index
  }
  return content.length
}

const LETTERS: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', f: '\f' }

function unescaped(text: string): string {
  return text.replace(/\\(?:u([0-9a-fA-F]{4})|(.?))/gs, (_, hex: string | undefined, letter = '') =>
    hex === undefined ? (LETTERS[letter] ?? letter) : String.fromCharCode(Number.parseInt(hex, 16))
  )
}
