// Kafka Connect workers, each in a process of its own, and requests to their REST interface. A file sink without a file
// name writes to stdout, so the output of a worker is the output of its sink tasks.
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import { freePorts } from '../kafka/kafka.ts'
import { made } from '../made.ts'
import { SHORT_LIVED } from './console.ts'

/** The newest release with a published Connect. */
const CONNECT = '4.3.1'
const HERDER = 'org.apache.kafka.connect.runtime.distributed.DistributedHerder'
const JOINED = 'Finished starting connectors and tasks'
const LOG = '-Dorg.slf4j.simpleLogger'
const JVM = ['-Xmx384m', ...SHORT_LIVED, `${LOG}.defaultLogLevel=warn`, `${LOG}.log.${HERDER}=info`]
/** Pause before a request is repeated that failed because of a rebalance. */
const AGAIN_MS = 100

export type ConnectConfig = Readonly<Record<string, string | number>>

export interface ConnectWorker {
  /** Creates a connector of the cluster. */
  create(name: string, config: ConnectConfig): Promise<void>
  /** Number of tasks that run in this worker, by the status of the cluster. */
  tasks(): Promise<number>
  /** Stops the worker (SIGTERM) or kills it (SIGKILL). */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>
}

/** Starts a worker that passes each line of its sinks to `sunk`; resolves when it has joined the cluster. */
export async function startWorker(config: ConnectConfig, sunk: (line: string) => void): Promise<ConnectWorker> {
  const [port] = await freePorts()
  const address = `localhost:${port}`
  const connectors = `http://${address}/connectors`
  const child = await spawnWorker({ ...config, listeners: `http://${address}` })
  const ended = once(child, 'close')
  createInterface(child.stdout).on('line', sunk)
  await joined(child)
  await served(connectors)
  return {
    create: (name, config) => put(`${connectors}/${name}/config`, JSON.stringify(config)),
    async tasks() {
      const { ok, status, text } = await sendRequest(`${connectors}?expand=status`)
      if (!ok) throw new Error(`the state of the tasks: ${status} ${text}`)
      const tasks = Object.values(JSON.parse(text) as Expanded).flatMap(connector => connector.status.tasks)
      return tasks.filter(task => task.state === 'RUNNING' && task.worker_id === address).length
    },
    async end(signal) {
      child.kill(signal)
      await ended
    }
  }
}

/** Connectors by name. */
type Expanded = Readonly<Record<string, { readonly status: { readonly tasks: readonly TaskStatus[] } }>>
interface TaskStatus {
  readonly state: string
  readonly worker_id: string
}

async function spawnWorker(config: ConnectConfig): Promise<ChildProcessByStdio<null, Readable, Readable>> {
  const command = ['mvn', '-q', '-B', 'dependency:copy-dependencies', `-Dkafka.version=${CONNECT}`]
  const jars = await made(join(import.meta.dirname, 'connect'), `target/${CONNECT}`, [command])
  const folder = await mkdtemp(join(tmpdir(), 'connect-worker-'))
  const properties = join(folder, 'worker.properties')
  await writeFile(properties, Array.from(Object.entries(config), ([name, value]) => `${name}=${value}\n`).join(''))
  const args = [...JVM, '-cp', join(jars, '*'), 'org.apache.kafka.connect.cli.ConnectDistributed', properties]
  const child = spawn('java', args, { stdio: ['ignore', 'pipe', 'pipe'] })
  child.once('close', () => rm(folder, { recursive: true }))
  return child
}

/** Reads the whole log, so that the pipe never fills. If the start fails, the error contains the last lines. */
function joined(child: ChildProcessByStdio<null, Readable, Readable>): Promise<void> {
  const tail: string[] = []
  return new Promise((resolve, reject) => {
    child.once('close', code => reject(new Error(`the worker ended with ${code}\n${tail.join('\n')}`)))
    createInterface(child.stderr).on('line', line => {
      tail.push(line)
      if (tail.length > 40) tail.shift()
      if (line.includes(JOINED)) resolve()
    })
  })
}

/** A worker that has just joined may not serve its resources yet: their paths give 404 until then. */
async function served(url: string): Promise<void> {
  while ((await sendRequest(url)).status === 404) await new Promise(resolve => setTimeout(resolve, AGAIN_MS))
}

/** Workers refuse changes during a rebalance, or before they know the leader. */
async function put(url: string, body: string): Promise<void> {
  for (;;) {
    const { ok, status, text } = await sendRequest(url, {
      method: 'PUT',
      headers: { 'Content-Type': 'application/json' },
      body
    })
    if (ok) return
    if (status !== 409 && status < 500) throw new Error(`${url}: ${status} ${text}`)
    await new Promise(resolve => setTimeout(resolve, AGAIN_MS))
  }
}

async function sendRequest(
  url: string,
  options: RequestInit = {}
): Promise<{ ok: boolean; status: number; text: string }> {
  const answer = await fetch(url, options)
  return { ok: answer.ok, status: answer.status, text: await answer.text() }
}
