// A Java process that executes commands: it reads a command a line from stdin and writes a JSON result a line to
// stdout, in order. It exits at the end of stdin, so it ends with its parent process.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { createInterface } from 'node:readline'

const LOG_LINES = 40
/** JVM options for processes that live for seconds: the C2 compiler would take as much time as the work itself. */
export const SHORT_LIVED = ['-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-XX:-UsePerfData']

export class JavaConsole {
  readonly #child: ChildProcess
  readonly #answers: ((answer: string | undefined) => void)[] = []
  /** The last lines of stderr. */
  readonly #log: string[] = []

  /** Starts `java` with these arguments. The process does not keep an idle test worker alive. */
  constructor(args: readonly string[]) {
    this.#child = spawn('java', args, { stdio: ['pipe', 'pipe', 'pipe'] })
    const { stdin, stdout, stderr } = this.#child
    if (stdin === null || stdout === null || stderr === null) throw new Error('stdio of a console must be pipes')
    createInterface(stdout).on('line', line => this.#answers.shift()?.(line))
    createInterface(stderr).on('line', line => {
      this.#log.push(line)
      if (this.#log.length > LOG_LINES) this.#log.shift()
    })
    this.#child.once('close', () => {
      for (const answer of this.#answers.splice(0)) answer(undefined)
    })
    // A command to an exited process fails because its result is missing.
    stdin.on('error', () => {})
    this.#child.unref()
    for (const pipe of [stdin, stdout, stderr]) (pipe as Socket).unref()
  }

  /** Sends a command and waits for the result. Throws the error that the process reports. */
  async execute(command: string): Promise<unknown> {
    const line = await new Promise<string | undefined>(resolve => {
      if (this.#hasEnded) return resolve(undefined)
      this.#answers.push(resolve)
      this.#child.stdin?.write(`${command}\n`)
    })
    if (line === undefined) throw new Error(`${command}: the Java process has ended\n${this.#log.join('\n')}`)
    const answer = JSON.parse(line)
    if (typeof answer.failed === 'string')
      throw new Error(`${command}: ${answer.failed}\nlog of the Java process:\n${this.#log.join('\n')}`)
    return answer
  }

  /** Ends the process and waits for its exit. */
  async close(): Promise<void> {
    if (this.#hasEnded) return
    const exit = once(this.#child, 'exit')
    this.#child.ref()
    this.#child.stdin?.end()
    await exit
  }

  get #hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null
  }
}
