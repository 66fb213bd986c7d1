/** Between a log and its disk: after an error that leaves the disk's state unknown the log is offline until restart. */
import { KafkaError } from '../../protocol/errors.ts'
import { CorruptRecordError } from '../../protocol/records/batch.ts'
import type { Logger } from '../../runtime/logger.ts'
import { StorageError } from '../../storage/storage.ts'

/** After so many different places of damage in a log no more are reported. */
const MOST_DAMAGES = 100

export class DiskGuard {
  readonly #folder: string
  readonly #logger: Logger
  /** Places that have been reported. */
  readonly #damages = new Set<string>()
  readonly #listeners: ((why: KafkaError) => void)[] = []
  /** Why nothing may be done with the log any more. */
  #offline: KafkaError | undefined

  constructor(folder: string, logger: Logger) {
    this.#folder = folder
    this.#logger = logger
  }

  get isOffline(): boolean {
    return this.#offline !== undefined
  }

  /** `listener` is told when the log goes offline or is deleted: nobody may be left waiting for it. */
  onOffline(listener: (why: KafkaError) => void): void {
    this.#listeners.push(listener)
  }

  /** Runs what touches the disk. Throws what it throws, and at once when the log is offline. */
  run<T>(act: () => T): T {
    if (this.#offline) throw this.#offline
    try {
      return act()
    } catch (error) {
      this.#note(error)
      throw error
    }
  }

  /** As `run`, for what is read piece by piece. */
  *each<T>(read: () => Iterable<T>): Generator<T, undefined> {
    if (this.#offline) throw this.#offline
    try {
      yield* read()
    } catch (error) {
      this.#note(error)
      throw error
    }
  }

  /** The disk cannot be believed any more. Returns what whoever asks for the log is told. */
  fail(error: unknown): KafkaError {
    if (this.#offline) return this.#offline
    this.#logger.error({ folder: this.#folder, err: error }, 'the partition is offline until restart: its disk failed')
    return this.#goOffline(error instanceof KafkaError ? error : new StorageError('failed', String(error)))
  }

  /** The partition is no more: whoever still holds its log is refused. */
  abandon(): void {
    this.#goOffline(new KafkaError('NOT_LEADER_OR_FOLLOWER', `${this.#folder} has been deleted`))
  }

  #note(error: unknown): void {
    if (error instanceof StorageError && error.kind === 'failed') this.fail(error)
    if (error instanceof CorruptRecordError) this.#reportDamage(error)
  }

  /** Once for each place, however many ask for it. */
  #reportDamage(error: CorruptRecordError): void {
    if (this.#damages.has(error.message) || this.#damages.size === MOST_DAMAGES) return
    this.#damages.add(error.message)
    this.#logger.error({ folder: this.#folder, err: error }, `a log is damaged: ${error.message}`)
  }

  #goOffline(why: KafkaError): KafkaError {
    this.#offline = why
    for (const listener of this.#listeners) listener(why)
    return why
  }
}
