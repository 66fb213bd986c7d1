// A metadata snapshot that minikafka writes of a real Kafka's cluster. Kafka then loads it: records that minikafka does
// not use are preserved.
import { readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { APIS } from '../../src/protocol/messages/index.ts'
import { ACL_SETTINGS, grant, granted } from './access.ts'
import { startMinikafka } from './brokers.ts'
import { startKafka } from './kafka/kafka.ts'
import { dumpLog, dumpLogSegments } from './kafka-tools/dump-log-segments.ts'
import { Session } from './oracle/session.ts'
import { topic, topicId } from './oracle/transcripts/topic.ts'

const VERSION = '4.3.1'
const AT_EVERY_CHANGE = ['--set', 'metadata.log.max.record.bytes.between.snapshots=1']

let dataDir: string

beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'metadata-'))
})

afterEach(() => rm(dataDir, { recursive: true, force: true }))

/** Runs `talk` against a broker, then stops the broker. */
async function served<T>(
  start: () => Promise<{ bootstrapServers: string; stop(): Promise<void> }>,
  talk: (session: Session) => Promise<T>
): Promise<T> {
  const broker = await start()
  const session = new Session(broker.bootstrapServers)
  try {
    return await talk(session)
  } finally {
    await session.closeAll()
    await broker.stop()
  }
}

const kafka = () => startKafka({ version: VERSION, releaseVersion: '4.3', dataDir, config: ACL_SETTINGS })
const ours = () => startMinikafka(['--data-dir', join(dataDir, 'data'), ...AT_EVERY_CHANGE])

test('a real Kafka finds the same users, ACLs, quotas and topics in a metadata snapshot of minikafka', async () => {
  const before = await served(kafka, async session => {
    await topic('kept', 2, { 'cleanup.policy': 'compact' }).play(session)
    expect(await grant(session)).toEqual(Array(3).fill('NONE '))
    return { granted: await granted(session), id: await topicId(session, 'kept') }
  })
  const folder = join(dataDir, 'data', '__cluster_metadata-0')
  const id = await served(ours, async session => {
    await topic('ours', 3).play(session)
    await session.requestUntil(APIS.Metadata, 12, { topics: null }, () => newestIn(folder).content.includes('ours'))
    return topicId(session, 'ours')
  })
  const { name: newest } = newestIn(folder)
  const args = ['--cluster-metadata-decoder', '--files', join(folder, newest)]
  expect(await dumpLog(args)).toEqual(await dumpLogSegments(args))
  for (const name of await readdir(folder)) {
    if (![newest, 'quorum-state', 'partition.metadata'].includes(name)) await rm(join(folder, name))
  }
  await served(kafka, async session => {
    expect(await granted(session)).toEqual(before.granted)
    expect(await topicId(session, 'kept')).toBe(before.id)
    expect(await topicId(session, 'ours')).toBe(id)
    await topic('after').play(session)
  })
})

/** The newest metadata snapshot. */
function newestIn(folder: string): { name: string; content: Buffer } {
  const checkpoints = readdirSync(folder).filter(file => file.endsWith('.checkpoint'))
  const name = checkpoints.sort().at(-1) ?? ''
  return { name, content: readFileSync(join(folder, name)) }
}
