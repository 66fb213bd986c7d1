// Runs the Java programs, compiled once for each release of Kafka's clients: `client` for all ages of them, and `streams` for
// what only those of today have. The tasks of a program share a process, and suites share it too.
import { join } from 'node:path'
import { made } from '../made.ts'
import { JavaConsole, SHORT_LIVED } from './console.ts'

/** The release of Kafka Streams, and of the Admin beside it. */
const STREAMS = '4.3.1'

/** What a task prints: a flat table of counts and times. */
export type TaskResult = Readonly<Record<string, number | string>>

/** One run of a task with kafka-clients `version`; throws with the program's stack trace when the task fails. */
export async function javaTask(
  version: string,
  task: string,
  servers: string,
  ...args: (string | number | boolean)[]
): Promise<TaskResult> {
  return runTask(await javaProgram(version), [task, servers, ...args.map(String)])
}

/** One run of a task of the other program. */
export async function streamsTask(task: string, servers: string, ...args: (string | number)[]): Promise<TaskResult> {
  return runTask(await streamsProgram(), [task, servers, ...args.map(String)])
}

/** What to start `java` with, before the task and its arguments. */
export function javaProgram(version: string): Promise<string[]> {
  return compiled('client', version)
}

/** The same for the program with Kafka Streams. */
export function streamsProgram(): Promise<string[]> {
  return compiled('streams', STREAMS)
}

/** Processes that wait for a task, by program. */
const idle = new Map<string, JavaConsole[]>()

/** A task that fails, or never ends, keeps its process from the tasks that follow. */
async function runTask(program: readonly string[], args: readonly string[]): Promise<TaskResult> {
  const key = program.join(' ')
  const waiting = idle.get(key) ?? []
  idle.set(key, waiting)
  const console = waiting.pop() ?? new JavaConsole([...program, 'serve'])
  try {
    const result = (await console.ask(args.join('\t'))) as TaskResult
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
