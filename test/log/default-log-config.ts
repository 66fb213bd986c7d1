/** Kafka's default settings of logs and of the data directory, out of the tables of settings. */
import { checkpointIntervals, metadataLogConfig } from '../../src/broker/log-settings.ts'
import { BrokerSettings } from '../../src/config/values.ts'
import type { LogConfig } from '../../src/log/partition-log/log-config.ts'
import { logConfigOf } from '../../src/replica/topic-rules.ts'

const settings = new BrokerSettings()

export const DEFAULT_LOG_CONFIG: LogConfig = logConfigOf(settings.topic())

/** For LogDirectory.open. */
export const DIRECTORY_SETTINGS = {
  metadataLog: metadataLogConfig(settings),
  intervals: checkpointIntervals(settings)
}
