// Apache Kafka's own DumpLogSegments, from its jars: the truth about the lines of a dump.
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { JavaConsole } from '../java/console.ts'
import { runTool, startTools, toolJars } from './tool-console.ts'

const run = promisify(execFile)
const LARGEST_OUTPUT = 1 << 28

export interface Output {
  readonly stdout: string
  readonly stderr: string
}

/** All dumps of a worker share a process. */
let tools: Promise<JavaConsole> | undefined

/** What Kafka's tool prints. */
export async function dumpLogSegments(args: readonly string[]): Promise<Output> {
  tools ??= toolJars().then(startTools)
  const { stdout, stderr, code } = await runTool(await tools, 'org.apache.kafka.tools.DumpLogSegments', args)
  if (code !== 0) throw new Error(`DumpLogSegments ${args.join(' ')} ended with ${code}: ${stderr}`)
  return { stdout, stderr }
}

/** What ours prints. */
export async function dumpLog(args: readonly string[]): Promise<Output> {
  const executable = join(import.meta.dirname, '../../../bin/minikafka.js')
  return run(process.execPath, [executable, 'dump-log', ...args], { maxBuffer: LARGEST_OUTPUT })
}
