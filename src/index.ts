/** The public API of the package. */
/// <reference lib="esnext.disposable" preserve="true" />
export { ConfigError } from './config/sources.ts'
export type { Logger } from './runtime/logger.ts'
export type { ClientConfigs } from './testing/client-config.ts'
export { type Finding, LeakError } from './testing/findings.ts'
export { MiniKafka } from './testing/fixture.ts'
export type {
  HeaderValue,
  MiniKafkaOptions,
  RecordOptions,
  SettingValue,
  StopOptions,
  TopicOptions,
  TransactionOptions
} from './testing/options.ts'
