// Runs the Java program for consumer groups: for a list of scenarios, or until it is ended while brokers restart.
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { made } from '../made.ts'
import { SHORT_LIVED } from './console.ts'

const run = promisify(execFile)
/** Longer than the limit of a scenario, so that a scenario can print its events before it fails. */
const LIMIT = { timeout: 280_000, maxBuffer: 1 << 26 }

/** Outcome by scenario. That of a failed scenario contains the error and all events of its members. */
export type Outcomes = Readonly<Record<string, string>>

/** Runs these scenarios, each with its own group and topic. */
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

/** Arguments of `java` before the task and its arguments. */
export async function groupProgram(version: string): Promise<string[]> {
  const command = ['mvn', '-q', '-B', 'compile', 'dependency:copy-dependencies', `-Dkafka.version=${version}`]
  const target = await made(join(import.meta.dirname, 'groups'), `target/${version}`, [command])
  const classpath = `${join(target, 'classes')}:${join(target, 'jars', '*')}`
  const log = '-Dorg.slf4j.simpleLogger.defaultLogLevel=error'
  return ['-Xmx512m', ...SHORT_LIVED, log, '-cp', classpath, 'interop.Main']
}
