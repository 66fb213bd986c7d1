/**
 * Runs the operations of a coordinator on its shards, as Kafka's `CoordinatorRuntime`. The group coordinator and the transaction
 * coordinator use it.
 *
 * An operation reads and changes the state of a shard without an await between. Its response, success or error, then waits for the
 * flush of the shard's records, if `flush.messages` requires one: it may depend on a record of another operation.
 */
import type { Events } from '../events/event.ts'
import { KafkaError } from '../protocol/errors.ts'
import { MalformedFrame } from '../protocol/wire/bytes.ts'
import type { BackgroundLoop, BackgroundLoops } from '../runtime/background.ts'
import { runAtOnce, runYielding, type Steps } from '../runtime/pace.ts'
import type { Clocks } from '../runtime/time.ts'
import { coordinatorError, coordinatorErrorCode } from './errors.ts'
import { partitionFor } from './partitioner.ts'
import { type RecordFormat, Shard, type ShardState } from './shard.ts'
import type { StateTopic } from './state-log.ts'
import { type Timer, Timers } from './timers.ts'

/** Delay before an operation is retried whose records could not be written. */
const RETRY_MS = 1_000

export interface RuntimeWorld {
  readonly topic: StateTopic
  readonly clocks: Clocks
  readonly events: Events
  readonly background: BackgroundLoops
}

/** The rules of one coordinator. */
export interface CoordinatorRules<State extends ShardState<Message>, Message, Kind extends string> {
  /** Name of the timers' background loop. */
  readonly timersName: string
  readonly format: RecordFormat<Message>
  newState(timers: Timers<Kind>): State
  /** Called once for each loaded shard. */
  loaded(shard: Shard<State, Message, Kind>): void
  /** Called before a shard is removed from memory: pending responses get NOT_COORDINATOR. */
  unloading(shard: Shard<State, Message, Kind>): void
  /** Runs the operation of a timer that is due. After a KafkaError, nothing has changed, and the timer is set again. */
  expired(shard: Shard<State, Message, Kind>, timer: Timer<Kind>): void
}

export class CoordinatorRuntime<State extends ShardState<Message>, Message, Kind extends string> {
  readonly #world: RuntimeWorld
  readonly #rules: CoordinatorRules<State, Message, Kind>
  /** Null for a shard that failed to load. */
  readonly #shards = new Map<number, Shard<State, Message, Kind> | null>()
  readonly #expiration: BackgroundLoop
  #isStopped = false

  constructor(world: RuntimeWorld, rules: CoordinatorRules<State, Message, Kind>) {
    this.#world = world
    this.#rules = rules
    this.#expiration = world.background.start({ name: rules.timersName, work: () => this.#runTimers() })
  }

