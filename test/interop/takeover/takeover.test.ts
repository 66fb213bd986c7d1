// One data directory that brokers serve in turn: a real Kafka and minikafka, stopped or killed. Each finds the state of
// the one before. A Java producer writes all the time and only sees pauses.
import { afterEach, expect, onTestFailed, test } from 'vitest'
import { type EnduringProducer, startEnduringProducer } from '../java/endure.ts'
import { freePorts } from '../kafka/kafka.ts'
import { expectSameDumps } from '../kafka-tools/same-dumps.ts'
import { Session } from '../oracle/session.ts'
import { type ClusterView, look } from './look.ts'
import { freshRealm } from './realm.ts'
import { type Reign, warningsOf } from './reign.ts'
import { ENDLESS, STORY_LOOK, Story } from './story.ts'

const REIGNS: Readonly<Record<string, readonly Reign[]>> = {
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

const realm = freshRealm()
let producer: EnduringProducer | undefined

afterEach(async () => {
  await producer?.kill()
  producer = undefined
})

test.each(Object.entries(REIGNS))(
  'each broker finds the state of the broker before it in a directory %s',
  { timeout: 600_000 },
  async (_, reigns) => {
    onTestFailed(() => realm.tellWarnings())
    const story = new Story()
    const [port] = await freePorts()
    let previous: ClusterView | undefined
    for (const [index, reign] of reigns.entries()) {
      const name = `${index}, ${reign.broker}`
      const served = await realm.begin(reign, port)
      const session = new Session(served.bootstrapServers)
      if (previous !== undefined) {
        expect(await look(session, STORY_LOOK), `what ${name}, finds`).toEqual(previous)
        await story.expectProducerStates(session)
        expect(await look(session, STORY_LOOK), `what ${name}, has after retries`).toEqual(previous)
      }
      await story.live(session, { endsClean: reign.ends === 'stopped' })
      // After a kill, Kafka knows only the last batch of a producer, because it takes a producer snapshot before it is
      // ready.
      const inFlight = reigns.some(({ ends }) => ends === 'killed') ? 1 : 5
      producer ??= await startEnduringProducer({ servers: served.bootstrapServers, ...ENDLESS, inFlight })
      await producer.more(2000)
      if (index === reigns.length - 1) await producer.finish()
      previous = await look(session, STORY_LOOK)
      await session.closeAll()
      expect(warningsOf(served), `what ${name}, warns of`).toEqual([])
      await realm.end(reign)
      // The first two phases cover each kind of broker.
      if (index < 2) await expectSameDumps(realm.dataDir, reign.ends === 'stopped')
    }
  }
)
