/** The options of the fixture. Types only, free of Node's types, so that every project can read them. */
import type { Logger } from '../runtime/logger.ts'

/**
 * Options of `MiniKafka.start`. The call copies them: later changes have no effect. Nothing is read from the environment. An
 * option that is undefined has its default.
 * `start` rejects with a `ConfigError` for unknown options and wrong types.
 */
export interface MiniKafkaOptions {
  /**
   * Topics that exist when `start` resolves: names, or objects with partitions and settings. Default: none.
   * A topic that the data directory already holds stays as it is.
   */
  readonly topics?: readonly (string | TopicOptions)[] | undefined
  /**
   * Records that are in their topics when `start` resolves, in this order. Default: none. Topics that do not exist are
   * created with the broker's defaults. Records are written once: those for a topic that has held records before (in a kept
   * data directory) are skipped with a log line, and so is a transaction with such a topic. The line is a warning where an
   * earlier start was killed while it wrote the records of the topic. `start` rejects with a
   * `ConfigError` when the broker refuses a record.
   */
  readonly records?: readonly (RecordOptions | TransactionOptions)[] | undefined
  /** Settings of the broker by Kafka's names, as in `{ 'num.partitions': 3 }`. Default: Kafka's defaults. */
  readonly config?: Readonly<Record<string, SettingValue | undefined>> | undefined
  /**
   * The directory of the data, in Kafka's file formats. Default: data is in memory and ends with `stop`.
   * - A path is made if it does not exist, and never removed. `start` rejects with a `DataDirectoryError` when another
   *   broker uses the directory.
   * - `'temp'` is a new directory among the system's temporary files (write `./temp` for a directory of that name). It is
   *   removed by `stop`, or at the exit of the process. Where a process is killed, as vitest and Jest kill their
   *   workers, the next temporary directory removes it.
   */
  readonly dataDir?: 'temp' | (string & {}) | undefined
  /**
   * The TCP port, 0 to 65535. Default: 0, which takes a free port. `start` rejects with a `ListenError` when the port
   * is in use. `port` and `host` exclude `listeners` in `config`.
   */
  readonly port?: number | undefined
  /** The host name or address to listen on. Default: `localhost`, which is both loopback addresses, IPv4 and IPv6. */
  readonly host?: string | undefined
  /** Receives the log lines of the broker; any pino logger fits. Default: no log. */
  readonly logger?: Logger | undefined
  /**
   * True: the process exits when nothing but the broker is left, also without `stop`. False: the broker keeps the process
   * alive until `stop`, for a process that serves other processes alone. Default: true.
   */
  readonly unref?: boolean | undefined
}

/** Options of `kafka.stop`. It rejects with a `ConfigError` for unknown options and wrong types; the broker then runs on. */
export interface StopOptions {
  /**
   * `'leak'`: reject with a `LeakError` when clients are still connected, after all has stopped. Default: emit a
   * `MiniKafkaWarning` of the process for each of them.
   */
  readonly failOn?: 'leak' | undefined
}

/** A topic to create. `start` rejects with a `ConfigError` that holds Kafka's reason when the broker refuses it. */
export interface TopicOptions {
  readonly name: string
  /** Number of partitions, 1 or more. Default: the broker's `num.partitions`, which is 1 unless `config` says otherwise. */
  readonly partitions?: number | undefined
  /** Replicas of each partition. Default: the broker's `default.replication.factor`. One broker can hold 1. */
  readonly replicationFactor?: number | undefined
  /** Settings of the topic by Kafka's names, as in `{ 'cleanup.policy': 'compact' }`. */
  readonly config?: Readonly<Record<string, SettingValue | undefined>> | undefined
}

/** A record to write. */
export interface RecordOptions {
  readonly topic: string
  /**
   * The partition, from 0. Default: for a key the partition that Kafka's producers choose (murmur2); records without a key
   * take turns through the partitions of the topic, from 0.
   */
  readonly partition?: number | undefined
  /** A string is written as UTF-8. Default: null. */
  readonly key?: string | Uint8Array | null | undefined
  /** A string is written as UTF-8; null is a tombstone in a compacted topic. Default: null. */
  readonly value?: string | Uint8Array | null | undefined
  /** Values by name; an array gives several headers of that name. Default: none. */
  readonly headers?: Readonly<Record<string, HeaderValue | readonly HeaderValue[] | undefined>> | undefined
  /**
   * Milliseconds since the Unix epoch, or a `Date`. Default: the time at which the record is written. Retention counts from
   * it: the broker deletes records that are older than `retention.ms` (7 days by default).
   */
  readonly timestamp?: number | { getTime(): number } | undefined
}

/** The value of a header; a string is written as UTF-8. */
export type HeaderValue = string | Uint8Array | null

/** Records to write in one transaction. */
export interface TransactionOptions {
  readonly transactionalId: string
  /**
   * The end of the transaction. `'open'` leaves it open: readers of committed data wait before it, until a producer with the
   * transactional id starts or `transaction.max.timeout.ms` (15 minutes by default) has passed. Default: `'commit'`.
   */
  readonly result?: 'commit' | 'abort' | 'open' | undefined
  /** One record or more. */
  readonly records: readonly RecordOptions[]
}

/** The value of a setting; text is written as in a server.properties file. */
export type SettingValue = string | number | bigint | boolean
