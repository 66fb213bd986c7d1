// Transactions while several brokers serve the directory in turn: some commit, some abort, some are open when the
// broker changes, and non-transactional producers write between them.
import { APIS } from '../../../src/protocol/messages/index.ts'
import type { Session } from '../oracle/session.ts'
import { topic } from '../oracle/transcripts/topic.ts'
import { lowered } from '../oracle/transcripts/update-features.ts'
import type { TransactionsViewOptions } from './transactions-view.ts'
import { type Line, Times, Transactor } from './transactor.ts'
import { Writer } from './writer.ts'

const { FindCoordinator, OffsetFetch } = APIS
const TOPIC = 'ledger'
const PARTITIONS = [0, 1, 2] as const
const GROUP = 'bookkeepers'
/** Each batch begins a segment, so that transactions span several segments. */
const ROLLED = { 'segment.ms': '1000', 'index.interval.bytes': '50' }
/** The partition with a pending offset. */
const PENDING = 1

export class TransactionChanges {
  readonly viewCluster: TransactionsViewOptions
  readonly #transactionVersion: number
  readonly #commits: Transactor
  readonly #aborts: Transactor
  readonly #lingers: Transactor
  readonly #consumes: Transactor
  readonly #plain = PARTITIONS.map(partition => new Writer(TOPIC, partition))
  readonly #plainLines: Line[] = []
  #phases = 0

  /** `transactionVersion` is the level of the feature from the start. */
  constructor(transactionVersion: number) {
    const times = new Times()
    const transactor = (id: string) => new Transactor(id, times, transactionVersion)
    this.#transactionVersion = transactionVersion
    this.#commits = transactor('commits')
    this.#aborts = transactor('aborts')
    this.#lingers = transactor('lingers')
    this.#consumes = transactor('consumes')
    const transactionalIds = this.#all.map(({ id }) => id)
    this.viewCluster = { topic: TOPIC, partitions: PARTITIONS.length, transactionalIds, groupId: GROUP }
  }

  /** All committed records after the end of all transactions, in the order of the partitions. */
  get committed(): Line[] {
    const lines = [...this.#plainLines, ...this.#all.flatMap(({ committed }) => committed)]
    return lines.toSorted((a, b) => a.localeCompare(b, 'en', { numeric: true }))
  }

  /** Finds all coordinators; in the first phase also gets the producer ids and creates the topic. */
  async meet(session: Session): Promise<void> {
    if (this.#phases === 0) await this.#begin(session)
    for (const transactor of this.#all) await transactor.meet(session)
    const group = { keyType: 0, coordinatorKeys: [GROUP] }
    await session.requestUntil(FindCoordinator, 4, group, answer => answer.coordinators[0]?.errorCode === 'NONE')
    const offsets = { groups: [{ groupId: GROUP, topics: null }] }
    await session.requestUntil(OffsetFetch, 8, offsets, answer => answer.groups[0]?.errorCode === 'NONE')
  }

  async #begin(session: Session): Promise<void> {
    await topic(TOPIC, PARTITIONS.length, ROLLED).play(session)
    const level = this.#transactionVersion
    // Steps with `since` need requests that only newer releases of Kafka serve.
    const steps = level < 2 ? lowered(level).filter(({ since }) => since === undefined) : []
    for (const step of steps) await step.play(session)
  }

  /** Producers with an open transaction continue and end it after a change of brokers. */
  async resume(session: Session): Promise<void> {
    await this.#lingers.write(session, TOPIC, 0)
    await this.#lingers.end(session, 'commit')
    await this.#aborts.write(session, TOPIC, 2)
    await this.#aborts.end(session, 'abort')
    await this.#consumes.end(session, this.#phases % 2 === 1 ? 'commit' : 'abort')
    await this.#endSome(session)
  }

  /** Runs transactions that end, and between them some that stay open. */
  async leaveOpen(session: Session): Promise<void> {
    const phase = this.#phases++
    await this.#endSome(session)
    await this.#lingers.write(session, TOPIC, 0)
    await this.#endSome(session)
    await this.#lingers.write(session, TOPIC, 1)
    await this.#lingers.write(session, TOPIC, 0)
    await this.#aborts.write(session, TOPIC, 1)
    await this.#consumes.write(session, TOPIC, 2)
    await this.#consumes.commitOffsets(session, GROUP, TOPIC, { 0: BigInt(phase), [PENDING]: BigInt(phase) })
    await this.#consumes.end(session, 'commit')
    await this.#consumes.commitOffsets(session, GROUP, TOPIC, { [PENDING]: BigInt(phase + 100) })
    await this.#writePlain(session, phase)
  }

  /** Commits one transaction and aborts another, each in several segments of several partitions. */
  async #endSome(session: Session): Promise<void> {
    await this.#commits.write(session, TOPIC, 0)
    await this.#aborts.write(session, TOPIC, 0)
    await this.#writePlain(session, this.#phases)
    for (const partition of PARTITIONS) await this.#commits.write(session, TOPIC, partition)
    await this.#commits.end(session, 'commit')
    for (const partition of PARTITIONS) await this.#aborts.write(session, TOPIC, partition)
    await this.#aborts.end(session, 'abort')
  }

  async #writePlain(session: Session, phase: number): Promise<void> {
    for (const [partition, writer] of this.#plain.entries()) {
      const value = `plain in phase ${phase}`
      const offset = await writer.write(session, [[null, value]])
      this.#plainLines.push(`${TOPIC}-${partition} ${offset}: ${value}`)
    }
  }

  get #all(): readonly Transactor[] {
    return [this.#commits, this.#aborts, this.#lingers, this.#consumes]
  }
}
