// A program that works on while brokers come and go behind its address, most often a Java one: it tells on lines how far it
// is, and ends when its standard input does.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'

export interface CountingProgram {
  /** How far it is, as far as it has told. */
  readonly count: number
  /** Resolves when it is that far, and fails when it ends before. */
  reaches(goal: number): Promise<void>
  /** Lets it end by itself; resolves with its last line. */
  end(): Promise<string>
  kill(): Promise<void>
}

/** Starts one with these arguments of `java`, or of another command. */
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
  // The clients warn of every broken connection, and here that is what the day is made of.
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
