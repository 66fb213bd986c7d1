import { beforeEach, describe, expect, test } from 'vitest'
import { deferred } from '../../src/runtime/deferred.ts'
import { yieldToEventLoop } from '../../src/runtime/pace.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import type { Txn } from '../../src/txn/txn.ts'
import { codeOf, kafkaError, partitionsOf, TxnCoordinatorDriver } from './txn-coordinator-driver.ts'

let driver: TxnCoordinatorDriver

beforeEach(async () => {
  driver = new TxnCoordinatorDriver()
  await driver.coordinator.start()
})

describe('TxnCoordinator requests', () => {
  test('a request without a transactional id, with an unknown one or without __transaction_state is refused', async () => {
    const nobody = { producerId: 1n, producerEpoch: 0 }
    expect(await codeOf(driver.init({ transactionalId: '' }))).toBe('INVALID_REQUEST')
    expect(await codeOf(driver.add(nobody, 't-0'))).toBe('INVALID_PRODUCER_ID_MAPPING')
    expect(await codeOf(driver.end(nobody, 'COMMIT'))).toBe('INVALID_PRODUCER_ID_MAPPING')
    driver.partitionCount = 0
    expect(await codeOf(driver.init())).toBe('NOT_COORDINATOR')
  })

  test('requests get NOT_COORDINATOR while another node leads the partition of __transaction_state', async () => {
    const producer = await driver.open('t-0')
    driver.isLeader = false
    expect(await codeOf(driver.init())).toBe('NOT_COORDINATOR')
    expect(await codeOf(driver.add(producer, 't-1'))).toBe('NOT_COORDINATOR')
    expect(await codeOf(driver.end(producer, 'COMMIT'))).toBe('NOT_COORDINATOR')
  })

  test.each([0, -1, 900_001])(
    'InitProducerId with a timeout of %i ms gets INVALID_TRANSACTION_TIMEOUT',
    async timeoutMs => {
      expect(await codeOf(driver.init({ timeoutMs }))).toBe('INVALID_TRANSACTION_TIMEOUT')
    }
  )

  test('a request whose append fails changes nothing and gets an error that the client expects of a coordinator', async () => {
    const producer = await driver.open('t-0')
    for (const [failure, code] of [
      ['KAFKA_STORAGE_ERROR', 'NOT_COORDINATOR'],
      ['NOT_ENOUGH_REPLICAS', 'COORDINATOR_NOT_AVAILABLE'],
      ['MESSAGE_TOO_LARGE', 'UNKNOWN_SERVER_ERROR']
    ] as const) {
      driver.journal.failure = kafkaError(failure)
      expect(await codeOf(driver.add(producer, 't-1'))).toBe(code)
      expect(await codeOf(driver.end(producer, 'COMMIT'))).toBe(code)
      expect(await codeOf(driver.init())).toBe(code)
    }
    driver.journal.failure = undefined
    expect(driver.find('id')).toMatchObject({ state: 'Ongoing', partitions: partitionsOf(['t-0']) })
    expect(await driver.end(producer, 'COMMIT')).toMatchObject({ producerEpoch: 1 })
  })

  test.each(['NONE', 'PRODUCER_FENCED'])(
    'a request with the result %s is answered after the sync of the state that the result depends on',
    async code => {
      const producer = await driver.open('t-0')
      const { promise, resolve } = deferred<void>()
      driver.journal.syncing = promise
      let isAnswered = false
      const asked = code === 'NONE' ? producer : { ...producer, producerEpoch: 7 }
      const answer = codeOf(driver.add(asked, 't-0')).finally(() => {
        isAnswered = true
      })
      await yieldToEventLoop()
      expect(isAnswered).toBe(false)
      resolve()
      expect(await answer).toBe(code)
    }
  )

  test('a stopped coordinator refuses InitProducerId with COORDINATOR_NOT_AVAILABLE', async () => {
    await driver.stop()
    expect(await codeOf(driver.init())).toBe('COORDINATOR_NOT_AVAILABLE')
  })
})

