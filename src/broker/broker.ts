/**
 * One broker, from its start to its stop. It is given the world (disk, clocks, chance, log) and settings, and gives a
 * dispatch function; sockets are somebody else's.
 */
import type { LogCleaner } from '../log/cleaner/cleaner.ts'
import { LogDirectory } from '../log/directory/log-directory.ts'
import type { TopicPartition } from '../log/partition-folder.ts'
import { loggedProgress, type ProgressListener } from '../log/recovery/recovery-progress.ts'
import { metadataLogConfig } from '../metadata/log/metadata-log.ts'
import { isInternalTopic } from '../metadata/topic-names.ts'
import type { Dispatch } from '../net/dispatch.ts'
import { missingCodecs } from '../protocol/records/compression/codecs.ts'
import { logCleaner } from '../replica/log-cleaning.ts'
import { LogRetention } from '../replica/log-retention.ts'
import { deferred } from '../runtime/deferred.ts'
import { LapTimes } from '../runtime/lap-times.ts'
import { type Alarm, type Clocks, type MonotonicClock, repeat } from '../runtime/time.ts'
import type { Storage } from '../storage/storage.ts'
import { assemble, type World } from './assembly.ts'
import type { Parts } from './context.ts'
import { dispatcher } from './dispatch.ts'

/** What a broker is made from. */
export interface BrokerOptions extends World {
  /** Hears how far a recovery has come; unless given, that is logged every few seconds. */
  readonly progress?: ProgressListener | undefined
  /** Calls a start off that is still under way: it rejects, and the data directory is as unclean as it was. */
  readonly signal?: AbortSignal | undefined
  /** Where the shares of the start are noted. */
  readonly laps?: LapTimes | undefined
}

export class Broker {
  readonly dispatch: Dispatch
  /** Rejects when something happened that must not happen, and the broker cannot be trusted to go on. */
  readonly failed: Promise<never>
  readonly #parts: Parts
  readonly #directory: LogDirectory
  readonly #producerExpiry: Alarm
  readonly #retention: LogRetention
  readonly #cleaner: LogCleaner
  readonly #codecCheck: Alarm

  private constructor(parts: Parts, directory: LogDirectory, storage: Storage, failed: Promise<never>) {
    this.#parts = parts
    this.#directory = directory
    this.failed = failed
    this.#producerExpiry = expireProducers(parts)
    this.#retention = new LogRetention(parts)
    this.#cleaner = logCleaner({ ...parts, directory, storage })
    if (parts.settings.get('log.cleaner.enable')) this.#cleaner.start()
    this.dispatch = dispatcher(parts)
    this.#codecCheck = reportMissingCodecs(parts)
  }

  /**
   * Opens the data directory and loads what the coordinators keep there: when it resolves, requests can be answered.
   * Throws DataDirectoryError for a directory that is not ours, StorageError where the disk fails.
   */
  static async start(options: BrokerOptions): Promise<Broker> {
    const { settings, storage, random, logger, signal } = options
    const { promise: failed, reject } = deferred<never>()
    const fail = (error: unknown) => reject(asError(error))
    // Whoever waits for it hears of it; when nobody does, that must not end the process.
    failed.catch(() => {})
    const clocks = watchedClocks(options.clocks, fail)
    const identity = { nodeId: settings.get('node.id') }
    const { laps = new LapTimes(clocks.loop), progress = loggedProgress(logger, clocks.loop) } = options
    const logs = { metadataLog: metadataLogConfig(settings), settings }
    const directory = await LogDirectory.open({ storage, clocks, random, logger, identity, ...logs, signal })
    laps.lap('directoryMs')
    let parts: Parts | undefined
    try {
      parts = assemble({ ...options, clocks }, directory, fail)
      laps.lap('metadataMs')
      const { replicas, groups, txns } = parts
      const owned = (partition: TopicPartition) => replicas.ownerOf(partition)
      const recovered = (partition: TopicPartition) => replicas.opening(partition)
      await directory.load({ owned, recovered, progress, signal })
      laps.lap('recoveryMs')
      await groups.start(signal)
      await txns.start(signal)
      laps.lap('coordinatorsMs')
      parts.metadata.compact(settings, logger)
      return new Broker(parts, directory, storage, failed)
    } catch (error) {
      parts?.txns.stop()
      parts?.groups.stop()
      await directory.close()
      throw error
    }
  }

  /** Topics of users: internal topics are left out. */
  topicNames(): string[] {
    return [...this.#parts.metadata.image.topicsByName.keys()].filter(name => !isInternalTopic(name))
  }

  /** Answers what is delayed, then brings everything to the disk and closes it. */
  async stop(): Promise<void> {
    this.#codecCheck.cancel()
    this.#producerExpiry.cancel()
    await this.#retention.stop()
    await this.#cleaner.stop()
    this.#parts.txns.stop()
    this.#parts.groups.stop()
    this.#parts.purgatory.close()
    await this.#parts.metadata.close()
    await this.#directory.close(this.#parts.metadata.brokerEpoch)
  }
}

/** Forgets producers that have been silent too long, in every partition that is open. */
function expireProducers(parts: Parts): Alarm {
  const intervalMs = () => parts.settings.get('producer.id.expiration.check.interval.ms')
  return repeat(parts.clocks.deadline, intervalMs, () => {
    const expirationMs = parts.settings.get('producer.id.expiration.ms')
    for (const partition of parts.replicas.openPartitions())
      partition.expireProducers(parts.clocks.wall.now(), expirationMs)
  })
}

/** Looks for the libraries of codecs once the start is over, which it must not delay. */
function reportMissingCodecs({ clocks, notice }: Parts): Alarm {
  return clocks.loop.at(clocks.loop.now(), () => missingCodecs().forEach(notice))
}

/** Clocks whose alarms cannot end the process: what they throw ends this broker alone. */
function watchedClocks({ wall, deadline, loop }: Clocks, fail: (error: unknown) => void): Clocks {
  const watched = (fire: () => void) => () => {
    try {
      fire()
    } catch (error) {
      fail(error)
    }
  }
  const watchedClock = (clock: MonotonicClock): MonotonicClock => ({
    now: () => clock.now(),
    at: (timeMs, fire) => clock.at(timeMs, watched(fire))
  })
  return { wall, deadline: watchedClock(deadline), loop: watchedClock(loop) }
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error))
}
