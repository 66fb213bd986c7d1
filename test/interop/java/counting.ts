// A long-running program, usually in Java, that keeps working while brokers behind its address restart. It prints its
// progress as lines and ends at the end of its stdin.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

export interface CountingProgram {
  /** The progress that the program has printed last. */
  readonly count: number
  /** Resolves when the progress is at least `goal`; rejects if the program ends before. */
  reaches(goal: number): Promise<void>
  /** Lets the program end by itself; resolves with its last line. */
  end(): Promise<string>
  kill(): Promise<void>
}

/** Starts a program with these arguments of `java`, or of another command. */
export function startCounting(args: readonly string[], command = 'java'): CountingProgram {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] })
  const ended = once(child, 'close')
  let count = 0
  let last = ''
  let log = ''
  let changed = () => {}
  createInterface(child.stdout).on('line', line => {
    last = line
    if (/^\d+$/.test(line)) count = Number(line)
    changed()
  })
  // Clients warn of each broken connection, which is normal in these tests.
  createInterface(child.stderr).on('line', line => {
    if (!line.includes(' WARN ')) log += `${line}\n`
  })
  child.on('close', () => changed())
  const failed = () => new Error(`the program ended with ${child.exitCode ?? child.signalCode}\n${log}`)
  return {
    get count() {
      return count
    },
    async reaches(goal) {
      while (count < goal) {
        if (child.exitCode !== null) throw failed()
        await new Promise<void>(resolve => {
          changed = resolve
        })
      }
    },
    async end() {
      child.stdin.end('\n')
      const [code] = await ended
      if (code !== 0) throw failed()
      return last
    },
    async kill() {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGKILL')
      await ended
    }
  }
}
