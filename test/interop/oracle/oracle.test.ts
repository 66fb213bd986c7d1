// Transcripts of requests, played against a real Kafka and against ours: the answers must be the same. With
// INTEROP_BROKERS=kafka both sides are Kafka, which shows that a transcript itself is sound. ORACLE_LOG=FILE takes down
// what Kafka answered, to read.
import { appendFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { APIS } from '../../../src/protocol/messages/index.ts'
import { type BrokerConfig, brokers, type RunningBroker } from '../brokers.ts'
import { startKafka } from '../kafka/kafka.ts'
import { differences } from './difference.ts'
import { Session } from './session.ts'
import { TRANSCRIPTS } from './transcripts/index.ts'

/** Small enough that groups can be filled, and sessions end, within a test. */
const CONFIG: BrokerConfig = { 'group.min.session.timeout.ms': 100, 'group.max.size': 4 }

let kafka: RunningBroker
let ours: RunningBroker

beforeAll(async () => {
  const [kafkaStart, oursStart] = [startKafka({ config: CONFIG }), brokers[0]?.start(CONFIG)]
  kafka = await kafkaStart
  ours = (await oursStart) ?? kafka
  await both(coordinatorsUp(kafka), coordinatorsUp(ours))
})

afterAll(async () => {
  await ours?.stop()
  await kafka?.stop()
})

describe.each(Object.entries(TRANSCRIPTS))('%s', (name, steps) => {
  let sessions: { kafka: Session; ours: Session }

  beforeAll(() => {
    sessions = { kafka: new Session(kafka.bootstrapServers), ours: new Session(ours.bootstrapServers) }
  })

  afterAll(async () => {
    await sessions.kafka.closeAll()
    await sessions.ours.closeAll()
  })

  for (const step of steps) {
    test(step.name, async () => {
      const [theirs, own] = await both(step.play(sessions.kafka), step.play(sessions.ours))
      await appendFile(process.env.ORACLE_LOG ?? '/dev/null', `${name} | ${step.name}: ${JSON.stringify(theirs)}\n`)
      expect(differences(theirs, own, step.subset).join('\n')).toBe('')
    })
  }
})

/** Both results, or the first failure after both have ended: a step must not run on into the next one. */
async function both<T>(kafka: Promise<T>, ours: Promise<T>): Promise<[T, T]> {
  await Promise.allSettled([kafka, ours])
  return [await kafka, await ours]
}

/** Kafka makes its internal topics when they are first asked for, and answers that it is not ready until then. */
async function coordinatorsUp({ bootstrapServers }: RunningBroker): Promise<void> {
  const session = new Session(bootstrapServers)
  const request = { coordinatorKeys: ['any'] }
  await session.askUntil(APIS.FindCoordinator, 4, request, ({ coordinators }) => coordinators[0]?.errorCode === 'NONE')
  await session.closeAll()
}
