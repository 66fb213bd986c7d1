// Running groups of Java members, with both protocols, dynamic and static, while minikafka and a real Kafka serve a
// data directory in turn. Members only see pauses: no commit is lost, no record is read twice, no member loses a
// partition.
import { afterEach, expect, onTestFailed, test } from 'vitest'
import { type CountingProgram, startCounting } from '../java/counting.ts'
import { groupProgram } from '../java/groups.ts'
import { freePorts } from '../kafka/kafka.ts'
import type { BrokerRun } from './broker-run.ts'
import { dataDirectoryOfEachTest } from './data-directory.ts'

const CLIENT = '4.4.0'
const PROTOCOLS = ['range', 'consumer']
const RUNS: readonly BrokerRun[] = [
  { broker: 'minikafka', ends: 'stopped' },
  { broker: 'Kafka 4.3.1', ends: 'stopped' },
  { broker: 'minikafka', ends: 'killed' },
  { broker: 'Kafka 4.3.1', ends: 'killed' },
  { broker: 'minikafka', ends: 'stopped' }
]
/** Records that each group reads from each broker. */
const BETWEEN = 300

const directory = dataDirectoryOfEachTest()
let programs: readonly CountingProgram[] = []

afterEach(async () => {
  for (const program of programs) await program.kill()
  programs = []
})

test('running groups continue when brokers are stopped and killed', async () => {
  onTestFailed(() => directory.printWarnings())
  const [port] = await freePorts()
  const java = await groupProgram(CLIENT)
  for (const [index, run] of RUNS.entries()) {
    await directory.begin(run, port)
    if (index === 0) {
      const args = (protocol: string) => ['endure', `localhost:${port}`, protocol, `running-${protocol}`]
      programs = PROTOCOLS.map(protocol => startCounting([...java, ...args(protocol)]))
    }
    await Promise.all(programs.map(program => program.reaches(program.count + BETWEEN)))
    if (index < RUNS.length - 1) await directory.end(run)
  }
  const restarted = 'the same partitions, the same epoch, nobody else knows'
  for (const program of programs) {
    expect(JSON.parse(await program.end())).toMatchObject({ repeated: 0, restarted })
  }
})
