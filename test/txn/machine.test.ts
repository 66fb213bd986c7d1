import { describe, expect, test } from 'vitest'
import { KafkaError } from '../../src/protocol/errors.ts'
import type { TxnResult } from '../../src/protocol/records/control.ts'
import {
  addPartitions,
  completed,
  endTxn,
  fenceAndAbort,
  initProducer,
  isExpired,
  isTimedOut,
  type Producer,
  verifyPartition
} from '../../src/txn/machine.ts'
import { newTxn, type Txn, type TxnState } from '../../src/txn/txn.ts'

const NOW = 5000
const partitions = (text: string) => new Map([[text.split('-')[0] ?? '', new Set([Number(text.split('-')[1])])]])

/** A transactional id in a state: producer 7 in epoch 3, after epoch 2. */
function txn(state: TxnState, change: Partial<Txn> = {}): Txn {
  const open = state === 'Ongoing' || state.startsWith('Prepare')
  return {
    ...newTxn('id', 7n, 60_000, 1000),
    producerEpoch: 3,
    lastProducerEpoch: 2,
    previousProducerId: 7n,
    startedMs: state === 'Empty' ? -1 : 1000,
    partitions: open ? partitions('t-0') : new Map(),
    state,
    ...change
  }
}

const newProducerId = () => 100n
const current: Producer = { producerId: 7n, producerEpoch: 3 }

/** The new state and producer of a command, its result if the state stays, or the code of its error. */
function outcome(act: () => Txn | undefined | string): string {
  try {
    const next = act()
    if (next === undefined || typeof next === 'string') return next ?? 'nothing to do'
    return `${next.state} ${next.producerId}/${next.producerEpoch}`
  } catch (error) {
    if (error instanceof KafkaError) return error.code
    throw error
  }
}

const init = (from: Txn, expected?: Producer) =>
  outcome(() => initProducer(from, { timeoutMs: 30_000, expected, newProducerId }, NOW))

describe('InitProducerId', () => {
  test.each<[state: TxnState, fresh: string, resumed: string]>([
    ['Empty', 'Empty 7/4', 'Empty 7/4'],
    ['CompleteCommit', 'Empty 7/4', 'Empty 7/4'],
    ['CompleteAbort', 'Empty 7/4', 'Empty 7/4'],
    ['Ongoing', 'abort first', 'abort first'],
    ['PrepareCommit', 'CONCURRENT_TRANSACTIONS', 'CONCURRENT_TRANSACTIONS'],
    ['PrepareAbort', 'CONCURRENT_TRANSACTIONS', 'CONCURRENT_TRANSACTIONS']
  ])('InitProducerId in %s gives a new instance %s and the current producer %s', (state, fresh, resumed) => {
    expect(init(txn(state))).toBe(fresh)
    expect(init(txn(state), current)).toBe(resumed)
  })

  test('a new transactional id gets epoch 0, also with a producer id and epoch in the request', () => {
    const unseen = newTxn('id', 7n, 60_000, NOW)
    expect(init(unseen)).toBe('Empty 7/0')
    expect(init(unseen, { producerId: 99n, producerEpoch: 12 })).toBe('Empty 7/0')
  })

  test.each<[claim: string, expected: Producer, result: string]>([
    ['that missed the last answer gets it again', { producerId: 7n, producerEpoch: 2 }, 'Empty 7/3'],
    ['of an older epoch is fenced', { producerId: 7n, producerEpoch: 1 }, 'PRODUCER_FENCED'],
    ['of an epoch to come is fenced', { producerId: 7n, producerEpoch: 4 }, 'PRODUCER_FENCED'],
    ['with another id is fenced', { producerId: 8n, producerEpoch: 3 }, 'PRODUCER_FENCED']
  ])('a client %s in InitProducerId', (_who, expected, result) => {
    expect(init(txn('Empty'), expected)).toBe(result)
  })

  test('a new instance fences all earlier epochs', () => {
    const fresh = initProducer(txn('Empty'), { timeoutMs: 1, expected: undefined, newProducerId }, NOW)
    expect(fresh).toMatchObject({ lastProducerEpoch: -1, timeoutMs: 1, startedMs: -1, updatedMs: NOW })
  })

  describe('InitProducerId with exhausted epochs', () => {
    const last = txn('CompleteCommit', { producerEpoch: 32_766, lastProducerEpoch: 32_765 })

    test('a new instance and the current producer get a new producer id', () => {
      expect(init(last)).toBe('Empty 100/0')
      expect(init(last, { producerId: 7n, producerEpoch: 32_766 })).toBe('Empty 100/0')
    })

    test('a producer that retries after its producer id was replaced gets the new producer id again', () => {
      const rotated = txn('Empty', { producerId: 100n, producerEpoch: 0, lastProducerEpoch: 32_766 })
      expect(init(rotated, { producerId: 7n, producerEpoch: 32_766 })).toBe('Empty 100/0')
      expect(init(rotated, { producerId: 7n, producerEpoch: 32_765 })).toBe('PRODUCER_FENCED')
    })
  })
})

