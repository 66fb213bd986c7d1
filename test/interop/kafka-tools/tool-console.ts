// The Java process that runs Apache Kafka's command line tools, one after the other.
import { join } from 'node:path'
import { JavaConsole, SHORT_LIVED } from '../java/console.ts'
import { made } from '../made.ts'

const VERSION = '4.3.1'

/** Exit code and output of a tool. */
export interface Printed {
  readonly stdout: string
  readonly stderr: string
  readonly code: number
}

/** The folder with Kafka's tools; fetched by Maven on first use. */
export function toolJars(): Promise<string> {
  const copy = ['mvn', '-q', '-B', 'dependency:copy-dependencies', `-Dkafka.version=${VERSION}`]
  return made(import.meta.dirname, `target/kafka-tools-${VERSION}`, [copy])
}

/** Starts a process with the tools in this folder. */
export function startTools(jars: string): JavaConsole {
  const quiet = '-Dorg.slf4j.simpleLogger.defaultLogLevel=off'
  const jvm = ['-Xmx768m', ...SHORT_LIVED, '-Duser.timezone=UTC', quiet]
  return new JavaConsole([...jvm, '-cp', join(jars, '*'), join(import.meta.dirname, 'Console.java')])
}

/** Runs a tool by its class name. */
export async function runTool(tools: JavaConsole, name: string, args: readonly string[]): Promise<Printed> {
  return (await tools.execute(JSON.stringify({ do: 'tool', class: name, args }))) as Printed
}
