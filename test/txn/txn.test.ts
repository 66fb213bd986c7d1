import { describe, expect, test } from 'vitest'
import { contains, isExhausted, moved, newTxn, nextEpoch, TXN_STATES, type TxnState, union } from '../../src/txn/txn.ts'
import { partitionsOf } from './txn-coordinator-driver.ts'

const LEGAL: Record<TxnState, readonly TxnState[]> = {
  Empty: ['Empty', 'Ongoing', 'PrepareAbort', 'Dead'],
  Ongoing: ['Ongoing', 'PrepareCommit', 'PrepareAbort', 'PrepareEpochFence'],
  PrepareCommit: ['CompleteCommit'],
  PrepareAbort: ['CompleteAbort'],
  CompleteCommit: ['Empty', 'Ongoing', 'PrepareAbort', 'Dead'],
  CompleteAbort: ['Empty', 'Ongoing', 'PrepareAbort', 'Dead'],
  Dead: [],
  PrepareEpochFence: ['PrepareAbort']
}

describe.each(TXN_STATES)('a transactional id in state %s', from => {
  test.each(TXN_STATES)('the transition to %s is allowed or refused as in Kafka', to => {
    const txn = { ...newTxn('id', 7n, 60_000, 0), state: from }
    if (LEGAL[from].includes(to)) expect(moved(txn, to, {}).state).toBe(to)
    else expect(() => moved(txn, to, {})).toThrow(`id can change from ${from} to ${to}`)
  })
})

test('a transition keeps the previous producer id and clears the next producer id', () => {
  const txn = { ...newTxn('id', 7n, 60_000, 0), nextProducerId: 9n }
  expect(moved(txn, 'Ongoing', { producerId: 8n })).toMatchObject({
    producerId: 8n,
    previousProducerId: 7n,
    nextProducerId: -1n
  })
})

test('epoch 32767 is never assigned to a producer and only fences epoch 32766', () => {
  expect([32_765, 32_766, 32_767].map(isExhausted)).toEqual([false, true, true])
  expect([32_766, 32_767].map(nextEpoch)).toEqual([32_767, 32_767])
})

test('a partition is added to a transaction once', () => {
  const both = union(partitionsOf(['t-0', 'u-1']), partitionsOf(['t-0', 't-2']))
  expect(both).toEqual(partitionsOf(['t-0', 't-2', 'u-1']))
  expect(contains(both, partitionsOf(['t-2', 'u-1']))).toBe(true)
  expect(contains(both, partitionsOf(['t-1']))).toBe(false)
  expect(contains(both, partitionsOf(['v-0']))).toBe(false)
})
