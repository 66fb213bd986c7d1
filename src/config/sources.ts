/**
 * Where settings are written by users: a file, the environment, the command line, a test's object. Each source becomes
 * entries that know their place; `resolve.ts` judges them. Nothing is read here: the caller hands over the content.
 */

import { parseProperties } from './properties.ts'
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
