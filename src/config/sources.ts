/**
 * The sources of static settings: a file, the environment, the command line, an object of the test fixture. Each source becomes
 * a list of entries, which `resolve.ts` validates. The caller reads the file and the environment.
 */

import { isBrokerSetting } from './tables/broker.ts'
import { isKnownName } from './tables/names.ts'

/** A setting as written. Error messages begin with `source`: `--set`, `server.properties line 3`. */
export interface Entry {
  readonly source: string
  readonly name: string
  readonly value: string
}

/** An error in the user's settings. The message is one sentence with the source, the value and the allowed values. */
export class ConfigError extends Error {
  override name = 'ConfigError'
}

/** The entries of a `server.properties` text. `file` is the file name for error messages. */
export function fromProperties(text: string, file: string): readonly Entry[] {
  return parseProperties(text).map(({ name, value, line }) => ({ source: `${file} line ${line}`, name, value }))
}

/**
 * The `KAFKA_*` variables that are Kafka settings, with the names of Kafka's container images: `_` for a dot, `__` for an
 * underscore, `___` for a dash. Other variables (KAFKA_HEAP_OPTS, the KAFKA_PORT of Kubernetes) are ignored.
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

/** The entries of `name=value` texts of an option such as `--set`. Throws ConfigError for a text without name or `=`. */
export function fromOptions(texts: readonly string[], option = '--set'): readonly Entry[] {
  return texts.map(text => {
    const equals = text.indexOf('=')
    if (equals < 1) throw new ConfigError(`${option} "${text}": must be name=value, as in num.partitions=3`)
    return { source: option, name: text.slice(0, equals).trim(), value: text.slice(equals + 1) }
  })
}

/** The entries of a plain object, such as `config` of the test fixture. */
export function fromObject(
  config: Readonly<Record<string, string | number | bigint | boolean>>,
  source = 'config'
): readonly Entry[] {
  return Object.entries(config).map(([name, value]) => ({ source, name, value: String(value) }))
}

function settingName(variable: string): string {
  return variable.toLowerCase().replace(/_{1,3}/g, run => ['.', '_', '-'][run.length - 1] ?? run)
}

// Java's `.properties` syntax: comments, continued lines, three separators, backslash escapes.

/** An entry of a `.properties` file, with the number of its first line. */
export interface Property {
  readonly name: string
  readonly value: string
  readonly line: number
}

/** Parses a `.properties` text. Repeated names are kept. */
export function parseProperties(text: string): readonly Property[] {
  const properties: Property[] = []
  for (const { content, line } of logicalLines(text)) {
    const end = keyEnd(content)
    const value = content.slice(end).replace(/^[ \t\f]*[=:]?[ \t\f]*/, '')
    properties.push({ name: unescaped(content.slice(0, end)), value: unescaped(value), line })
  }
  return properties
}

/** The logical lines of a text: continued lines are joined, blank lines and comments are left out. */
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

/** The end of the key: the index of the first separator without a backslash before it. */
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