describe('AddPartitionsToTxn', () => {
  const add = (from: Txn, producer = current, added = 't-1') =>
    outcome(() => addPartitions(from, producer, partitions(added), 0, NOW))

  test.each<[state: TxnState, result: string]>([
    ['Empty', 'Ongoing 7/3'],
    ['Ongoing', 'Ongoing 7/3'],
    ['CompleteCommit', 'Ongoing 7/3'],
    ['CompleteAbort', 'Ongoing 7/3'],
    ['PrepareCommit', 'CONCURRENT_TRANSACTIONS'],
    ['PrepareAbort', 'CONCURRENT_TRANSACTIONS']
  ])('AddPartitionsToTxn in %s leads to %s', (state, result) => {
    expect(add(txn(state))).toBe(result)
  })

  test('a transaction starts with its first partition and takes more partitions', () => {
    const begun = addPartitions(txn('Empty'), current, partitions('t-0'), 2, NOW)
    expect(begun).toMatchObject({ startedMs: NOW, clientVersion: 2 })
    const gone = begun && addPartitions(begun, current, partitions('t-1'), 2, NOW + 1)
    expect(gone).toMatchObject({ startedMs: NOW, updatedMs: NOW + 1, partitions: new Map([['t', new Set([0, 1])]]) })
  })

  test('partitions that are already in the transaction cause no record', () => {
    expect(add(txn('Ongoing'), current, 't-0')).toBe('nothing to do')
    // Partitions of an earlier transaction do not count.
    expect(add(txn('CompleteCommit', { partitions: partitions('t-0') }), current, 't-0')).toBe('Ongoing 7/3')
  })

  test.each<[producer: Producer, result: string]>([
    [{ producerId: 8n, producerEpoch: 3 }, 'INVALID_PRODUCER_ID_MAPPING'],
    [{ producerId: 7n, producerEpoch: 2 }, 'PRODUCER_FENCED'],
    [{ producerId: 7n, producerEpoch: 4 }, 'PRODUCER_FENCED']
  ])('producer %o gets %s from AddPartitionsToTxn and from verification', (producer, result) => {
    expect(add(txn('PrepareAbort'), producer)).toBe(result)
    expect(outcome(() => String(verifyPartition(txn('Ongoing'), producer, 't', 0)))).toBe(result)
  })

  test('verification accepts only partitions of the open transaction', () => {
    expect(verifyPartition(txn('Ongoing'), current, 't', 0)).toBe(true)
    expect(verifyPartition(txn('Ongoing'), current, 't', 1)).toBe(false)
    expect(verifyPartition(txn('Ongoing'), current, 'u', 0)).toBe(false)
    expect(outcome(() => String(verifyPartition(txn('PrepareCommit'), current, 't', 0)))).toBe(
      'CONCURRENT_TRANSACTIONS'
    )
  })
})

const end = (from: Txn, result: TxnResult, clientVersion: number, producer = current) =>
  outcome(() => endTxn(from, { producer, result, clientVersion, newProducerId }, NOW))

describe('EndTxn before KIP-890', () => {
  test.each<[state: TxnState, commit: string, abort: string]>([
    ['Empty', 'INVALID_TXN_STATE', 'INVALID_TXN_STATE'],
    ['Ongoing', 'PrepareCommit 7/3', 'PrepareAbort 7/3'],
    ['PrepareCommit', 'CONCURRENT_TRANSACTIONS', 'INVALID_TXN_STATE'],
    ['PrepareAbort', 'INVALID_TXN_STATE', 'CONCURRENT_TRANSACTIONS'],
    ['CompleteCommit', 'nothing to do', 'INVALID_TXN_STATE'],
    ['CompleteAbort', 'INVALID_TXN_STATE', 'nothing to do']
  ])('EndTxn in %s leads to %s for a commit and %s for an abort', (state, commit, abort) => {
    expect(end(txn(state), 'COMMIT', 0)).toBe(commit)
    expect(end(txn(state), 'ABORT', 0)).toBe(abort)
    expect(end(txn(state), 'COMMIT', 0, { producerId: 7n, producerEpoch: 2 })).toBe('PRODUCER_FENCED')
    expect(end(txn(state), 'COMMIT', 0, { producerId: 8n, producerEpoch: 3 })).toBe('INVALID_PRODUCER_ID_MAPPING')
  })
})

