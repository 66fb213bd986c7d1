// Transactions, open and ended, on a data directory that is served by ours, by a real Kafka and by ours again, or the
// other way round: each finds them as they were, and goes on with them.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, onTestFailed, test } from 'vitest'
import { freePorts } from '../kafka/kafka.ts'
import { Session } from '../oracle/session.ts'
import { type Reign, type Served, start, warningsOf } from './reign.ts'
import { lookAtTransactions, unstable } from './transactions-look.ts'
import { TransactionsStory } from './transactions-story.ts'

const KAFKA = 'Kafka 4.3.1'
const OURS = 'minikafka'
const CASES = [
  { brokers: [OURS, KAFKA, OURS], ends: 'stopped' },
  { brokers: [OURS, KAFKA, OURS], ends: 'killed' },
  { brokers: [KAFKA, OURS, KAFKA], ends: 'stopped' },
  { brokers: [KAFKA, OURS, KAFKA], ends: 'killed' }
] as const

let folder: string
let served: Served | undefined

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'takeover-'))
})
afterEach(async () => {
  await served?.kill()
  await rm(folder, { recursive: true })
})

test.each(CASES)('begun by $brokers.0, each broker $ends', async ({ brokers, ends }) => {
  onTestFailed(() => console.error(served?.warnings.join('\n')))
  const story = new TransactionsStory()
  const [port] = await freePorts()
  let known: object | undefined
  for (const [index, broker] of brokers.entries()) {
    const reign: Reign = { broker, ends }
    served = await start(reign, folder, port)
    const session = new Session(served.bootstrapServers)
    await story.meet(session)
    if (known !== undefined) {
      expect(await lookAtTransactions(session, story.look), `what ${index}, ${broker}, finds`).toEqual(known)
      await story.goOn(session)
    }
    if (index < brokers.length - 1) await story.leaveOpen(session)
    const seen = await lookAtTransactions(session, story.look)
    if (index === brokers.length - 1) {
      expect(seen.partitions.flatMap(({ committed }) => committed)).toEqual(story.committed)
      expect(seen.partitions.map(({ end, stable }) => end - stable)).toEqual([0n, 0n, 0n])
    } else expect(unstable(seen.stableOffsets)).toEqual([1])
    known = seen
    await session.closeAll()
    expect(warningsOf(served), `what ${index}, ${broker}, warns of`).toEqual([])
    await (ends === 'stopped' ? served.stop() : served.kill())
  }
})
