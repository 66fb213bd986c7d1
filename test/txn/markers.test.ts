import { beforeEach, describe, expect, test } from 'vitest'
import { deferred } from '../../src/runtime/deferred.ts'
import { yieldToEventLoop } from '../../src/runtime/pace.ts'
import { codeOf, kafkaError, TxnCoordinatorDriver } from './txn-coordinator-driver.ts'

let driver: TxnCoordinatorDriver

beforeEach(async () => {
  driver = new TxnCoordinatorDriver()
  await driver.coordinator.start()
})

describe('transaction markers', () => {
  test('a decided transaction is complete in the same operation if no sync is pending', async () => {
    const producer = await driver.open('t-0', 'u-1')
    void driver.end(producer, 'COMMIT')
    expect(driver.recorded.slice(-2)).toEqual(['PrepareCommit 1', 'CompleteCommit 1'])
    expect(driver.markers.written).toEqual(['t-0 COMMIT 100/1', 'u-1 COMMIT 100/1'])
  })

  test('a marker has the coordinator epoch at the time of its append', async () => {
    const producer = await driver.open('t-0')
    driver.journal.coordinatorEpoch = 5
    await driver.end(producer, 'ABORT')
    expect(driver.markers.last).toEqual({
      producerId: 100n,
      producerEpoch: 1,
      coordinatorEpoch: 5,
      result: 'ABORT',
      transactionVersion: 2
    })
  })

  test('markers are written after the sync of the decision, and the transaction is complete after all markers', async () => {
    const producer = await driver.open('t-0', 't-1')
    const decision = deferred<void>()
    const marker = deferred<void>()
    driver.journal.syncing = decision.promise
    driver.markers.holds.set('t-1', marker.promise)
    const answer = driver.end(producer, 'COMMIT')
    await yieldToEventLoop()
    expect([driver.recorded.at(-1), driver.markers.written]).toEqual(['PrepareCommit 1', []])
    driver.journal.syncing = undefined
    decision.resolve()
    await yieldToEventLoop()
    expect([driver.state, driver.markers.written.length]).toEqual(['PrepareCommit', 2])
    expect(await codeOf(driver.add({ ...producer, producerEpoch: 1 }, 't-0'))).toBe('CONCURRENT_TRANSACTIONS')
    marker.resolve()
    expect(await answer).toMatchObject({ state: 'CompleteCommit', producerEpoch: 1 })
  })

  test.each(['NOT_LEADER_OR_FOLLOWER', 'NOT_ENOUGH_REPLICAS', 'KAFKA_STORAGE_ERROR', 'REQUEST_TIMED_OUT'] as const)(
    'a partition that fails with %s gets its marker in a retry, after the response to EndTxn',
    async code => {
      const producer = await driver.open('t-0', 't-1')
      driver.markers.failures.set('t-0', kafkaError(code))
      expect(await driver.end(producer, 'COMMIT')).toMatchObject({ state: 'PrepareCommit' })
      driver.clock.advance(5000)
      expect(driver.markers.written).toEqual(['t-1 COMMIT 100/1'])
      expect(driver.events.of('TransactionMarkersFailed')).toMatchObject([{ missing: ['t-0'], retryMs: 1000 }])
      driver.markers.failures.clear()
      driver.clock.advance(1000)
      expect([driver.state, driver.markers.written.slice(1)]).toEqual(['CompleteCommit', ['t-0 COMMIT 100/1']])
    }
  )

  test('a partition whose first marker was not synced gets another marker', async () => {
    const producer = await driver.open('t-0')
    driver.markers.holds.set('t-0', Promise.reject(kafkaError('KAFKA_STORAGE_ERROR')))
    expect(await driver.end(producer, 'COMMIT')).toMatchObject({ state: 'PrepareCommit' })
    driver.markers.holds.clear()
    driver.clock.advance(1000)
    expect([driver.state, driver.markers.written.length]).toEqual(['CompleteCommit', 2])
  })

  test('a deleted topic gets no marker and does not hold back its transaction', async () => {
    const producer = await driver.open('gone-0', 't-0')
    driver.markers.failures.set('gone-0', kafkaError('UNKNOWN_TOPIC_OR_PARTITION'))
    expect(await driver.end(producer, 'COMMIT')).toMatchObject({ state: 'CompleteCommit' })
    expect([driver.markers.written, driver.events.of('TransactionMarkersFailed')]).toEqual([['t-0 COMMIT 100/1'], []])
  })

  test.each(['INVALID_PRODUCER_EPOCH', 'TRANSACTION_COORDINATOR_FENCED'] as const)(
    'a partition that refuses its marker with %s holds back the transaction until the next start',
    async code => {
      const producer = await driver.open('t-0', 't-1')
      driver.markers.failures.set('t-0', kafkaError(code))
      expect(await driver.end(producer, 'COMMIT')).toMatchObject({ state: 'PrepareCommit' })
      driver.clock.advance(60_000)
      expect([driver.state, driver.markers.written]).toEqual(['PrepareCommit', ['t-1 COMMIT 100/1']])
      const [{ retryMs, error } = {}] = driver.events.of('TransactionMarkersFailed')
      expect([retryMs, error]).toEqual([undefined, kafkaError(code)])
      driver.markers.failures.clear()
      await driver.restart()
      expect(driver.state).toBe('CompleteCommit')
    }
  )

  test('a transaction whose completion cannot be appended is completed by a retry', async () => {
    const producer = await driver.open('t-0')
    let appends = 0
    driver.journal.attempted = () => {
      if (++appends === 1) driver.journal.failure = kafkaError('NOT_ENOUGH_REPLICAS')
    }
    expect(await driver.end(producer, 'COMMIT')).toMatchObject({ state: 'PrepareCommit' })
    driver.journal.failure = undefined
    driver.clock.advance(1000)
    expect([driver.state, driver.markers.written.length]).toEqual(['CompleteCommit', 1])
  })

  test('a decision that fails to sync causes no marker', async () => {
    const producer = await driver.open('t-0')
    const disk = Promise.reject(kafkaError('KAFKA_STORAGE_ERROR'))
    driver.journal.syncing = disk
    expect(await codeOf(driver.end(producer, 'COMMIT'))).toBe('NOT_COORDINATOR')
    driver.clock.advance(10_000)
    await yieldToEventLoop()
    expect(driver.markers.written).toEqual([])
    expect(driver.failures).toEqual([])
  })

  test('a decided transaction is dropped when __transaction_state is deleted', async () => {
    const producer = await driver.open('t-0', 't-1')
    const marker = deferred<void>()
    driver.markers.holds.set('t-0', marker.promise)
    driver.markers.failures.set('t-1', kafkaError('NOT_ENOUGH_REPLICAS'))
    const answer = codeOf(driver.end(producer, 'COMMIT'))
    await yieldToEventLoop()
    driver.coordinator.topicsDeleted([{ name: '__transaction_state' }])
    driver.journal = new (driver.journal.constructor as new () => typeof driver.journal)()
    marker.resolve()
    expect(await answer).toBe('NOT_COORDINATOR')
    driver.clock.advance(10_000)
    expect([driver.recorded, driver.state]).toEqual([[], undefined])
  })

  test('a stopped coordinator writes no marker, and the next start writes the missing markers', async () => {
    const producer = await driver.open('t-0')
    driver.markers.failures.set('t-0', kafkaError('NOT_ENOUGH_REPLICAS'))
    await driver.end(producer, 'COMMIT')
    driver.markers.failures.clear()
    await driver.stop()
    driver.clock.advance(10_000)
    expect([driver.markers.written, driver.clock.pendingAlarms]).toEqual([[], 0])
    await driver.restart()
    expect([driver.state, driver.markers.written]).toEqual(['CompleteCommit', ['t-0 COMMIT 100/1']])
  })

  test('a programming error in a background marker fails the broker', async () => {
    await driver.open('t-0')
    driver.markers.failures.set('t-0', new TypeError('a bug'))
    driver.clock.advance(70_000)
    await yieldToEventLoop()
    expect(driver.failures).toEqual([new TypeError('a bug')])
  })
})