describe('EndTxn of KIP-890', () => {
  const before: Producer = { producerId: 7n, producerEpoch: 2 }

  test.each<[state: TxnState, commit: string, abort: string, commitAgain: string, abortAgain: string]>([
    ['Empty', 'INVALID_TXN_STATE', 'PrepareAbort 7/4', 'PRODUCER_FENCED', 'PRODUCER_FENCED'],
    ['Ongoing', 'PrepareCommit 7/4', 'PrepareAbort 7/4', 'PRODUCER_FENCED', 'PRODUCER_FENCED'],
    ['PrepareCommit', 'PRODUCER_FENCED', 'PRODUCER_FENCED', 'CONCURRENT_TRANSACTIONS', 'INVALID_TXN_STATE'],
    ['PrepareAbort', 'PRODUCER_FENCED', 'PRODUCER_FENCED', 'INVALID_TXN_STATE', 'CONCURRENT_TRANSACTIONS'],
    ['CompleteCommit', 'INVALID_TXN_STATE', 'PrepareAbort 7/4', 'nothing to do', 'INVALID_TXN_STATE'],
    ['CompleteAbort', 'INVALID_TXN_STATE', 'PrepareAbort 7/4', 'INVALID_TXN_STATE', 'nothing to do']
  ])(
    'EndTxn in %s leads to %s for a commit, %s for an abort, and with the epoch before to %s and %s',
    (state, ...expected) => {
      expect([
        end(txn(state), 'COMMIT', 2),
        end(txn(state), 'ABORT', 2),
        end(txn(state), 'COMMIT', 2, before),
        end(txn(state), 'ABORT', 2, before)
      ]).toEqual(expected)
    }
  )

  test('an abort of an empty transaction starts the transaction at the time of the decision', () => {
    const decided = endTxn(txn('Empty'), { producer: current, result: 'ABORT', clientVersion: 2, newProducerId }, NOW)
    expect(decided).toMatchObject({ startedMs: NOW, lastProducerEpoch: 3, clientVersion: 2 })
  })

  test('EndTxn with exhausted epochs gives the next transaction a new producer id, also to a retry', () => {
    const last = txn('Ongoing', { producerEpoch: 32_766 })
    const producer = { producerId: 7n, producerEpoch: 32_766 }
    const decided = endTxn(last, { producer, result: 'COMMIT', clientVersion: 2, newProducerId }, NOW)
    expect(decided).toMatchObject({
      state: 'PrepareCommit',
      producerId: 7n,
      producerEpoch: 32_767,
      nextProducerId: 100n
    })
    const done = decided && completed(decided, NOW)
    expect(done).toMatchObject({
      state: 'CompleteCommit',
      producerId: 100n,
      producerEpoch: 0,
      lastProducerEpoch: 32_766
    })
    if (done) {
      expect(end(done, 'COMMIT', 2, producer)).toBe('nothing to do')
      expect(end(done, 'ABORT', 2, producer)).toBe('INVALID_TXN_STATE')
      expect(end(done, 'COMMIT', 2, { ...producer, producerEpoch: 32_765 })).toBe('INVALID_PRODUCER_ID_MAPPING')
    }
  })
})

describe('decisions of the coordinator', () => {
  test('an abort by the coordinator raises the epoch once and fences the producer', () => {
    expect(fenceAndAbort(txn('Ongoing'), 1, newProducerId, NOW)).toMatchObject({
      state: 'PrepareAbort',
      producerEpoch: 4,
      lastProducerEpoch: -1,
      clientVersion: 0
    })
    expect(fenceAndAbort(txn('Ongoing'), 2, newProducerId, NOW)).toMatchObject({
      state: 'PrepareAbort',
      producerEpoch: 4,
      lastProducerEpoch: 3,
      clientVersion: 2
    })
  })

  test('a transaction with all markers is completed with the decided result', () => {
    expect(completed(txn('PrepareCommit'), NOW)).toMatchObject({
      state: 'CompleteCommit',
      partitions: new Map(),
      startedMs: 1000,
      updatedMs: NOW
    })
    expect(completed(txn('PrepareAbort'), NOW).state).toBe('CompleteAbort')
  })

  test('only an open transaction times out', () => {
    expect(isTimedOut(txn('Ongoing'), 61_000)).toBe(false)
    expect(isTimedOut(txn('Ongoing'), 61_001)).toBe(true)
    expect(isTimedOut(txn('PrepareCommit'), 61_001)).toBe(false)
  })

  test('only a transactional id without a transaction expires', () => {
    expect(isExpired(txn('Empty'), 500, 1499)).toBe(false)
    expect(isExpired(txn('CompleteAbort'), 500, 1500)).toBe(true)
    expect(isExpired(txn('Ongoing'), 500, 1500)).toBe(false)
  })
})
