// Apache Kafka's own DumpLogSegments, from its jars: the truth about the lines of a dump.
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { made } from '../made.ts'

const run = promisify(execFile)
const VERSION = '4.3.1'
const LARGEST_OUTPUT = 1 << 28

export interface Output {
  readonly stdout: string
  readonly stderr: string
}

/** What Kafka's tool prints. */
export async function dumpLogSegments(args: readonly string[]): Promise<Output> {
  const jvm = ['-Xmx512m', '-XX:+UseSerialGC', '-Dstdout.encoding=UTF-8', '-Dstderr.encoding=UTF-8']
  const main = ['-cp', join(await toolJars(), '*'), 'org.apache.kafka.tools.DumpLogSegments']
  return run('java', [...jvm, ...main, ...args], { maxBuffer: LARGEST_OUTPUT })
}

/** The folder with Kafka's tools, fetched by Maven the first time. */
export function toolJars(): Promise<string> {
  const copy = ['mvn', '-q', '-B', 'dependency:copy-dependencies', `-Dkafka.version=${VERSION}`]
  return made(import.meta.dirname, `target/kafka-tools-${VERSION}`, [copy])
}

/** What ours prints. */
export async function dumpLog(args: readonly string[]): Promise<Output> {
  const executable = join(import.meta.dirname, '../../../bin/minikafka.js')
  return run(process.execPath, [executable, 'dump-log', ...args], { maxBuffer: LARGEST_OUTPUT })
}
