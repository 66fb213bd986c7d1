// The broker stops, and is killed, under running groups of Java members that know nothing of it: they go on where they were,
// no commit is lost, nobody loses a partition, a static member may restart afterwards, and in the end all is read and committed.
// MINIKAFKA_RESTART_ROUNDS sets how often. INTEROP_RESTARTING=kafka has a real Kafka do it, which takes its time.
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
/** What confluent-kafka has. */
const PROTOCOLS = ['range', 'cooperative-sticky', 'consumer']
const ROUNDS = Number(process.env.MINIKAFKA_RESTART_ROUNDS ?? 4)
const LIMIT = { timeout: 120_000 + ROUNDS * 20_000 }
const SIGNALS: readonly Signal[] = ['SIGTERM', 'SIGKILL']
/** Records that both groups read between two restarts. */
const BETWEEN = 300

let broker: RestartingBroker | undefined
let program: CountingProgram | undefined

afterEach(async () => {
  await program?.kill()
  await broker?.stop()
})

test.each(RUNS)('groups of kafka-clients %s, %s, go on', LIMIT, async (version, protocol) => {
  broker = await startBroker()
  program = startCounting([...(await groupProgram(version)), 'endure', broker.bootstrapServers, protocol, 'enduring'])
  await restarts(broker, program)
  const { read, ...rest } = JSON.parse(await program.end()) as { read: number }
  expect(read).toBeGreaterThan(BETWEEN * ROUNDS)
  const restarted = 'the same partitions, the same epoch, nobody else knows'
  expect(rest).toEqual({ repeated: 0, restarted })
})

test.each(PROTOCOLS)('a group of confluent-kafka, %s, goes on', LIMIT, async protocol => {
  broker = await startBroker()
  const args = [GROUPS_PROGRAM, broker.bootstrapServers, protocol, 'confluent', 'endure']
  program = startCounting(args, await pythonProgram())
  await restarts(broker, program)
  expect(JSON.parse(await program.end())).toEqual({ endure: ['0 repeated', 0] })
})

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
