// Plays transcripts of requests against a real Kafka and against minikafka: the responses must be equal. With
// INTEROP_BROKERS=kafka the newest Kafka replaces minikafka, which checks the transcripts themselves and shows where
// releases differ. ORACLE_LOG=FILE records Kafka's responses, a JSON array for each step (used by recorded.test.ts in
// test/txn and test/group). Error codes that requests to one healthy node cannot cause (KAFKA_STORAGE_ERROR,
// LEADER_NOT_AVAILABLE, NOT_ENOUGH_REPLICAS ...) are tested in test/broker only.
import { appendFile } from 'node:fs/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { APIS } from '../../../src/protocol/messages/index.ts'
import { type BrokerConfig, type RunningBroker, subject } from '../brokers.ts'
import { startKafka } from '../kafka/kafka.ts'
import { differences } from './difference.ts'
import { Session } from './session.ts'
import type { Step } from './transcript.ts'
import { CONSUMER_LIMITS, consumerGroupLimits } from './transcripts/consumer-group-limits.ts'
import { TRANSCRIPTS } from './transcripts/index.ts'
import { DELAY_MS, initialDelay } from './transcripts/initial-delay.ts'
import { EXPIRY, txnExpiry } from './transcripts/txn-expiry.ts'

const RELEASE_VERSION = '4.0'
/** Small limits, so that groups fill up, and sessions and transactions expire, within a test. */
const CONFIG: BrokerConfig = {
  'group.min.session.timeout.ms': 100,
  'group.max.size': 4,
  'transaction.abort.timed.out.transaction.cleanup.interval.ms': 200
}

interface Cluster {
  readonly title: string
  readonly config: BrokerConfig
  readonly transcripts: Readonly<Record<string, readonly Step[]>>
}

/** Two clusters: one with these settings, and one with static settings of some transcripts. */
const CLUSTERS: readonly Cluster[] = [
  { title: '', config: CONFIG, transcripts: TRANSCRIPTS },
  {
    title: ', other settings',
    config: { ...CONFIG, ...CONSUMER_LIMITS, ...EXPIRY, 'group.initial.rebalance.delay.ms': DELAY_MS },
    transcripts: {
      'initial delay': initialDelay,
      'consumer group limits': consumerGroupLimits,
      'txn expiry': txnExpiry
    }
  }
]

/** Declares the tests that compare minikafka with one release of Kafka. */
export function playAgainst(version: string): void {
  for (const world of CLUSTERS) describe(`Apache Kafka ${version}${world.title}`, () => playCluster(version, world))
}

function playCluster(version: string, { config, transcripts }: Cluster): void {
  let kafka: RunningBroker
  let ours: RunningBroker

  beforeAll(async () => {
    ;[kafka, ours] = await both(startKafka({ version, releaseVersion: RELEASE_VERSION, config }), subject.start(config))
    await both(coordinatorsUp(kafka), coordinatorsUp(ours))
  })

  afterAll(async () => {
    await ours?.stop()
    await kafka?.stop()
  })

  describe.each(Object.entries(transcripts))('%s', (name, steps) => {
    let sessions: { kafka: Session; ours: Session }

    beforeAll(() => {
      sessions = { kafka: new Session(kafka.bootstrapServers), ours: new Session(ours.bootstrapServers) }
    })

    afterAll(async () => {
      await sessions.kafka.closeAll()
      await sessions.ours.closeAll()
    })

    for (const step of supported(steps, version, name)) {
      test(step.name, async () => {
        const [theirs, own] = await both(step.play(sessions.kafka), step.play(sessions.ours))
        const line = JSON.stringify([version, name, step.name, theirs])
        await appendFile(process.env.ORACLE_LOG ?? '/dev/null', `${line}\n`)
        expect(differences(theirs, own, step.subset).join('\n')).toBe('')
      })
    }
  })
}

/** The steps that this release supports. Prints the number of skipped steps. */
function supported(steps: readonly Step[], version: string, transcript: string): readonly Step[] {
  const left = steps.filter(({ since = version }) => version.localeCompare(since, 'en', { numeric: true }) >= 0)
  const out = steps.length - left.length
  if (out > 0)
    console.log(`Apache Kafka ${version}, ${transcript}: ${out} of ${steps.length} steps left out as too new`)
  return left
}

/** Both results, or the first failure after both have ended: a step must not overlap with the next one. */
async function both<T>(kafka: Promise<T>, ours: Promise<T>): Promise<[T, T]> {
  await Promise.allSettled([kafka, ours])
  return [await kafka, await ours]
}

/** Kafka creates its internal topics on first use; until then it returns COORDINATOR_NOT_AVAILABLE. */
async function coordinatorsUp({ bootstrapServers }: RunningBroker): Promise<void> {
  const session = new Session(bootstrapServers)
  const request = { coordinatorKeys: ['any'] }
  await session.requestUntil(
    APIS.FindCoordinator,
    4,
    request,
    ({ coordinators }) => coordinators[0]?.errorCode === 'NONE'
  )
  await session.closeAll()
}
