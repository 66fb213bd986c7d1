// One data directory that brokers serve in turn: a real Kafka and minikafka, stopped or killed. Each finds the state of
// the one before. A Java producer writes all the time and only sees pauses.
import { afterEach, expect, onTestFailed, test } from 'vitest'
import { type EnduringProducer, startEnduringProducer } from '../java/endure.ts'
import { freePorts } from '../kafka/kafka.ts'
import { expectSameDumps } from '../kafka-tools/same-dumps.ts'
import { Session } from '../oracle/session.ts'
import { type BrokerRun, warningsOf } from './broker-run.ts'
import { ClusterChanges, PRODUCER_TOPIC, VIEWED } from './cluster-changes.ts'
import { type ClusterView, viewCluster } from './cluster-view.ts'
import { dataDirectoryOfEachTest } from './data-directory.ts'

const RUNS: Readonly<Record<string, readonly BrokerRun[]>> = {
  'created by Kafka, brokers stopped': [
    { broker: 'Kafka 4.3.1', ends: 'stopped' },
    { broker: 'minikafka', ends: 'stopped' },
    { broker: 'Kafka 4.3.1', ends: 'stopped' },
    { broker: 'minikafka', ends: 'stopped' }
  ],
  'created by Kafka, brokers killed': [
    { broker: 'Kafka 4.3.1', ends: 'killed' },
    { broker: 'minikafka', ends: 'killed' },
    { broker: 'Kafka 4.3.1', ends: 'killed' },
    { broker: 'minikafka', ends: 'stopped' }
  ],
  'created by minikafka, brokers stopped': [
    { broker: 'minikafka', ends: 'stopped' },
    { broker: 'Kafka 4.3.1', ends: 'stopped', staticVoters: true },
    { broker: 'minikafka', ends: 'stopped' }
  ],
  'created by minikafka, brokers killed': [
    { broker: 'minikafka', ends: 'killed' },
    { broker: 'Kafka 4.4.0', ends: 'killed' },
    { broker: 'minikafka', ends: 'stopped' }
  ]
}

const directory = dataDirectoryOfEachTest()
let producer: EnduringProducer | undefined

afterEach(async () => {
  await producer?.kill()
  producer = undefined
})

test.each(Object.entries(RUNS))(
  'each broker finds the state of the broker before it in a directory %s',
  { timeout: 600_000 },
  async (_, runs) => {
    onTestFailed(() => directory.printWarnings())
    const changes = new ClusterChanges()
    const [port] = await freePorts()
    let previous: ClusterView | undefined
    for (const [index, run] of runs.entries()) {
      const name = `${index}, ${run.broker}`
      const served = await directory.begin(run, port)
      const session = new Session(served.bootstrapServers)
      if (previous !== undefined) {
        expect(await viewCluster(session, VIEWED), `what ${name}, finds`).toEqual(previous)
        await changes.expectProducerStates(session)
        expect(await viewCluster(session, VIEWED), `what ${name}, has after retries`).toEqual(previous)
      }
      await changes.runPhase(session, { stopsCleanly: run.ends === 'stopped' })
      // After a kill, Kafka knows only the last batch of a producer, because it takes a producer snapshot before it is
      // ready.
      const inFlight = runs.some(({ ends }) => ends === 'killed') ? 1 : 5
      producer ??= await startEnduringProducer({ servers: served.bootstrapServers, ...PRODUCER_TOPIC, inFlight })
      await producer.more(2000)
      if (index === runs.length - 1) await producer.finish()
      previous = await viewCluster(session, VIEWED)
      await session.closeAll()
      expect(warningsOf(served), `what ${name}, warns of`).toEqual([])
      await directory.end(run)
      // The first two phases cover each kind of broker.
      if (index < 2) await expectSameDumps(directory.dataDir, run.ends === 'stopped')
    }
  }
)
