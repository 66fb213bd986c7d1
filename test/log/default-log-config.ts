/** Kafka's default settings of logs and of the data directory. */
import { LOG_ROWS, type LogConfig } from '../../src/log/partition-log/log-config.ts'
import { metadataLogConfig } from '../../src/metadata/log/metadata-log.ts'
import { settingsWith } from '../config/settings-with.ts'

const settings = settingsWith()

export const DEFAULT_LOG_CONFIG: LogConfig = settings.topic('any').view(LOG_ROWS)

/** Options for LogDirectory.open. */
export const DIRECTORY_SETTINGS = { metadataLog: metadataLogConfig(settings) }
