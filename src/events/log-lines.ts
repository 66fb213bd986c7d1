/**
 * The log line of each event. The bindings of a line are the fields of the event, with its error as `err`. Frequent lines have a
 * rate limit, so that a client that repeats a mistake, or a failing disk, cannot fill the log. The message of a line is built only if the logger takes its level.
 */
import type { Logger } from '../runtime/logger.ts'
import type { Alarm, MonotonicClock } from '../runtime/time.ts'
import { BROKER_LINES } from './broker-events.ts'
import { CONNECTION_LINES } from './connection-events.ts'
import type { Event, EventSink } from './event.ts'
import { GROUP_LINES } from './group-events.ts'
import type { Line, Lines, LogLevel } from './line.ts'
import { LOG_LINES } from './log-events.ts'
import { METADATA_LINES } from './metadata-events.ts'
import { TRANSACTION_LINES } from './transaction-events.ts'

const LINES: Lines<Event> = {
  ...BROKER_LINES,
  ...CONNECTION_LINES,
  ...GROUP_LINES,
  ...LOG_LINES,
  ...METADATA_LINES,
  ...TRANSACTION_LINES
}

/** The period of the rate limits. */
const PERIOD_MS = 60_000
/** Limit on the keys that are counted separately. Further keys share one count. */
const MOST_KEYS = 100
const OTHERS = 'others'

interface Count {
  events: number
  readonly most: number
}

export class LogLines implements EventSink {
  readonly #logger: Logger
  readonly #loop: MonotonicClock
  /** Number of events of each key in the current period. */
  readonly #counts = new Map<string, Count>()
  #periodEnd: Alarm | undefined

  constructor(logger: Logger, loop: MonotonicClock) {
    this.#logger = logger
    this.#loop = loop
  }

  /** Whether the logger takes lines of the type, for a type with a rate limit up to the limit. */
  isEnabled(type: Event['type']): boolean {
    return this.#isLevelEnabled(LINES[type].level)
  }

  emit(event: Event): void {
    // Each line is typed; the type of the one chosen at run time is not known here.
    const line = LINES[event.type] as Line<Event>
    if (!this.#isLevelEnabled(line.level)) return
    const level = this.#levelOf(line, event)
    if (level === line.level || this.#isLevelEnabled(level)) this.#logger[level](bindingsOf(event), line.message(event))
  }

  /** Ends the period and logs the number of suppressed lines of each key. */
  flush(): void {
    this.#periodEnd?.cancel()
    this.#periodEnd = undefined
    for (const [key, { events, most }] of this.#counts) {
      const count = events - most
      if (count > 0)
        this.#logger.warn({ key, count }, `${count} more events of ${key} within a minute, logged at level debug`)
    }
    this.#counts.clear()
  }

  #isLevelEnabled(level: LogLevel): boolean {
    return this.#logger.isLevelEnabled?.(level) ?? true
  }

  #levelOf({ level, limit }: Line<Event>, event: Event): LogLevel {
    if (!limit) return level
    this.#periodEnd ??= this.#loop.at(this.#loop.now() + PERIOD_MS, () => this.flush())
    const count = this.#countOf(limit.key(event), limit.most)
    return ++count.events > count.most ? 'debug' : level
  }

  #countOf(eventKey: string, most: number): Count {
    const key = this.#counts.has(eventKey) || this.#counts.size < MOST_KEYS ? eventKey : OTHERS
    const count = this.#counts.get(key) ?? { events: 0, most }
    this.#counts.set(key, count)
    return count
  }
}

/**
 * The event itself, or a copy with its error under the name that pino expects. The type of the result is that of plain bindings:
 * no field of an event but `error` has an Error.
 */
function bindingsOf(event: Event): Record<string, string> {
  if (!('error' in event)) return event as object as Record<string, string>
  const { error: err, ...fields } = event
  return { ...fields, err } as object as Record<string, string>
}
