// Transactions, open and ended, on a data directory that is served by ours, by a real Kafka and by ours again, or the
// other way round: each finds them as they were, and goes on with them.
import { expect, onTestFailed, test } from 'vitest'
import { freePorts } from '../kafka/kafka.ts'
import { Session } from '../oracle/session.ts'
import { freshRealm, SUCCESSIONS } from './realm.ts'
import { type Reign, warningsOf } from './reign.ts'
import { lookAtTransactions, unstable } from './transactions-look.ts'
import { TransactionsStory } from './transactions-story.ts'

const realm = freshRealm()

/** At each level of `transaction.version`: the older ones once each way. */
const CASES = [
  ...SUCCESSIONS.map(succession => ({ ...succession, level: '2' })),
  ...SUCCESSIONS.filter(({ ends }) => ends === 'stopped').map(succession => ({ ...succession, level: '1' })),
  ...SUCCESSIONS.filter(({ ends }) => ends === 'killed').map(succession => ({ ...succession, level: '0' }))
]

test.each(CASES)('at level $level, begun by $brokers.0, each broker $ends', async ({ brokers, ends, level }) => {
  onTestFailed(() => realm.tellWarnings())
  const story = new TransactionsStory(Number(level))
  const [port] = await freePorts()
  let previous: object | undefined
  for (const [index, broker] of brokers.entries()) {
    const reign: Reign = { broker, ends }
    const served = await realm.begin(reign, port)
    const session = new Session(served.bootstrapServers)
    await story.meet(session)
    if (previous !== undefined) {
      expect(await lookAtTransactions(session, story.look), `what ${index}, ${broker}, finds`).toEqual(previous)
      await story.goOn(session)
    }
    if (index < brokers.length - 1) await story.leaveOpen(session)
    const seen = await lookAtTransactions(session, story.look)
    expect(seen.transactionVersion).toBe(Number(level))
    if (index === brokers.length - 1) {
      expect(seen.partitions.flatMap(({ committed }) => committed)).toEqual(story.committed)
      expect(seen.partitions.map(({ end, stable }) => end - stable)).toEqual([0n, 0n, 0n])
    } else expect(unstable(seen.stableOffsets)).toEqual([1])
    previous = seen
    await session.closeAll()
    expect(warningsOf(served), `what ${index}, ${broker}, warns of`).toEqual([])
    await realm.end(reign)
  }
})
