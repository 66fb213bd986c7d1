/** The events of one node: logs each event, stamps it and passes it to the sinks, in order and before `emit` returns. */
import { type Logger, silentLogger } from '../runtime/logger.ts'
import type { Clocks } from '../runtime/time.ts'
import type { Event, EventSink, Events } from './event.ts'
import { reasonOf } from './line.ts'
import { LogLines } from './log-lines.ts'

interface NodeEventsOptions {
  readonly nodeId: number
  readonly clocks: Clocks
  readonly logger: Logger
  /** Further sinks, which receive each event after its log line. */
  readonly sinks?: readonly EventSink[] | undefined
}

export class NodeEvents implements Events {
  readonly #nodeId: number
  readonly #clocks: Clocks
  readonly #lines: LogLines | undefined
  readonly #sinks: readonly EventSink[]
  #hasLogFailed = false

  constructor({ nodeId, clocks, logger, sinks = [] }: NodeEventsOptions) {
    this.#nodeId = nodeId
    this.#clocks = clocks
    this.#lines = logger === silentLogger ? undefined : new LogLines(logger, clocks.loop)
    this.#sinks = sinks
  }

  isObserved(type: Event['type']): boolean {
    return this.#sinks.length > 0 || (this.#lines?.isEnabled(type) ?? false)
  }

  /**
   * The change that an event reports has happened, so a request must not fail because of a sink: an error of a sink is logged, and
   * the other sinks still receive the event.
   */
  emit(event: Event): void {
    this.#log(event)
    if (this.#sinks.length === 0) return
    const stamp = { nodeId: this.#nodeId, timestampMs: this.#clocks.wall.now() }
    for (const sink of this.#sinks) {
      try {
        sink.emit(event, stamp)
      } catch (error) {
        this.#log({ type: 'EventSinkFailed', error })
      }
    }
  }

  /** A failing logger cannot log its own error. The first error becomes a warning of the process. */
  #log(event: Event): void {
    try {
      this.#lines?.emit(event)
    } catch (error) {
      if (!this.#hasLogFailed) process.emitWarning(`log lines are lost: ${reasonOf(error)}`)
      this.#hasLogFailed = true
    }
  }

  /** Logs the counts of suppressed lines. Cancels the alarm of the log lines; a later event may set it again. */
  flush(): void {
    this.#lines?.flush()
  }
}
