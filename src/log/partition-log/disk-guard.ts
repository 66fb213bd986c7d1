/**
 * The error state of a log: after a disk error that leaves the files in an unknown state, the log is offline until restart.
 */
import type { Events } from '../../events/event.ts'
import { KafkaError } from '../../protocol/errors.ts'
import { CorruptRecordError } from '../../protocol/records/batch.ts'
import { StorageError } from '../../storage/storage.ts'

/** Maximum number of damaged positions that are reported for a log. */
const MOST_DAMAGES = 100

export class DiskGuard {
  readonly #folder: string
  readonly #events: Events
  /** Messages of the damages that were reported. */
  readonly #damages = new Set<string>()
  readonly #listeners: ((why: KafkaError) => void)[] = []
  /** The error that every operation throws; undefined while the log is online. */
  #offline: KafkaError | undefined

  constructor(folder: string, events: Events) {
    this.#folder = folder
    this.#events = events
  }

  get isOffline(): boolean {
    return this.#offline !== undefined
  }

  /**
   * Adds a listener for the log going offline or being deleted. The listener must reject or complete everything that
   * waits for the log.
   */
  onOffline(listener: (why: KafkaError) => void): void {
    this.#listeners.push(listener)
  }

  /** Runs an operation on the disk. Throws its errors, and the offline error without running it if the log is offline. */
  run<T>(act: () => T): T {
    if (this.#offline) throw this.#offline
    try {
      return act()
    } catch (error) {
      this.#note(error)
      throw error
    }
  }

  /** `run` for reads in pieces. */
  *each<T>(read: () => Iterable<T>): Generator<T, undefined> {
    if (this.#offline) throw this.#offline
    try {
      yield* read()
    } catch (error) {
      this.#note(error)
      throw error
    }
  }

  /** Takes the log offline after a disk error. Returns the error that later operations throw. */
  fail(error: unknown): KafkaError {
    if (this.#offline) return this.#offline
    this.#events.emit({ type: 'PartitionOffline', topicPartition: this.#folder, cause: 'disk', error })
    return this.#goOffline(error instanceof KafkaError ? error : new StorageError('failed', String(error)))
  }

  /** Marks the partition as deleted. Later operations on the log throw NOT_LEADER_OR_FOLLOWER. */
  abandon(): void {
    this.#goOffline(new KafkaError('NOT_LEADER_OR_FOLLOWER', `the log ${this.#folder} is deleted`))
  }

  #note(error: unknown): void {
    if (error instanceof StorageError && error.kind === 'failed') this.fail(error)
    if (error instanceof CorruptRecordError) this.#reportDamage(error)
  }

  /** Emits an event for each damaged position once. */
  #reportDamage(error: CorruptRecordError): void {
    if (this.#damages.has(error.message) || this.#damages.size === MOST_DAMAGES) return
    this.#damages.add(error.message)
    this.#events.emit({ type: 'LogDamaged', topicPartition: this.#folder, error })
  }

  #goOffline(why: KafkaError): KafkaError {
    this.#offline = why
    for (const listener of this.#listeners) listener(why)
    return why
  }
}
