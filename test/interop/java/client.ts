// Runs the Java client's program, compiled once for each release of kafka-clients.
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { made } from '../made.ts'

const run = promisify(execFile)
const FOLDER = join(import.meta.dirname, 'client')

/** What a task prints: a flat table of counts and times. */
export type TaskResult = Readonly<Record<string, number | string>>

/** One run of a task with kafka-clients `version`; throws with the program's stack trace when the task fails. */
export async function javaTask(
  version: string,
  task: string,
  servers: string,
  ...args: (string | number | boolean)[]
): Promise<TaskResult> {
  const { stdout } = await run('java', [...(await javaProgram(version)), task, servers, ...args.map(String)])
  return JSON.parse(stdout) as TaskResult
}

/** What to start `java` with, before the task and its arguments. */
export async function javaProgram(version: string): Promise<string[]> {
  const command = ['mvn', '-q', '-B', 'compile', 'dependency:copy-dependencies', `-Dkafka.version=${version}`]
  const target = await made(FOLDER, `target/${version}`, [command])
  const classpath = `${join(target, 'classes')}:${join(target, 'jars', '*')}`
  const log = '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn'
  return ['-Xmx512m', '-XX:+UseSerialGC', log, '-cp', classpath, 'interop.Main']
}
