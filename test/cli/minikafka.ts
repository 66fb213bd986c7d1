/** The executable as a child process. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

/** The root of the project, which is also the package. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url))
const BIN = fileURLToPath(new URL('../../bin/minikafka.js', import.meta.url))

/** The program of a run: another Node, or the executable of a copy of the package. */
export interface Program {
  readonly node?: string
  readonly executable?: string
}

/** A run of `minikafka`. Its environment holds only the given KAFKA_* variables. */
export class Run {
  readonly child: ChildProcess
  stdout = ''
  stderr = ''
  readonly #exit: Promise<unknown[]>
  #changed: () => void = () => {}

  constructor(
    args: readonly string[],
    environment: Record<string, string> = {},
    { node = process.execPath, executable = BIN }: Program = {}
  ) {
    const clean = Object.entries(process.env).filter(([name]) => !name.startsWith('KAFKA_'))
    this.child = spawn(node, [executable, ...args], { env: { ...Object.fromEntries(clean), ...environment } })
    this.#exit = once(this.child, 'close')
    for (const name of ['stdout', 'stderr'] as const) {
      this.child[name]?.setEncoding('utf8').on('data', (text: string) => {
        this[name] += text
        this.#changed()
      })
    }
    this.child.on('close', () => this.#changed())
  }

  /** Resolves when the output matches; rejects when the process ends without a match. */
  async written(stream: 'stdout' | 'stderr', pattern: RegExp): Promise<string> {
    for (;;) {
      const found = pattern.exec(this[stream])
      if (found) return found[0]
      const { exitCode, signalCode } = this.child
      if (exitCode !== null || signalCode !== null)
        throw new Error(`ended with ${exitCode ?? signalCode}: ${this.stdout}${this.stderr}`)
      await new Promise<void>(resolve => {
        this.#changed = resolve
      })
    }
  }

  /** The ready line of a run with --json. */
  async ready(): Promise<{ bootstrapServers: string; dataDir: string | null; pid: number; startupMs: number }> {
    return JSON.parse(await this.written('stdout', /^.*\n/))
  }

  /** Resolves with the exit code or the signal that ended the process, after all output was read. */
  async ended(): Promise<unknown> {
    const [code, signal] = await this.#exit
    return code ?? signal
  }

  /** Sends a signal and waits for the exit. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<unknown> {
    this.child.kill(signal)
    return this.ended()
  }
}
