/** Settings as a start resolves them, for parts that tests create directly. */
import { resolve } from '../../src/config/resolve.ts'
import { Settings } from '../../src/config/settings.ts'
import { fromObject } from '../../src/config/sources.ts'
import type { BrokerSettingName } from '../../src/config/tables/broker.ts'

/** Values by Kafka's names of the settings. */
export type Given = { readonly [Name in BrokerSettingName]?: string | number | boolean }

/** Kafka's defaults, except for the given values. Throws ConfigError for a value that a broker refuses at its start. */
export function settingsWith(given: Given = {}): Settings {
  return new Settings(resolve(fromObject(given)).settings)
}
