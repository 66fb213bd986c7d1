// Apache Kafka's DumpLogSegments, the reference for the output of dump-log.
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

/** All dumps of a test worker share a process. */
let tools: Promise<JavaConsole> | undefined

/** The output of Kafka's tool. */
export async function dumpLogSegments(args: readonly string[]): Promise<Output> {
  tools ??= toolJars().then(startTools)
  const { stdout, stderr, code } = await runTool(await tools, 'org.apache.kafka.tools.DumpLogSegments', args)
  if (code !== 0) throw new Error(`DumpLogSegments ${args.join(' ')} ended with ${code}: ${stderr}`)
  return { stdout, stderr }
}

/** The output of our dump-log. */
export async function dumpLog(args: readonly string[]): Promise<Output> {
  const executable = join(import.meta.dirname, '../../../bin/minikafka.js')
  return run(process.execPath, [executable, 'dump-log', ...args], { maxBuffer: LARGEST_OUTPUT })
}
