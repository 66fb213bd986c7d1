/**
 * One broker, from start to stop. Its environment (storage, clocks, random, events) and settings are passed in; it provides the
 * dispatch function for requests. It does not use sockets.
 */
import { LogDirectory } from '../log/directory/log-directory.ts'
import type { TopicPartition } from '../log/partition-folder.ts'
import { emittedProgress, type ProgressListener } from '../log/recovery/recovery-progress.ts'
import { Compaction } from '../metadata/log/compaction.ts'
import { metadataLogConfig } from '../metadata/log/metadata-log.ts'
import { isInternalTopic } from '../metadata/topic-names.ts'
import type { Dispatch } from '../net/dispatch.ts'
import { missingCodecs } from '../protocol/records/compression/codecs.ts'
import { type LogCleaningPorts, logCleaner } from '../replica/log-cleaning.ts'
import { LogRetention } from '../replica/log-retention.ts'
import { BackgroundLoops } from '../runtime/background.ts'
import { deferred } from '../runtime/deferred.ts'
import { LapTimes } from '../runtime/lap-times.ts'
import { oneStep, type Steps } from '../runtime/pace.ts'
import type { Clocks, MonotonicClock } from '../runtime/time.ts'
import { assemble, type World } from './assembly.ts'
import type { Parts } from './context.ts'
import { type InsertedStages, pipeline } from './pipeline.ts'

/** The input of a broker. */
export interface BrokerOptions extends World {
  /** Gets the progress of a recovery. The default logs it every few seconds. */
  readonly progress?: ProgressListener | undefined
  /** Aborts a running start: it rejects, and the data directory stays unclean if it was. */
  readonly signal?: AbortSignal | undefined
  /** Receives the durations of the phases of the start. */
  readonly laps?: LapTimes | undefined
  /** Additional stages of the request pipeline. */
  readonly stages?: InsertedStages | undefined
}

/** A running broker: what a stop ends. */
interface Running {
  readonly parts: Parts
  readonly directory: LogDirectory
  readonly background: BackgroundLoops
  readonly compaction: Compaction
}

export class Broker {
  readonly dispatch: Dispatch
  /** Rejects after an unexpected error: the state of the broker may then be inconsistent. */
  readonly failed: Promise<never>
  readonly #running: Running

  private constructor(running: Running, dispatch: Dispatch, failed: Promise<never>) {
    this.#running = running
    this.failed = failed
    this.dispatch = dispatch
  }

  /**
   * Opens the data directory and loads the coordinators' state. When it resolves, the broker can serve requests. Throws
   * DataDirectoryError for a data directory that cannot be used, StorageError if the disk fails.
   */
  static async start(options: BrokerOptions): Promise<Broker> {
    const { settings, storage, random, events, signal } = options
    const { promise: failed, reject } = deferred<never>()
    const fail = (error: unknown) => reject(asError(error))
    // Prevents an unhandled rejection if no caller waits for `failed`.
    failed.catch(() => {})
    const clocks = watchedClocks(options.clocks, fail)
    const background = new BackgroundLoops({ clocks, failed: fail })
    const identity = { nodeId: settings.get('node.id') }
    const { laps = new LapTimes(clocks.loop), progress = emittedProgress(events, clocks.loop) } = options
    const metadataLog = metadataLogConfig(settings)
    const directory = await LogDirectory.open({ storage, clocks, random, events, identity, metadataLog, signal })
    directory.writeCheckpoints(background, settings)
    laps.lap('directoryMs')
    let parts: Parts | undefined
    try {
      parts = assemble({ ...options, clocks, background, failed: fail }, directory)
      laps.lap('metadataMs')
      const { replicas, groups, txns } = parts
      const owned = (partition: TopicPartition) => replicas.ownerOf(partition)
      const recovered = (partition: TopicPartition) => replicas.opening(partition)
      await directory.load({ owned, recovered, progress, signal })
      laps.lap('recoveryMs')
      await groups.start(signal)
      await txns.start(signal)
      laps.lap('coordinatorsMs')
      const compaction = new Compaction({ ...parts, storage, background })
      startLoops(background, { ...parts, directory, storage })
      const dispatch = pipeline(parts, options.stages)
      return new Broker({ parts, directory, background, compaction }, dispatch, failed)
    } catch (error) {
      await background.stop()
      parts?.txns.stop()
      parts?.groups.stop()
      await directory.close()
      throw error
    }
  }

  /** The topics, without internal topics. */
  topicNames(): string[] {
    return [...this.#running.parts.metadata.image.topicsByName.keys()].filter(name => !isInternalTopic(name))
  }

  /**
   * Stops the background loops, so that no other code changes state; then the coordinators, which complete their delayed
   * requests; then delayed fetches; then metadata and data directory, which flush everything to disk.
   */
  async stop(): Promise<void> {
    const { parts, directory, background, compaction } = this.#running
    const { txns, groups, purgatory, metadata } = parts
    await background.stop()
    txns.stop()
    groups.stop()
    purgatory.close()
    await compaction.close()
    await directory.close(metadata.brokerEpoch)
  }
}

/** Starts the loops that no other part owns. */
function startLoops(background: BackgroundLoops, parts: Parts & LogCleaningPorts): void {
  const { settings, events } = parts
  background.start({
    name: 'missing codecs',
    // Runs once, after the start, without delaying it.
    initialDelayMs: 0,
    work: () =>
      oneStep(() => {
        for (const error of missingCodecs()) events.emit({ type: 'CodecMissing', codec: error.codec, error })
      })
  })
  background.start({
    name: 'producer expiration',
    delayMs: () => settings.get('producer.id.expiration.check.interval.ms'),
    work: () => expireProducers(parts)
  })
  new LogRetention(parts).start(background)
  if (settings.get('log.cleaner.enable')) logCleaner(parts).start(background)
}

/** Removes the state of expired producers in every open partition. */
function* expireProducers({ replicas, clocks, settings }: Parts): Steps {
  const expirationMs = settings.get('producer.id.expiration.ms')
  for (const partition of replicas.openPartitions()) {
    partition.expireProducers(clocks.wall.now(), expirationMs)
    yield
  }
}

/** Clocks whose alarms cannot end the process: an error in an alarm fails this broker only. */
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
