/**
 * Background loops: periodic work of a broker such as retention, compaction and checkpoints. As in Kafka's `KafkaScheduler`, the
 * monotonic `deadline` clock paces all loops.
 */
import { runYielding, type Steps } from './pace.ts'
import type { Alarm, Clocks } from './time.ts'

/** Work and schedule of a loop. */
export interface LoopOptions {
  /** Name for error messages, such as `log retention`. */
  readonly name: string
  /** One run. It handles and logs the errors that it expects; any other error fails the broker. */
  readonly work: () => Steps
  /** Time until the next run, read before each wait. If it is undefined, only `run` starts a run. */
  readonly delayMs?: () => number | undefined
  /** Time until the first run, if it differs from `delayMs`. */
  readonly initialDelayMs?: number
  /** Start of the delay: the begin of the last run (the default, as in `KafkaScheduler`) or its end. */
  readonly delayFrom?: 'begin' | 'end'
}

/** A background loop. Runs never overlap: a run that becomes due during another one starts after it. */
export class BackgroundLoop {
  readonly #options: LoopOptions
  readonly #world: LoopWorld
  readonly #stopping = new AbortController()
  #alarm: Alarm | undefined
  #isRunning = false
  #isDue = false
  /** Resolves when the last run has ended. */
  #ended: Promise<void> = Promise.resolve()

  constructor(options: LoopOptions, world: LoopWorld) {
    this.#options = options
    this.#world = world
    this.#wait(options.initialDelayMs ?? options.delayMs?.())
  }

  get isRunning(): boolean {
    return this.#isRunning
  }

  /** Starts a run now, or after the current run. Does nothing after `stop`. */
  run(): void {
    if (this.#stopping.signal.aborted) return
    if (this.#isRunning) this.#isDue = true
    else this.#begin()
  }

  /** Stops the current run between two steps and starts no further run. Resolves when no step runs any more. */
  async stop(): Promise<void> {
    this.#stopping.abort()
    this.#alarm?.cancel()
    await this.#ended
  }

  #wait(delayMs: number | undefined): void {
    if (delayMs === undefined) return
    const { deadline } = this.#world.clocks
    this.#alarm = deadline.at(deadline.now() + delayMs, () => this.run())
  }

  #begin(): void {
    const { clocks } = this.#world
    const { delayMs, delayFrom, work } = this.#options
    this.#alarm?.cancel()
    this.#isRunning = true
    this.#isDue = false
    try {
      if (delayFrom !== 'end') this.#wait(delayMs?.())
      const running = runYielding(work(), { clocks, signal: this.#stopping.signal })
      if (running instanceof Promise) {
        this.#ended = running.then(
          () => this.#end(),
          (error: unknown) => this.#fail(error)
        )
      } else this.#end()
    } catch (error) {
      this.#fail(error)
    }
  }

  #end(): void {
    const { delayMs, delayFrom } = this.#options
    this.#isRunning = false
    if (this.#stopping.signal.aborted) return
    if (delayFrom === 'end') this.#wait(delayMs?.())
    if (this.#isDue) this.#begin()
  }

  #fail(error: unknown): void {
    this.#isRunning = false
    const { signal } = this.#stopping
    if (signal.aborted && error === signal.reason) return
    this.#stopping.abort()
    this.#alarm?.cancel()
    this.#world.failed(new Error(`the background loop "${this.#options.name}" failed`, { cause: error }))
  }
}

/** Dependencies that all loops of a broker share. */
export interface LoopWorld {
  readonly clocks: Pick<Clocks, 'deadline' | 'loop'>
  /** Fails the broker. */
  failed(error: unknown): void
}

/** All loops of a broker. */
export class BackgroundLoops {
  readonly #world: LoopWorld
  readonly #loops: BackgroundLoop[] = []

  constructor(world: LoopWorld) {
    this.#world = world
  }

  /** Starts a loop. Its first run follows after the delay. */
  start(options: LoopOptions): BackgroundLoop {
    const loop = new BackgroundLoop(options, this.#world)
    this.#loops.push(loop)
    return loop
  }

  /** Stops all loops concurrently and starts no further run. Resolves when no step runs any more. */
  async stop(): Promise<void> {
    await Promise.all(this.#loops.map(loop => loop.stop()))
  }
}
