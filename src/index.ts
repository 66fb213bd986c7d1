/** The public API of the package. */
/// <reference lib="esnext.disposable" preserve="true" />
export { ConfigError } from './config/sources.ts'
export type { Logger } from './runtime/logger.ts'
export type { ClientConfigs } from './testing/client-config.ts'
export { MiniKafka } from './testing/fixture.ts'
export type { MiniKafkaOptions, SettingValue, TopicOptions } from './testing/options.ts'
