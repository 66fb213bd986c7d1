// Runs the Java programs, compiled once for each release of Kafka's clients: `client` works with all releases,
// `streams` uses APIs that only current releases have. Tasks and suites share the process of a program.
import { join } from 'node:path'
import { made } from '../made.ts'
import { JavaConsole, SHORT_LIVED } from './console.ts'

/** The release of Kafka Streams and of the Admin in `streams`. */
const STREAMS = '4.3.1'

/** The output of a task: a flat table of counts and times. */
export type TaskResult = Readonly<Record<string, number | string>>

/** Runs a task with kafka-clients `version`. Throws with the Java stack trace if the task fails. */
export async function javaTask(
  version: string,
  task: string,
  servers: string,
  ...args: (string | number | boolean)[]
): Promise<TaskResult> {
  return runTask(await javaProgram(version), [task, servers, ...args.map(String)])
}

/** Runs a task of `streams`. */
export async function streamsTask(task: string, servers: string, ...args: (string | number)[]): Promise<TaskResult> {
  return runTask(await streamsProgram(), [task, servers, ...args.map(String)])
}

/** Arguments of `java` before the task and its arguments. */
export function javaProgram(version: string): Promise<string[]> {
  return compiled('client', version)
}

/** The same for `streams`. */
export function streamsProgram(): Promise<string[]> {
  return compiled('streams', STREAMS)
}

/** Idle processes, by program. */
const idle = new Map<string, JavaConsole[]>()

/** The process of a failed or running task is not given to another task. */
async function runTask(program: readonly string[], args: readonly string[]): Promise<TaskResult> {
  const key = program.join(' ')
  const waiting = idle.get(key) ?? []
  idle.set(key, waiting)
  const console = waiting.pop() ?? new JavaConsole([...program, 'serve'])
  try {
    const result = (await console.execute(args.join('\t'))) as TaskResult
    waiting.push(console)
    return result
  } catch (error) {
    await console.close()
    throw error
  }
}

async function compiled(project: string, version: string): Promise<string[]> {
  const command = ['mvn', '-q', '-B', 'compile', 'dependency:copy-dependencies', `-Dkafka.version=${version}`]
  const target = await made(join(import.meta.dirname, project), `target/${version}`, [command])
  const classpath = `${join(target, 'classes')}:${join(target, 'jars', '*')}`
  const log = '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn'
  return ['-Xmx512m', ...SHORT_LIVED, log, '-cp', classpath, 'interop.Main']
}
