/** Findings about the use of a broker, and the ways to report them. */

/** A finding about the use of a broker. */
export interface Finding {
  /** `leak`: a resource was not closed. `advice`: the use can be improved. */
  readonly severity: 'leak' | 'advice'
  /** The client, group or topic that the finding is about. */
  readonly subject: string
  /** One line: the finding with its identifiers. */
  readonly message: string
  /** One line: the change that resolves it. */
  readonly remedy: string
}

const MOST_FINDINGS_SHOWN = 20

/**
 * The error of `kafka.stop({ failOn: 'leak' })` if clients are still connected. The broker has stopped. The message has one
 * line for each client.
 */
export class LeakError extends Error {
  override name = 'LeakError'
  readonly findings: readonly Finding[]

  constructor(findings: readonly Finding[]) {
    super(['kafka.stop() found clients that are still connected:', ...linesOf(findings)].join('\n'))
    this.findings = findings
  }
}

/** Emits a `MiniKafkaWarning` of the process for each finding. */
export function emitWarnings(findings: readonly Finding[]): void {
  for (const line of linesOf(findings)) process.emitWarning(line, 'MiniKafkaWarning')
}

function linesOf(findings: readonly Finding[]): string[] {
  const lines = findings.slice(0, MOST_FINDINGS_SHOWN).map(({ message, remedy }) => `${message}: ${remedy}`)
  const hidden = findings.length - lines.length
  return hidden > 0 ? [...lines, `${hidden} more findings`] : lines
}