describe('transaction events', () => {
  const client = 'app at 10.0.0.1:4000'
  const change = { transactionalId: 'id', producerId: 100n, newProducerId: undefined, oldEpoch: 0, newEpoch: 1 }

  /** The events so far, without changes of the transaction's state. */
  const events = () => driver.events.take().filter(({ type }) => type !== 'TransactionStateChanged')

  test('a new transactional id and a fenced producer emit events with their ids and epochs', async () => {
    await driver.init()
    await driver.init()
    expect(events()).toEqual([
      { type: 'TransactionalIdCreated', ...change, oldEpoch: -1, newEpoch: 0, client },
      { type: 'ProducerFenced', cause: 'InitProducerId', ...change, client }
    ])
  })

  test('a producer that raises its own epoch emits ProducerEpochBumped without a fenced producer', async () => {
    const { producerId, producerEpoch } = await driver.init()
    await driver.init({ expected: { producerId, producerEpoch } })
    expect(events().slice(1)).toEqual([{ type: 'ProducerEpochBumped', ...change, client }])
  })

  test.each([0, 2])(
    'InitProducerId of another instance emits the abort and the fenced producer, at transaction.version %i',
    async version => {
      driver.transactionVersion = version
      await driver.open('t-0')
      expect(await codeOf(driver.init())).toBe('CONCURRENT_TRANSACTIONS')
      expect(events().slice(1)).toEqual([
        { type: 'TransactionAborted', cause: 'InitProducerId', timeoutMs: 60_000, ...change, client },
        { type: 'ProducerFenced', cause: 'InitProducerId', ...change, client }
      ])
    }
  )

  test('an abort by the producer emits TransactionAborted, a commit only changes of the state', async () => {
    const producer = await driver.open('t-0')
    const next = await driver.end(producer, 'COMMIT')
    const changes = driver.events.of('TransactionStateChanged').map(({ from, to }) => `${from} -> ${to}`)
    expect(changes).toEqual([
      'Empty -> Empty',
      'Empty -> Ongoing',
      'Ongoing -> PrepareCommit',
      'PrepareCommit -> CompleteCommit'
    ])
    expect(events()).toHaveLength(1)
    await driver.add(next, 't-0')
    await driver.end(next, 'ABORT')
    const epochs = { oldEpoch: 1, newEpoch: 2 }
    expect(events()).toEqual([
      { type: 'TransactionAborted', cause: 'EndTxn', timeoutMs: 60_000, ...change, ...epochs, client }
    ])
  })

  test('a transaction that exceeds its timeout emits its abort and the fenced producer', async () => {
    await driver.open('t-0')
    driver.clock.advance(70_000)
    expect(events().slice(1)).toEqual([
      { type: 'TransactionAborted', cause: 'TransactionTimeout', timeoutMs: 60_000, ...change },
      { type: 'ProducerFenced', cause: 'TransactionTimeout', ...change }
    ])
  })
})

describe('transaction timeouts', () => {
  test('a timed-out transaction is aborted by the next check and its producer is fenced', async () => {
    const producer = await driver.open('t-0')
    driver.clock.advance(60_000)
    expect(driver.state).toBe('Ongoing')
    driver.clock.advance(10_000)
    expect(driver.state).toBe('CompleteAbort')
    expect(driver.markers.written).toEqual(['t-0 ABORT 100/1'])
    expect(await codeOf(driver.add(producer, 't-0'))).toBe('PRODUCER_FENCED')
  })

  test('one check aborts all of 120 timed-out transactions', async () => {
    for (let count = 0; count < 120; count++) {
      const transactionalId = `id-${count}`
      const producer = await driver.init({ transactionalId })
      await driver.coordinator.addPartitions(transactionalId, producer, new Map([['t', new Set([0])]]), 2)
    }
    driver.clock.advance(70_000)
    expect(driver.markers.written).toHaveLength(120)
  })

  test('a timed-out transaction whose abort cannot be appended stays open until a later check', async () => {
    await driver.open('t-0')
    driver.journal.failure = kafkaError('NOT_ENOUGH_REPLICAS')
    driver.clock.advance(70_000)
    expect([driver.state, driver.events.of('TransactionAbortFailed').length]).toEqual(['Ongoing', 1])
    driver.journal.failure = undefined
    driver.clock.advance(10_000)
    expect(driver.state).toBe('CompleteAbort')
  })

  test('a programming error in the abort of a timed-out transaction fails the broker', async () => {
    await driver.open('t-0')
    driver.journal.failure = new TypeError('a bug')
    driver.clock.advance(70_000)
    expect(driver.failures).toEqual([expect.objectContaining({ cause: new TypeError('a bug') })])
  })
})