describe('markers of a transaction with many partitions', () => {
  const places = Array.from({ length: 40 }, (_, index) => `t-${index}`)
  const written = () => driver.markers.written.map(line => line.split(' ')[0])

  /** Each marker advances the clock, so that one slice of work writes only a part of the markers. */
  async function pending() {
    const producer = await driver.open(...places)
    driver.markers.attempted = () => driver.clock.advance(1)
    return { producer, answer: codeOf(driver.end(producer, 'COMMIT')) }
  }

  test('the coordinator yields between markers and answers EndTxn after all markers', async () => {
    const { producer, answer } = await pending()
    expect([driver.state, written().length]).toEqual([
      'PrepareCommit',
      expect.toSatisfy((n: number) => n > 0 && n < 40)
    ])
    expect(await codeOf(driver.add({ ...producer, producerEpoch: 1 }, 't-0'))).toBe('CONCURRENT_TRANSACTIONS')
    expect([await answer, driver.state, written()]).toEqual(['NONE', 'CompleteCommit', places])
  })

  test('the next start writes the markers that a stopped coordinator did not write', async () => {
    const { answer } = await pending()
    await driver.stop()
    expect(await answer).toBe('NOT_COORDINATOR')
    for (const topicPartition of written()) driver.markers.closed.add(`${topicPartition}`)
    expect(driver.markers.closed.size).toBeLessThan(places.length)
    await driver.restart()
    while (driver.state !== 'CompleteCommit') await yieldToEventLoop()
    expect(written()).toEqual(places)
  })

  test('a partition whose marker fails to sync while other markers are written gets another marker', async () => {
    driver.markers.holds.set('t-0', Promise.reject(kafkaError('KAFKA_STORAGE_ERROR')))
    const { answer } = await pending()
    expect([await answer, driver.state]).toEqual(['NONE', 'PrepareCommit'])
    driver.markers.holds.clear()
    driver.clock.advance(1000)
    while (driver.state !== 'CompleteCommit') await yieldToEventLoop()
    expect(written()).toEqual([...places, 't-0'])
  })
})

