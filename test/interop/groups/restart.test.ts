// The broker is stopped and killed while groups of Java members run. They continue at their positions, no commit is
// lost, no member loses a partition, a static member can restart afterwards, and in the end all records are consumed
// and committed. MINIKAFKA_RESTART_ROUNDS sets the number of restarts. With INTEROP_RESTARTING=kafka a real Kafka
// restarts, which takes longer.
import { afterEach, expect, test } from 'vitest'
import { type CountingProgram, startCounting } from '../java/counting.ts'
import { groupProgram } from '../java/groups.ts'
import { GROUPS_PROGRAM, pythonProgram } from './python.ts'
import { RESTARTING, type RestartingBroker, type Signal } from './restarting.ts'

const KIND = process.env.INTEROP_RESTARTING ?? 'minikafka'
const RUNS = [
  ['4.4.0', 'range'],
  ['4.4.0', 'cooperative-sticky'],
  ['4.4.0', 'consumer'],
  ['2.8.2', 'range']
] as const
/** Protocols that confluent-kafka supports. */
const PROTOCOLS = ['range', 'cooperative-sticky', 'consumer']
const ROUNDS = Number(process.env.MINIKAFKA_RESTART_ROUNDS ?? 4)
const LIMIT = { timeout: 120_000 + ROUNDS * 20_000 }
const SIGNALS: readonly Signal[] = ['SIGTERM', 'SIGKILL']
/** Records that both groups consume between two restarts. */
const BETWEEN = 300

let broker: RestartingBroker | undefined
let program: CountingProgram | undefined

afterEach(async () => {
  await program?.kill()
  await broker?.stop()
})

test.each(RUNS)(
  'groups of kafka-clients %s with %s continue after restarts of the broker',
  LIMIT,
  async (version, protocol) => {
    broker = await startBroker()
    program = startCounting([...(await groupProgram(version)), 'endure', broker.bootstrapServers, protocol, 'enduring'])
    await restarts(broker, program)
    const { read, ...rest } = JSON.parse(await program.end()) as { read: number }
    expect(read).toBeGreaterThan(BETWEEN * ROUNDS)
    const restarted = 'the same partitions, the same epoch, nobody else knows'
    expect(rest).toEqual({ repeated: 0, restarted })
  }
)

test.each(PROTOCOLS)(
  'a group of confluent-kafka with %s continues after restarts of the broker',
  LIMIT,
  async protocol => {
    broker = await startBroker()
    const args = [GROUPS_PROGRAM, broker.bootstrapServers, protocol, 'confluent', 'endure']
    program = startCounting(args, await pythonProgram())
    await restarts(broker, program)
    expect(JSON.parse(await program.end())).toEqual({ endure: ['0 repeated', 0] })
  }
)

async function startBroker(): Promise<RestartingBroker> {
  const started = await RESTARTING[KIND]?.()
  if (!started) throw new Error(`no such broker: ${KIND}`)
  return started
}

async function restarts(behind: RestartingBroker, running: CountingProgram): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) {
    await running.reaches(running.count + BETWEEN)
    await behind.restart(SIGNALS[round % SIGNALS.length] ?? 'SIGKILL')
  }
  await running.reaches(running.count + BETWEEN)
}
