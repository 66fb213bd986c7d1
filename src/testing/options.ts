/** The options of the fixture. Types only, without Node's types, so that every project can import them. */
import type { Logger } from '../runtime/logger.ts'

/**
 * Options of `MiniKafka.start`. An undefined option has its default. `start` copies the options, so later changes have no
 * effect, and reads no environment variables. It rejects with a `ConfigError` for unknown options and wrong types.
 */
export interface MiniKafkaOptions {
  /**
   * Topics that exist when `start` resolves: names, or objects with partitions and settings. Default: none.
   * An existing topic of the data directory is unchanged.
   */
  readonly topics?: readonly (string | TopicOptions)[] | undefined
  /**
   * Records to write in this order before `start` resolves. Default: none. Topics that do not exist are created with the
   * broker's defaults. Records are written once: if a topic of the data directory has had records before, its records and
   * transactions are skipped with a log line. The line is a warning if an earlier start was killed while it wrote the records
   * of the topic. `start` rejects with a `ConfigError` if the broker refuses a record.
   */
  readonly records?: readonly (RecordOptions | TransactionOptions)[] | undefined
  /** Settings of the broker by Kafka's names, as in `{ 'num.partitions': 3 }`. Default: Kafka's defaults. */
  readonly config?: Readonly<Record<string, SettingValue | undefined>> | undefined
  /**
   * The data directory, in Kafka's file formats. Default: data is in memory and is lost at `stop`.
   * - A path is created if it does not exist, and never removed. `start` rejects with a `DataDirectoryError` if another
   *   broker uses the directory.
   * - `'temp'` is a new directory among the system's temporary files (write `./temp` for a directory of that name). It is
   *   removed by `stop`, or at the exit of the process. If the process is killed, as vitest and Jest kill their workers, the
   *   next start with `'temp'` removes it.
   */
  readonly dataDir?: 'temp' | (string & {}) | undefined
  /**
   * The TCP port, 0 to 65535. Default: 0, which selects a free port. `start` rejects with a `ListenError` if the port
   * is in use. `port` and `host` exclude `listeners` in `config`.
   */
  readonly port?: number | undefined
  /** The host name or address to listen on. Default: `localhost`, both loopback addresses (IPv4 and IPv6). */
  readonly host?: string | undefined
  /** Receives the log lines of the broker, for example a pino logger. Default: no log. */
  readonly logger?: Logger | undefined
  /**
   * True: the broker does not keep the process alive, so the process can exit without `stop`. False: the broker keeps the
   * process alive until `stop`, for a process whose only clients are other processes. Default: true.
   */
  readonly unref?: boolean | undefined
}

/** Options of `kafka.stop`, which rejects with a `ConfigError` for invalid options. The broker then keeps running. */
export interface StopOptions {
  /**
   * `'leak'`: reject with a `LeakError` after the stop if clients were still connected. Default: emit a process warning
   * `MiniKafkaWarning` for each of these clients.
   */
  readonly failOn?: 'leak' | undefined
}

/** A topic to create. `start` rejects with a `ConfigError` with Kafka's reason if the broker refuses the topic. */
export interface TopicOptions {
  readonly name: string
  /** Number of partitions, 1 or more. Default: the broker's `num.partitions`, which is 1 unless `config` sets it. */
  readonly partitions?: number | undefined
  /** Replicas of each partition. Default: the broker's `default.replication.factor`. One broker allows only 1. */
  readonly replicationFactor?: number | undefined
  /** Settings of the topic by Kafka's names, as in `{ 'cleanup.policy': 'compact' }`. */
  readonly config?: Readonly<Record<string, SettingValue | undefined>> | undefined
}

/** A record to write. */
export interface RecordOptions {
  readonly topic: string
  /**
   * The partition, from 0. Default: for a key, the partition that Kafka's producers choose (murmur2); for records without a
   * key, the partitions of the topic in turn, from 0.
   */
  readonly partition?: number | undefined
  /** A string is written as UTF-8. Default: null. */
  readonly key?: string | Uint8Array | null | undefined
  /** A string is written as UTF-8; null is a tombstone in a compacted topic. Default: null. */
  readonly value?: string | Uint8Array | null | undefined
  /** Values by name; an array is several headers of that name. Default: none. */
  readonly headers?: Readonly<Record<string, HeaderValue | readonly HeaderValue[] | undefined>> | undefined
  /**
   * Milliseconds since the Unix epoch, or a `Date`. Default: the time at which the record is written. The
   * broker deletes records whose timestamp is older than `retention.ms` (7 days by default).
   */
  readonly timestamp?: number | { getTime(): number } | undefined
}

/** The value of a header; a string is written as UTF-8. */
export type HeaderValue = string | Uint8Array | null

/** Records to write in one transaction. */
export interface TransactionOptions {
  readonly transactionalId: string
  /**
   * The end of the transaction. `'open'` leaves it open: read_committed consumers do not read its first record or later
   * ones, until a producer with the transactional id starts or `transaction.max.timeout.ms` (15 minutes by default) has
   * passed. Default: `'commit'`.
   */
  readonly result?: 'commit' | 'abort' | 'open' | undefined
  /** One record or more. */
  readonly records: readonly RecordOptions[]
}

/** The value of a setting. A string has the syntax of a server.properties file. */
export type SettingValue = string | number | bigint | boolean
