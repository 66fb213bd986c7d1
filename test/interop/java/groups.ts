// Runs the Java program of consumer groups: once for a list of scenarios, or as long as brokers come and go.
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { made } from '../made.ts'
import { SHORT_LIVED } from './console.ts'

const run = promisify(execFile)
/** A scenario that does not end tells its whole story before it gives up. */
const LIMIT = { timeout: 280_000, maxBuffer: 1 << 26 }

/** What each scenario came to; a failed one tells why, and all that its members did. */
export type Outcomes = Readonly<Record<string, string>>

/** Plays these scenarios, each with a group and a topic of its own. */
export async function groupScenarios(
  version: string,
  servers: string,
  protocol: string,
  scenarios: readonly string[]
): Promise<Outcomes> {
  const args = ['scenarios', servers, protocol, `${version}-${protocol}`, ...scenarios]
  const { stdout } = await run('java', [...(await groupProgram(version)), ...args], LIMIT)
  return JSON.parse(stdout) as Outcomes
}

/** What to start `java` with, before the task and its arguments. */
export async function groupProgram(version: string): Promise<string[]> {
  const command = ['mvn', '-q', '-B', 'compile', 'dependency:copy-dependencies', `-Dkafka.version=${version}`]
  const target = await made(join(import.meta.dirname, 'groups'), `target/${version}`, [command])
  const classpath = `${join(target, 'classes')}:${join(target, 'jars', '*')}`
  const log = '-Dorg.slf4j.simpleLogger.defaultLogLevel=error'
  return ['-Xmx512m', ...SHORT_LIVED, log, '-cp', classpath, 'interop.Main']
}
