/** A topic's settings in the form in which the log and the validator go by them. */
import type { BrokerSettings, TopicSettings } from '../config/values.ts'
import type { LogConfig } from '../log/partition-log/log-config.ts'
import type { ValidationRules } from '../log/partition-log/validator.ts'

export function logConfigOf(topic: TopicSettings): LogConfig {
  const policy = topic.get('cleanup.policy')
  return {
    segmentBytes: topic.segmentBytes,
    segmentMs: topic.get('segment.ms'),
    segmentJitterMs: topic.get('segment.jitter.ms'),
    segmentIndexBytes: topic.get('segment.index.bytes'),
    indexIntervalBytes: topic.get('index.interval.bytes'),
    fileDeleteDelayMs: topic.get('file.delete.delay.ms'),
    preallocate: topic.get('preallocate'),
    isDeleted: policy.includes('delete'),
    isCompacted: policy.includes('compact'),
    retentionMs: topic.get('retention.ms'),
    retentionBytes: topic.get('retention.bytes'),
    flushMessages: topic.get('flush.messages'),
    flushMs: topic.get('flush.ms'),
    minCompactionLagMs: topic.get('min.compaction.lag.ms'),
    maxCompactionLagMs: topic.get('max.compaction.lag.ms'),
    minCleanableDirtyRatio: topic.get('min.cleanable.dirty.ratio'),
    deleteRetentionMs: topic.get('delete.retention.ms')
  }
}

/** What a topic's batches must keep to, and the form in which they are stored. */
export function batchRulesOf(topic: TopicSettings, broker: BrokerSettings): ValidationRules {
  return {
    isCompacted: topic.get('cleanup.policy').includes('compact'),
    maxMessageBytes: topic.get('max.message.bytes'),
    timestampType: topic.get('message.timestamp.type'),
    timestampBeforeMaxMs: topic.get('message.timestamp.before.max.ms'),
    timestampAfterMaxMs: topic.get('message.timestamp.after.max.ms'),
    compressionType: topic.get('compression.type'),
    compressionLevels: {
      gzip: topic.get('compression.gzip.level'),
      lz4: topic.get('compression.lz4.level'),
      zstd: topic.get('compression.zstd.level')
    },
    decompressedLimit: broker.get('minikafka.max.decompressed.bytes')
  }
}
