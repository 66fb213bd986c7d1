// Open and ended transactions on a data directory that minikafka, a real Kafka and minikafka serve in turn, or the
// other way round. Each broker finds them as they were, and continues them.
import { expect, onTestFailed, test } from 'vitest'
import { freePorts } from '../kafka/kafka.ts'
import { Session } from '../oracle/session.ts'
import { freshRealm, SUCCESSIONS } from './realm.ts'
import { type Reign, warningsOf } from './reign.ts'
import { lookAtTransactions, unstable } from './transactions-look.ts'
import { TransactionsStory } from './transactions-story.ts'

const realm = freshRealm()

/** Cases at each level of `transaction.version`; the older levels with one case in each order of brokers. */
const CASES = [
  ...SUCCESSIONS.map(succession => ({ ...succession, level: '2' })),
  ...SUCCESSIONS.filter(({ ends }) => ends === 'stopped').map(succession => ({ ...succession, level: '1' })),
  ...SUCCESSIONS.filter(({ ends }) => ends === 'killed').map(succession => ({ ...succession, level: '0' }))
]

test.each(CASES)(
  'each broker finds and continues transactions, at level $level, directory created by $brokers.0, each broker $ends',
  async ({ brokers, ends, level }) => {
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
  }
)