  /** Loads all shards that this node leads, in slices. Rejects when `signal` aborts. */
  async start(signal?: AbortSignal): Promise<void> {
    await runYielding(this.#loadAll(), { clocks: this.#world.clocks, signal })
  }

  /** Unloads all shards. Later requests get COORDINATOR_NOT_AVAILABLE. */
  stop(): void {
    this.#isStopped = true
    this.unload()
  }

  /** Removes all shards from memory: the coordinator stops, or its topic is deleted. */
  unload(): void {
    for (const index of [...this.#shards.keys()]) this.#unload(index)
  }

  /**
   * Runs the operation of a request on the shard of a key. `failed` makes the response of a KafkaError, mapped to the errors that
   * clients of a coordinator expect; other errors are thrown. `check` throws the error of an invalid request, before the shard is
   * looked up.
   */
  async request<T>(
    key: string,
    operation: (shard: Shard<State, Message, Kind>) => T | Promise<T>,
    failed: (error: KafkaError) => T,
    check?: () => void
  ): Promise<T> {
    try {
      this.checkActive()
      check?.()
      const shard = this.shardOf(key)
      try {
        const response = operation(shard)
        return response instanceof Promise ? await response : response
      } finally {
        const settled = shard.settled()
        if (settled) await settled
      }
    } catch (error) {
      const mapped = coordinatorError(error)
      if (mapped instanceof KafkaError) return failed(mapped)
      throw mapped
    }
  }

  /** Throws COORDINATOR_NOT_AVAILABLE after `stop`. */
  checkActive(): void {
    if (this.#isStopped) throw new KafkaError('COORDINATOR_NOT_AVAILABLE', 'the broker is stopping')
  }

  /**
   * The shard of a key. Throws COORDINATOR_NOT_AVAILABLE after `stop`, or NOT_COORDINATOR if the topic does not exist, another node
   * leads the partition, or it failed to load.
   */
  shardOf(key: string): Shard<State, Message, Kind> {
    this.checkActive()
    const { topic } = this.#world
    const partitionCount = topic.partitionCount()
    const shard = partitionCount > 0 ? this.at(partitionFor(key, partitionCount)) : undefined
    // The client then sends FindCoordinator again, which creates a missing topic.
    if (!shard) throw new KafkaError('NOT_COORDINATOR', `this broker does not serve ${key}`)
    return shard
  }

  /**
   * The shard with this index, loaded if necessary; undefined if it does not exist, another node leads the partition, or it failed
   * to load.
   */
  at(index: number): Shard<State, Message, Kind> | undefined {
    if (index >= this.#world.topic.partitionCount()) return undefined
    return runAtOnce(this.#shard(index)) ?? undefined
  }

  /** Resolves when responses may be sent that depend on all shards. A shard whose log has failed is not served and left out. */
  async settled(): Promise<void> {
    for (const shard of [...this]) {
      try {
        await shard.settled()
      } catch (error) {
        if (coordinatorErrorCode(error) !== 'NOT_COORDINATOR') throw coordinatorError(error)
      }
    }
  }

  /** The loaded shards that this node leads. */
  *[Symbol.iterator](): Iterator<Shard<State, Message, Kind>> {
    for (const [index, shard] of this.#shards) if (shard && this.#world.topic.leads(index)) yield shard
  }

  /** Runs the operation of a timer now. If its records cannot be written, the timer is set again and runs later. */
  runTimer(shard: Shard<State, Message, Kind>, timer: Timer<Kind>): void {
    const { clocks, events, topic } = this.#world
    try {
      this.#rules.expired(shard, timer)
    } catch (error) {
      if (!(error instanceof KafkaError)) throw error
      const { subject, member, kind } = timer
      events.emit({ type: 'CoordinatorWriteFailed', topic: topic.topic, key: subject, retryMs: RETRY_MS, error })
      shard.timers.set(subject, member, kind, clocks.deadline.now() + RETRY_MS)
    }
  }

  *#loadAll(): Steps {
    for (let index = 0; index < this.#world.topic.partitionCount(); index++) yield* this.#shard(index)
  }

  *#shard(index: number): Steps<Shard<State, Message, Kind> | null> {
    if (!this.#world.topic.leads(index)) {
      this.#unload(index)
      return null
    }
    const existing = this.#shards.get(index)
    if (existing !== undefined) return existing
    const shard = yield* this.#load(index)
    this.#shards.set(index, shard)
    if (shard) this.#rules.loaded(shard)
    return shard
  }

  *#load(index: number): Steps<Shard<State, Message, Kind> | null> {
    const { topic, clocks, events } = this.#world
    const { format } = this.#rules
    const timers = new Timers<Kind>(clocks.deadline, () => this.#expiration.run())
    try {
      const shard = new Shard({
        ...{ state: this.#rules.newState(timers), topic: topic.topic, log: topic.log(index) },
        ...{ timers, format, wall: clocks.wall, events }
      })
      yield* shard.load()
      return shard
    } catch (error) {
      if (!(error instanceof MalformedFrame || error instanceof KafkaError)) throw error
      events.emit({ type: 'CoordinatorLoadFailed', topicPartition: `${topic.topic}-${index}`, error })
      return null
    }
  }

  #unload(index: number): void {
    const shard = this.#shards.get(index)
    this.#shards.delete(index)
    if (!shard) return
    this.#rules.unloading(shard)
    shard.unload()
  }

  /** Many timers may be due at once, and a shard may be unloaded between two steps. */
  *#runTimers(): Steps {
    for (const index of [...this.#shards.keys()]) {
      // A shard that this node no longer leads is unloaded: it is loaded again if this node becomes the leader again.
      const shard = yield* this.#shard(index)
      if (!shard) continue
      for (let timer = shard.timers.takeDue(); timer; timer = shard.timers.takeDue()) {
        if (timer !== 'moved') this.runTimer(shard, timer)
        yield
      }
    }
  }
}
