// Open and ended transactions on a data directory that minikafka, a real Kafka and minikafka serve in turn, or the
// other way round. Each broker finds them as they were, and continues them.
import { expect, onTestFailed, test } from 'vitest'
import { freePorts } from '../kafka/kafka.ts'
import { Session } from '../oracle/session.ts'
import { type BrokerRun, warningsOf } from './broker-run.ts'
import { dataDirectoryOfEachTest, SUCCESSIONS } from './data-directory.ts'
import { TransactionChanges } from './transaction-changes.ts'
import { unstable, viewTransactions } from './transactions-view.ts'

const directory = dataDirectoryOfEachTest()

/** Cases at each level of `transaction.version`; the older levels with one case in each order of brokers. */
const CASES = [
  ...SUCCESSIONS.map(succession => ({ ...succession, level: '2' })),
  ...SUCCESSIONS.filter(({ ends }) => ends === 'stopped').map(succession => ({ ...succession, level: '1' })),
  ...SUCCESSIONS.filter(({ ends }) => ends === 'killed').map(succession => ({ ...succession, level: '0' }))
]

test.each(CASES)(
  'each broker finds and continues transactions, at level $level, directory created by $brokers.0, each broker $ends',
  async ({ brokers, ends, level }) => {
    onTestFailed(() => directory.printWarnings())
    const changes = new TransactionChanges(Number(level))
    const [port] = await freePorts()
    let previous: object | undefined
    for (const [index, broker] of brokers.entries()) {
      const run: BrokerRun = { broker, ends }
      const served = await directory.begin(run, port)
      const session = new Session(served.bootstrapServers)
      await changes.meet(session)
      if (previous !== undefined) {
        expect(await viewTransactions(session, changes.viewCluster), `what ${index}, ${broker}, finds`).toEqual(
          previous
        )
        await changes.resume(session)
      }
      if (index < brokers.length - 1) await changes.leaveOpen(session)
      const seen = await viewTransactions(session, changes.viewCluster)
      expect(seen.transactionVersion).toBe(Number(level))
      if (index === brokers.length - 1) {
        expect(seen.partitions.flatMap(({ committed }) => committed)).toEqual(changes.committed)
        expect(seen.partitions.map(({ end, stable }) => end - stable)).toEqual([0n, 0n, 0n])
      } else expect(unstable(seen.stableOffsets)).toEqual([1])
      previous = seen
      await session.closeAll()
      expect(warningsOf(served), `what ${index}, ${broker}, warns of`).toEqual([])
      await directory.end(run)
    }
  }
)
