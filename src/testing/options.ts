/** What users say when they start a broker in a test. Types only, free of Node's, so that every project can read them. */
import type { Logger } from '../runtime/logger.ts'

/** How a broker is started in a test. Nothing is read from the environment. */
export interface MiniKafkaOptions {
  /** Topics that exist when `start` resolves: names, or names with partitions and settings for those that are new. */
  readonly topics?: readonly (string | TopicOptions)[]
  /** Settings of the broker by Kafka's names, as in `{ 'num.partitions': 3 }`. */
  readonly config?: Readonly<Record<string, SettingValue>>
  /** Keep the data in this directory, in Kafka's own files. Default: in memory, gone after `stop`. */
  readonly dataDir?: string
  /** Default: 0, which takes a free port. */
  readonly port?: number
  /** Default: 127.0.0.1. */
  readonly host?: string
  /** Where the broker logs to; any pino logger fits. Default: nowhere. */
  readonly logger?: Logger
}

/** A topic to create before the broker is handed over. */
export interface TopicOptions {
  readonly name: string
  /** Default: the broker's num.partitions, which is 1 unless `config` says otherwise. */
  readonly partitions?: number
  /** Settings of the topic by Kafka's names, as in `{ 'cleanup.policy': 'compact' }`. */
  readonly config?: Readonly<Record<string, SettingValue>>
}

/** The value of a setting; as text it is written as in a server.properties file. */
export type SettingValue = string | number | bigint | boolean
