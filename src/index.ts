/** The public API of the package. */
/// <reference lib="esnext.disposable" preserve="true" />
export type { Logger } from './runtime/logger.ts'
export { MiniKafka, type MiniKafkaOptions } from './testing/fixture.ts'
export type { SettingValue, TopicOptions } from './testing/topics.ts'
