// kafka-configs prints the same for minikafka as for a real Kafka when it alters, describes and deletes configs of
// groups.
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { type RunningBroker, subject } from './brokers.ts'
import { kafkaJars, startKafka } from './kafka/kafka.ts'
import { Tools } from './kafka-tools/consumer-groups.ts'
import { Session } from './oracle/session.ts'
import { Group } from './oracle/transcripts/group.ts'

const VERSION = '4.3.1'
const running: RunningBroker[] = []
const sessions: Session[] = []
const tools = await Tools.start(kafkaJars(VERSION))

beforeAll(async () => {
  running.push(...(await Promise.all([startKafka({ version: VERSION }), subject.start()])))
  for (const { bootstrapServers } of running) {
    const session = new Session(bootstrapServers)
    sessions.push(session)
    await new Group('known').found().play(session)
  }
})

afterAll(async () => {
  await tools.close()
  for (const session of sessions) await session.closeAll()
  for (const broker of running) await broker.stop()
})

const g = '--entity-type groups --entity-name g'

test.each([
  '--describe --entity-type groups',
  `--describe ${g}`,
  `--describe ${g} --all`,
  `--alter ${g} --add-config consumer.session.timeout.ms=50000,consumer.heartbeat.interval.ms=6000`,
  `--describe ${g}`,
  '--describe --group g',
  `--describe ${g} --all`,
  '--describe --entity-type groups',
  `--alter ${g} --add-config consumer.session.timeout.ms=1`,
  `--alter ${g} --add-config no.such=1`,
  `--alter ${g} --add-config share.auto.offset.reset=by_duration:PT5M,streams.num.standby.replicas=1`,
  `--alter ${g} --delete-config consumer.heartbeat.interval.ms`,
  `--alter ${g} --delete-config consumer.heartbeat.interval.ms`,
  `--describe ${g}`,
  '--alter --entity-type groups --entity-name other --add-config share.isolation.level=read_committed',
  '--describe --entity-type groups',
  '--alter --entity-type groups --entity-default --add-config consumer.session.timeout.ms=50000',
  `--alter ${g} --delete-config consumer.session.timeout.ms,share.auto.offset.reset,streams.num.standby.replicas`,
  `--describe ${g}`,
  '--describe --entity-type groups',
  '--alter --entity-type brokers --entity-default --add-config group.consumer.assignment.interval.ms=2000',
  '--alter --entity-type brokers --entity-name 1 --add-config group.consumer.assignment.interval.ms=20000',
  '--alter --entity-type brokers --entity-name 1 --add-config group.consumer.session.timeout.ms=50000',
  '--describe --entity-type brokers',
  `--describe ${g} --all`
])('kafka-configs prints the same as with Kafka: %s', async line => {
  const compare = async () => {
    const printed: object[] = []
    for (const session of sessions) printed.push(inOrder(await tools.configs(...line.split(' ')).play(session)))
    const [kafka, ours] = printed
    expect(ours).toEqual(kafka)
  }
  // A real Kafka shows a changed config some time after the response.
  if (line.startsWith('--describe')) await vi.waitFor(compare, { timeout: 120_000 })
  else await compare()
})

/** Kafka lists groups in the order of a hash table. */
function inOrder(printed: unknown): object {
  const { stdout, ...rest } = printed as { readonly stdout: readonly string[] }
  return { ...rest, stdout: stdout.toSorted() }
}
