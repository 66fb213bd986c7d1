/** The public API of the package. */
/// <reference lib="esnext.disposable" preserve="true" />
export type { Logger } from './runtime/logger.ts'
export { MiniKafka } from './testing/fixture.ts'
export type { MiniKafkaOptions, SettingValue, TopicOptions } from './testing/options.ts'
