/** Resolves the regular expressions of subscriptions in steps, because there may be many topics. */
import { compilePattern, type Pattern } from '../../coordinator/patterns.ts'
import type { Events } from '../../events/event.ts'
import { KafkaError } from '../../protocol/errors.ts'
import type { BackgroundLoop, BackgroundLoops } from '../../runtime/background.ts'
import { Pause, type Steps } from '../../runtime/pace.ts'
import type { Clocks } from '../../runtime/time.ts'
import type { GroupTopics } from './topics.ts'

/** The resolution of a regular expression: the matching topics at one version of the metadata. */
export interface ResolvedRegex {
  readonly topics: ReadonlySet<string>
  readonly version: bigint
  readonly timestamp: bigint
}

export interface ResolutionPorts {
  readonly clocks: Clocks
  readonly events: Events
  readonly topics: GroupTopics
  readonly background: BackgroundLoops
}

/** The resolutions by regular expression. */
export type ResolvedRegexes = ReadonlyMap<string, ResolvedRegex>

/**
 * Resolves each expression to the topics whose whole name it matches. A step matches one topic with one expression. An expression
 * that does not compile is left out: another broker may have written it.
 */
export function* resolveRegexes(
  groupId: string,
  regexes: ReadonlySet<string>,
  { topics, clocks, events }: Omit<ResolutionPorts, 'background'>
): Steps<ResolvedRegexes> {
  const { version } = topics
  const timestamp = BigInt(clocks.wall.now())
  const patterns = new Map<string, Pattern>()
  for (const regex of regexes) {
    const pattern = tryCompile(regex, error => {
      events.emit({ type: 'RegularExpressionSkipped', groupId, regularExpression: regex, error })
    })
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

function tryCompile(regex: string, failed: (error: KafkaError) => void): Pattern | undefined {
  try {
    return compilePattern(regex)
  } catch (error) {
    if (!(error instanceof KafkaError)) throw error
    failed(error)
    return undefined
  }
}

interface Resolution {
  readonly steps: Steps<ResolvedRegexes>
  readonly done: (resolved: ResolvedRegexes) => void
}

/**
 * Resolves the expressions of groups in the background. It alternates between groups, one step of each, so that no group delays
 * others.
 */
export class RegexResolution {
  readonly #ports: ResolutionPorts
  readonly #loop: BackgroundLoop
  readonly #resolutions = new Map<string, Resolution>()

  constructor(ports: ResolutionPorts) {
    this.#ports = ports
    this.#loop = ports.background.start({ name: 'regular expressions of groups', work: () => this.#work() })
  }

  /**
   * Resolves the expressions of a group and calls `done` after the event loop has run, unless `abandon` is called first. Does
   * nothing if a resolution of the group is running.
   */
  resolve(groupId: string, regexes: ReadonlySet<string>, done: (resolved: ResolvedRegexes) => void): void {
    if (this.#resolutions.has(groupId)) return
    this.#resolutions.set(groupId, { steps: resolveRegexes(groupId, regexes, this.#ports), done })
    this.#loop.run()
  }

  /** Drops the running resolution of a group, if there is one. */
  abandon(groupId: string): void {
    this.#resolutions.delete(groupId)
  }

  *#work(): Steps {
    // The response to the request that started the resolution is sent first.
    yield new Pause()
    while (this.#resolutions.size > 0) {
      for (const [groupId, { steps, done }] of this.#resolutions) {
        const next = steps.next()
        if (next.done) {
          this.#resolutions.delete(groupId)
          done(next.value)
        }
        yield
      }
    }
  }
}
