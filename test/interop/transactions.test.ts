// Transactions by Java and librdkafka clients: with minikafka and with a real Kafka each client gets the same results.
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { brokers, type RunningBroker } from './brokers.ts'
import { javaTask, type TaskResult } from './java/client.ts'
import { made } from './made.ts'

const run = promisify(execFile)
const VERSIONS = ['4.4.0', '3.9.1', '2.8.2']
/** The outcome of each scenario of the Java program: exceptions, read records, end offsets, committed offsets. */
const OUTCOMES = {
  commit: '[a1, a2, b1, b2, c1, c2] [4, 4, 4]',
  abort: '[A] of [a, A, b]',
  empty: '[a] [2, 0, 0]',
  exception: '[a1, a3, b1, b3]',
  open: '[before, elsewhere]0[1, 1, 0][within, after][4, 1, 0]',
  fenced: 'ProducerFencedException ProducerFencedException [kept, kept too] of [lost, kept, kept too]',
  fencedIdle: 'ProducerFencedException [kept]',
  timeout: 'ProducerFencedException [next]',
  longTimeout: 'KafkaException',
  transformAsMember: '0 6 6',
  transformAsGroup: '0 6 6',
  oldMember: 'CommitFailedException []'
}
/** Exceptions that differ in clients with KIP-890. */
const OUTCOMES_OF_4 = {
  ...OUTCOMES,
  fencedIdle: 'InvalidProducerEpochException [kept]',
  timeout: 'InvalidTxnStateException [next]'
}

/** The output of the program with librdkafka. */
const OUTCOMES_OF_PYTHON = [
  "commit ['a1', 'a2', 'b1', 'b2', 'c1', 'c2']",
  "abort (['c'], ['a', 'b', 'c'])",
  "open (['before', 'elsewhere'], ['after', 'before', 'elsewhere', 'within'])",
  "fenced ('_FENCED', ['kept'])",
  "timeout ('_FENCED', ['behind'])",
  "transform ([[0, 0, 0], [2, 2, 2]], ['A', 'B', 'C', 'D', 'E', 'F'])"
]

describe.each(brokers.map(({ name, share }) => [name, share] as const))('%s', (_, share) => {
  let broker: RunningBroker
  beforeAll(async () => {
    broker = await share()
  })
  afterAll(() => broker?.stop())

  describe.each(VERSIONS)('with kafka-clients %s', version => {
    let results: TaskResult
    beforeAll(async () => {
      results = await javaTask(version, 'transactions', broker.bootstrapServers, `java-${version}`)
    })
    const outcomes = Object.entries(version.startsWith('4.') ? OUTCOMES_OF_4 : OUTCOMES)
    test.each(outcomes)('the scenario %s has the expected outcome', (scenario, outcome) => {
      expect(results[scenario]).toBe(outcome)
    })
  })

  test('the scenarios of confluent-kafka have the expected outcomes', async () => {
    const cwd = join(import.meta.dirname, 'python')
    const install = ['target/venv/bin/pip', 'install', '-q', '-r', 'requirements.txt']
    await made(cwd, 'target', [['python3', '-m', 'venv', 'target/venv'], install])
    const args = ['transactions.py', broker.bootstrapServers, 'confluent']
    const { stdout } = await run('target/venv/bin/python', args, { cwd })
    expect(stdout.trim().split('\n')).toEqual(OUTCOMES_OF_PYTHON)
  })
})
