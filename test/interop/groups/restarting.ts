// A broker that is stopped or killed, and restarted with the same address and data directory.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Run } from '../../cli/minikafka.ts'
import { freePorts, type RunningKafka, startKafka } from '../kafka/kafka.ts'
import { SHARED_CONFIG } from '../setup.ts'

export type Signal = 'SIGTERM' | 'SIGKILL'

export interface RestartingBroker {
  readonly bootstrapServers: string
  /** Ends the process with the signal, and starts it again. */
  restart(signal: Signal): Promise<void>
  stop(): Promise<void>
}

/** Starts a broker by kind. Every run tests minikafka. */
export const RESTARTING: Readonly<Record<string, () => Promise<RestartingBroker>>> = {
  minikafka: startRestartingMinikafka,
  kafka: startRestartingKafka
}

async function startRestartingMinikafka(): Promise<RestartingBroker> {
  const folder = await mkdtemp(join(tmpdir(), 'minikafka-restarting-'))
  const [port] = await freePorts()
  const set = Object.entries(SHARED_CONFIG).flatMap(([name, value]) => ['--set', `${name}=${value}`])
  const options = ['--port', `${port}`, '--json', '--log-level', 'warn', '--data-dir', folder]
  const start = async () => {
    const run = new Run(['start', ...options, ...set])
    await run.ready()
    return run
  }
  let run = await start()
  return {
    bootstrapServers: `localhost:${port}`,
    async restart(signal) {
      await run.stop(signal)
      run = await start()
    },
    async stop() {
      await run.stop('SIGKILL')
      await rm(folder, { recursive: true })
    }
  }
}

async function startRestartingKafka(): Promise<RestartingBroker> {
  const dataDir = await mkdtemp(join(tmpdir(), 'kafka-restarting-'))
  const [port] = await freePorts()
  const start = (): Promise<RunningKafka> => startKafka({ dataDir, port, config: SHARED_CONFIG })
  let kafka = await start()
  return {
    bootstrapServers: kafka.bootstrapServers,
    async restart(signal) {
      await (signal === 'SIGTERM' ? kafka.stop() : kafka.kill())
      kafka = await start()
    },
    async stop() {
      await kafka.kill()
      await rm(dataDir, { recursive: true })
    }
  }
}
