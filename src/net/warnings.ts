/**
 * Rate-limited warnings about connections. An address that repeats a mistake (a health check, a port scan, a client that retries)
 * is logged a few times a minute and then only counted, so that it cannot fill the log.
 */
import type { Logger } from '../runtime/logger.ts'
import type { Alarm, MonotonicClock } from '../runtime/time.ts'

const PERIOD_MS = 60_000
const MOST_IN_FULL = 10
/** Limit on the addresses that are counted separately. Further addresses share one count. */
const MOST_ADDRESSES = 100
const OTHERS = 'other addresses'

/** The warnings of a server. */
export class Warnings {
  readonly #loop: MonotonicClock
  readonly #logger: Logger
  /** Number of warnings for each address in the current period. */
  readonly #counts = new Map<string, number>()
  #periodEnd: Alarm | undefined

  constructor(loop: MonotonicClock, logger: Logger) {
    this.#loop = loop
    this.#logger = logger
  }

  /** Warns of a connection from `ip`. Logs at debug level after the limit of the period. */
  warn(ip: string, bindings: Readonly<Record<string, string | number>>, message: string): void {
    this.#periodEnd ??= this.#loop.at(this.#loop.now() + PERIOD_MS, () => this.flush())
    const address = this.#counts.has(ip) || this.#counts.size < MOST_ADDRESSES ? ip : OTHERS
    const count = (this.#counts.get(address) ?? 0) + 1
    this.#counts.set(address, count)
    if (count <= MOST_IN_FULL) this.#logger.warn(bindings, message)
    else this.#logger.debug(bindings, message)
  }

  /** Ends the period and logs the number of suppressed warnings. */
  flush(): void {
    this.#periodEnd?.cancel()
    this.#periodEnd = undefined
    for (const [address, count] of this.#counts) {
      if (count <= MOST_IN_FULL) continue
      this.#logger.warn(
        { address },
        `${count - MOST_IN_FULL} more warnings about ${address} within a minute (--log-level debug tells each)`
      )
    }
    this.#counts.clear()
  }
}
