// Responses of a real Kafka that the oracle recorded (ORACLE_LOG), and the comparison of an in-process broker with
// them.
import { readFileSync } from 'node:fs'
import { expect } from 'vitest'
import { differences } from './difference.ts'
import { Session } from './session.ts'
import { TRANSCRIPTS } from './transcripts/index.ts'

type Line = readonly [version: string, transcript: string, step: string, outcome: unknown]

/** A file with a line for each step. */
export class Recording {
  readonly #lines: readonly Line[]

  constructor(file: URL) {
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n')
    this.#lines = lines.map(line => JSON.parse(line) as Line)
  }

  get transcripts(): string[] {
    return [...new Set(this.#lines.map(([, transcript]) => transcript))]
  }

  /** Plays a whole transcript: the same requests in the same order must get the same responses. */
  async play(transcript: string, bootstrapServers: string): Promise<void> {
    const session = new Session(bootstrapServers)
    const recorded = this.#lines.filter(([, name]) => name === transcript)
    const steps = TRANSCRIPTS[transcript] ?? []
    expect(steps.map(step => step.name)).toEqual(recorded.map(([, , step]) => step))
    for (const [index, [, , step, outcome]] of recorded.entries()) {
      const own: unknown = JSON.parse(JSON.stringify((await steps[index]?.play(session)) ?? null))
      expect(differences(outcome, own), step).toEqual([])
    }
    await session.closeAll()
  }
}
