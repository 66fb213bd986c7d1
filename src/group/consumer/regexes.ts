/** What the regular expressions stand for that members subscribe by. It is found in steps: there may be many topics. */
import { compilePattern } from '../../coordination/patterns.ts'
import type { Clock } from '../../runtime/clock.ts'
import { finishFairly, type Steps } from '../../runtime/steps.ts'
import type { ResolvedRegex } from './group.ts'
import type { GroupTopics } from './topics.ts'

/** The topics that each expression matches as a whole. Others have their turn between two topics. */
export function* resolveRegexes(
  regexes: ReadonlySet<string>,
  topics: GroupTopics,
  now: number
): Steps<Map<string, ResolvedRegex>> {
  const { version } = topics
  const compiled = [...regexes].map(regex => ({ regex, pattern: compilePattern(regex), topics: new Set<string>() }))
  for (const name of topics.names()) {
    for (const { pattern, topics } of compiled) if (pattern.matches(name)) topics.add(name)
    yield
  }
  return new Map(compiled.map(({ regex, topics }) => [regex, { topics, version, timestamp: BigInt(now) }]))
}

export interface ResolutionPorts {
  readonly clock: Clock
  readonly topics: GroupTopics
  /** Told of what must not happen. */
  failed(error: unknown): void
}

/** Finds out beside the requests what the expressions of groups stand for, for each group once at a time. */
export class RegexResolution {
  readonly #ports: ResolutionPorts
  readonly #running = new Map<string, AbortController>()

  constructor(ports: ResolutionPorts) {
    this.#ports = ports
  }

  /** Calls `done` with what was found, in a later turn, unless it is abandoned. While it runs, others are not begun. */
  resolve(groupId: string, regexes: ReadonlySet<string>, done: (resolved: Map<string, ResolvedRegex>) => void): void {
    if (this.#running.has(groupId)) return
    const abort = new AbortController()
    this.#running.set(groupId, abort)
    this.#run(regexes, abort.signal)
      .then(resolved => {
        this.#running.delete(groupId)
        done(resolved)
      })
      .catch(error => {
        if (!abort.signal.aborted) this.#ports.failed(error)
      })
  }

  /** Nobody is told any more of what is being found out. */
  abandon(): void {
    for (const abort of this.#running.values()) abort.abort()
    this.#running.clear()
  }

  async #run(regexes: ReadonlySet<string>, signal: AbortSignal): Promise<Map<string, ResolvedRegex>> {
    const { clock, topics } = this.#ports
    const resolved = await finishFairly(resolveRegexes(regexes, topics, clock.now()), { clock, signal })
    signal.throwIfAborted()
    return resolved
  }
}
