// A Java producer that lives on while brokers come and go behind its address.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { javaProgram, javaTask } from './client.ts'

const CLIENT = '4.4.0'
const RECORD_BYTES = 200

/** Where it writes. */
export interface EnduringOptions {
  readonly servers: string
  readonly topic: string
  readonly partitions: number
}

export interface EnduringProducer {
  /** How many records have been acknowledged, as far as it has told. */
  readonly acknowledged: number
  /** Resolves when that many more have been. */
  more(count: number): Promise<void>
  /** Lets it send what it has, then reads the log: every record once, in order. Resolves with their number. */
  finish(): Promise<number>
  kill(): Promise<void>
}

/** Starts one. The topic must exist, and a broker be there in the end. */
export async function startEnduringProducer(options: EnduringOptions): Promise<EnduringProducer> {
  const { servers, topic, partitions } = options
  const args = ['endure', servers, topic, partitions, RECORD_BYTES].map(String)
  const child = spawn('java', [...(await javaProgram(CLIENT)), ...args], { stdio: ['pipe', 'pipe', 'pipe'] })
  const ended = once(child, 'close')
  let acknowledged = 0
  let last = ''
  let log = ''
  let changed = () => {}
  createInterface(child.stdout).on('line', line => {
    last = line
    if (/^\d+$/.test(line)) acknowledged = Number(line)
    changed()
  })
  // The client warns of every broken connection, and here that is what the day is made of.
  createInterface(child.stderr).on('line', line => {
    if (!line.includes(' WARN ')) log += `${line}\n`
  })
  child.on('close', () => changed())
  const failed = () => new Error(`the producer ended with ${child.exitCode ?? child.signalCode}\n${log}`)
  return {
    get acknowledged() {
      return acknowledged
    },
    async more(count) {
      for (const goal = acknowledged + count; acknowledged < goal; ) {
        if (child.exitCode !== null) throw failed()
        await new Promise<void>(resolve => {
          changed = resolve
        })
      }
    },
    async finish() {
      child.stdin.end('\n')
      const [code] = await ended
      if (code !== 0) throw failed()
      const { produced } = JSON.parse(last) as { produced: number }
      const group = `readers of ${produced}`
      await javaTask(CLIENT, 'consume', servers, topic, partitions, produced, RECORD_BYTES, group)
      return produced
    },
    async kill() {
      if (child.exitCode !== null || child.signalCode !== null) return
      child.kill('SIGKILL')
      await ended
    }
  }
}