describe('markers at the start of the coordinator', () => {
  async function decided(...places: string[]) {
    const producer = await driver.open(...places)
    for (const topicPartition of places) driver.markers.failures.set(topicPartition, kafkaError('NOT_ENOUGH_REPLICAS'))
    await driver.end(producer, 'ABORT')
    driver.markers.failures.clear()
  }

  test('the start writes missing markers, and no marker to partitions without an open transaction', async () => {
    await decided('t-0', 't-1', 't-2')
    driver.markers.closed.add('t-1')
    await driver.restart()
    expect(driver.markers.written).toEqual(['t-0 ABORT 100/1', 't-2 ABORT 100/1'])
    expect(driver.recorded.slice(-2)).toEqual(['PrepareAbort 1', 'CompleteAbort 1'])
  })

  test('the start continues after a partition that cannot be opened, and retries its marker', async () => {
    await decided('t-0', 't-1')
    driver.markers.failures.set('t-0', kafkaError('KAFKA_STORAGE_ERROR'))
    await driver.restart()
    expect([driver.state, driver.markers.written]).toEqual(['PrepareAbort', ['t-1 ABORT 100/1']])
    expect(await codeOf(driver.init())).toBe('CONCURRENT_TRANSACTIONS')
    driver.markers.failures.clear()
    driver.clock.advance(1000)
    expect([driver.state, driver.markers.written.slice(1)]).toEqual(['CompleteAbort', ['t-0 ABORT 100/1']])
  })

  test('the start leaves an open transaction without a decision open', async () => {
    const producer = await driver.open('t-0')
    await driver.restart()
    expect([driver.state, driver.markers.written]).toEqual(['Ongoing', []])
    expect(await driver.end(producer, 'COMMIT')).toMatchObject({ state: 'CompleteCommit' })
  })
})