describe('expiration of transactional ids', () => {
  const DAY_MS = 86_400_000

  test('an unused transactional id expires, an id with an open transaction does not', async () => {
    driver = new TxnCoordinatorDriver({ 'transaction.max.timeout.ms': 10 * DAY_MS })
    await driver.coordinator.start()
    await driver.init({ transactionalId: 'idle' })
    await driver.init({ timeoutMs: 10 * DAY_MS })
    await driver.add({ producerId: 101n, producerEpoch: 0 }, 't-0')
    driver.clock.advance(DAY_MS + 3_600_000)
    expect([...driver.coordinator.txns()].map(({ transactionalId }) => transactionalId)).toEqual(['id'])
    await driver.restart()
    expect(driver.find('idle')).toBeUndefined()
    expect(await driver.init({ transactionalId: 'idle' })).toMatchObject({ producerEpoch: 0 })
  })

  test('expired transactional ids are removed in batches within the size limit of the topic', async () => {
    for (let id = 0; id < 100; id++) await driver.init({ transactionalId: `id ${id}` })
    const before = driver.journal.batches.length
    driver.journal.maxBytes = 100
    driver.clock.advance(DAY_MS + 3_600_000)
    const batches = driver.journal.batches.slice(before)
    expect(batches.flat()).toHaveLength(100)
    for (const batch of batches) {
      expect(batch.reduce((sum, { key }) => sum + key.length, 0)).toBeLessThanOrEqual(100)
    }
    expect([...driver.coordinator.txns()]).toEqual([])
  })

  test('expired transactional ids stay if their tombstones cannot be appended', async () => {
    await driver.init()
    driver.journal.failure = kafkaError('KAFKA_STORAGE_ERROR')
    driver.clock.advance(DAY_MS)
    expect([...driver.coordinator.txns()]).toHaveLength(1)
    expect(driver.events.of('TransactionalIdExpirationFailed')).toHaveLength(1)
  })
})

/** The state after a restart: without the last epoch, as in Kafka, and without the fields that version 0 of the record lacks. */
function durable(txn: Txn | undefined, transactionVersion: number): Partial<Txn> | undefined {
  const later = { previousProducerId: -1n, nextProducerId: -1n, clientVersion: 0 }
  return txn && { ...txn, lastProducerEpoch: -1, ...(transactionVersion === 0 && later) }
}

const SEEDS = Array.from({ length: 20 }, (_, seed) => seed)

test.each(SEEDS)(
  'seed %i: a restart at any moment restores the state in force, and epochs never go back',
  async seed => {
    const random = seededRandom(seed)
    driver.transactionVersion = random.below(3)
    const kept = (txn: Txn | undefined) => durable(txn, driver.transactionVersion)
    const producer = { producerId: 0n, producerEpoch: -1 }
    let newest = { producerId: -1n, producerEpoch: -1 }
    const goOn = (next: { producerId: bigint; producerEpoch: number }) => {
      Object.assign(producer, { producerId: next.producerId, producerEpoch: next.producerEpoch })
      const isLater = next.producerId === newest.producerId && next.producerEpoch >= newest.producerEpoch
      expect(isLater || next.producerId > newest.producerId, 'epochs never go back').toBe(true)
      newest = { ...producer }
    }
    const version = () => (random.below(2) === 0 ? 0 : 2)
    const commands: (() => Promise<unknown>)[] = [
      () => driver.init().then(goOn),
      () => driver.init({ expected: { ...producer } }).then(goOn),
      () => driver.add(producer, `t-${random.below(3)}`),
      () => driver.add({ ...producer, producerEpoch: producer.producerEpoch - 1 }, 't-0'),
      () => driver.end({ ...producer }, 'COMMIT', version()).then(goOn),
      () => driver.end({ ...producer }, 'ABORT', version()).then(goOn),
      async () => driver.clock.advance(random.below(100_000)),
      async () => {
        if (random.below(2) === 0) driver.journal.failure = undefined
        else driver.journal.failure = kafkaError('NOT_ENOUGH_REPLICAS')
      }
    ]
    for (let step = 0; step < 150; step++) {
      await codeOf(commands[random.below(commands.length)]?.() ?? Promise.resolve())
      if (step % 10 !== 9) continue
      driver.journal.failure = undefined
      driver.clock.advance(1000)
      const before = driver.find('id')
      await driver.restart()
      const after = driver.find('id')
      expect(kept(after)).toEqual(kept(before))
    }
    expect(driver.failures).toEqual([])
  }
)

test('reads of transactional ids wait for the flush of the records that they depend on', async () => {
  const flushed = deferred<void>()
  const producer = await driver.open('t-0')
  driver.journal.syncing = flushed.promise
  const answered: string[] = []
  const described = driver.coordinator.describe('id').then(txn => answered.push(`describe ${txn?.state}`))
  const refused = codeOf(driver.coordinator.addPartitions('id', { ...producer, producerEpoch: 9 }, new Map(), 2))
  const listed = driver.coordinator.allSettled().then(() => answered.push('list'))
  void refused.then(code => answered.push(code))
  await yieldToEventLoop()
  expect(answered).toEqual([])
  flushed.resolve()
  await Promise.all([described, refused, listed])
  expect(answered.toSorted()).toEqual(['PRODUCER_FENCED', 'describe Ongoing', 'list'])
})
