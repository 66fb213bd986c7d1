/** A working directory for each test, and the brokers that the test started in it. Both are removed after the test. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach } from 'vitest'
import { Run } from './minikafka.ts'

class Terminal {
  directory = ''
  readonly #runs: Run[] = []

  minikafka(args: readonly string[], environment: Record<string, string> = {}): Run {
    const run = new Run(args, environment)
    this.#runs.push(run)
    return run
  }

  startOnDisk(...args: string[]): Run {
    return this.minikafka(['start', '--port', '0', '--json', '--data-dir', join(this.directory, 'data'), ...args])
  }

  startInMemory(...args: string[]): Run {
    return this.minikafka(['start', '--port', '0', '--json', '--in-memory', ...args])
  }

  async killAll(): Promise<void> {
    for (const run of this.#runs.splice(0)) await run.stop('SIGKILL')
  }
}

/** Created before each test of the file. */
export function freshTerminal(): Terminal {
  const terminal = new Terminal()
  beforeEach(() => {
    terminal.directory = mkdtempSync(join(tmpdir(), 'minikafka-'))
  })
  afterEach(async () => {
    await terminal.killAll()
    rmSync(terminal.directory, { recursive: true })
  })
  return terminal
}
