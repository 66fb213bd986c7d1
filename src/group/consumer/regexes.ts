/** What the regular expressions stand for that members subscribe by. It is found in steps: there may be many topics. */
import { compilePattern, type Pattern } from '../../coordinator/patterns.ts'
import { KafkaError } from '../../protocol/errors.ts'
import type { Logger } from '../../runtime/logger.ts'
import { Pause, runYielding, type Steps } from '../../runtime/pace.ts'
import type { Clocks } from '../../runtime/time.ts'
import type { ResolvedRegex } from './group.ts'
import type { GroupTopics } from './topics.ts'

export interface ResolutionPorts {
  readonly clocks: Clocks
  readonly logger: Logger
  readonly topics: GroupTopics
  /** Told of what must not happen. */
  failed(error: unknown): void
}

/** What expressions stand for, by expression. */
export type ResolvedRegexes = ReadonlyMap<string, ResolvedRegex>

/**
 * The topics that each expression matches as a whole. Others have their turn after each topic and expression, for one
 * match may take long. One that cannot be compiled is left out: another broker may have let it into the log.
 */
export function* resolveRegexes(
  regexes: ReadonlySet<string>,
  { topics, clocks, logger }: Omit<ResolutionPorts, 'failed'>
): Steps<ResolvedRegexes> {
  const { version } = topics
  const timestamp = BigInt(clocks.wall.now())
  const patterns = new Map<string, Pattern>()
  for (const regex of regexes) {
    const pattern = tryCompile(regex, logger)
    if (pattern) patterns.set(regex, pattern)
    yield
  }
  const matched = new Map<string, Set<string>>(Array.from(patterns.keys(), regex => [regex, new Set()]))
  for (const name of topics.names()) {
    for (const [regex, pattern] of patterns) {
      if (pattern.matches(name)) matched.get(regex)?.add(name)
      yield
    }
  }
  return new Map([...matched].map(([regex, topics]) => [regex, { topics, version, timestamp }]))
}

function tryCompile(regex: string, logger: Logger): Pattern | undefined {
  try {
    return compilePattern(regex)
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error
    logger.warn({ err: error }, 'a regular expression of a group is left out')
    return undefined
  }
}

interface Resolution {
  readonly steps: Steps<ResolvedRegexes>
  readonly done: (resolved: ResolvedRegexes) => void
}

/**
 * Finds out beside the requests what the expressions of groups stand for, for each group once at a time. All groups go on
 * together, a step of each: so none waits until another is done, and all of them take one turn of the event loop.
 */
export class RegexResolution {
  readonly #ports: ResolutionPorts
  readonly #running = new Map<string, Resolution>()
  #isAtWork = false

  constructor(ports: ResolutionPorts) {
    this.#ports = ports
  }

  /** Calls `done` with what was found, in a later turn of the event loop, unless it is abandoned. While it runs, others are not begun. */
  resolve(groupId: string, regexes: ReadonlySet<string>, done: (resolved: ResolvedRegexes) => void): void {
    if (this.#running.has(groupId)) return
    this.#running.set(groupId, { steps: resolveRegexes(regexes, this.#ports), done })
    if (this.#isAtWork) return
    this.#isAtWork = true
    this.#work().catch(error => this.#ports.failed(error))
  }

  /** Nobody is told any more of what is being found out. */
  abandon(): void {
    this.#running.clear()
  }

  async #work(): Promise<void> {
    await runYielding(this.#steps(), this.#ports)
  }

  *#steps(): Steps {
    // The request that asked is answered first.
    yield new Pause()
    while (this.#running.size > 0) {
      for (const [groupId, { steps, done }] of this.#running) {
        const next = steps.next()
        if (next.done) {
          this.#running.delete(groupId)
          done(next.value)
        }
        yield
      }
    }
    this.#isAtWork = false
  }
}
