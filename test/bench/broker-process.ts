/** The executable, run in a process of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'

/** The root of the project, the working directory of npm scripts. */
export const ROOT = process.cwd()
/** The command line of minikafka. */
export const MINIKAFKA: readonly string[] = [process.execPath, join(ROOT, 'bin/minikafka.js')]

/** A running broker. */
export interface BrokerProcess {
  /** Milliseconds from its spawn to its ready line. */
  readonly readyMs: number
  readonly pid: number
  readonly bootstrapServers: string
  end(signal?: NodeJS.Signals): Promise<void>
}

/** Starts a broker on a directory; resolves at its ready line. */
export async function startBroker(dataDir: string): Promise<BrokerProcess> {
  const began = performance.now()
  const options = ['--port', '0', '--json', '--log-level', 'warn', '--data-dir', dataDir]
  const [node = '', ...args] = [...MINIKAFKA, 'start', ...options]
  const child = spawn(node, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  // A benchmark that fails leaves no broker process running.
  const kill = () => child.kill('SIGKILL')
  process.once('exit', kill)
  child.once('exit', () => process.off('exit', kill))
  const line = await firstOutput(child)
  const readyMs = performance.now() - began
  const end = async (signal: NodeJS.Signals = 'SIGTERM') => {
    child.kill(signal)
    await once(child, 'exit')
  }
  const { pid, bootstrapServers } = JSON.parse(line)
  return { readyMs, pid, bootstrapServers, end }
}

/** The first output of a process. */
export async function firstOutput(child: ChildProcess): Promise<string> {
  const [bytes] = await once(child.stdout ?? child, 'data')
  return String(bytes)
}
