import { describe, expect, test } from 'vitest'
import { MalformedFrame } from '../../src/protocol/wire/bytes.ts'
import { decodeRecord, encodeRecord, tombstone } from '../../src/txn/records.ts'
import { newTxn, type Txn } from '../../src/txn/txn.ts'

const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex')

const ongoing: Txn = {
  ...newTxn('tx', 1000n, 60_000, 1_700_000_000_001),
  state: 'Ongoing',
  producerEpoch: 1,
  partitions: new Map([['foo', new Set([0])]]),
  startedMs: 1_700_000_000_000
}
const KEY = hex('0000 0002 7478')

describe('records of __transaction_state', () => {
  test.each<[name: string, txn: Txn, transactionVersion: number, value: string]>([
    [
      'an open transaction, transaction.version 0',
      ongoing,
      0,
      '0000 00000000000003e8 0001 0000ea60 01 00000001 0003 666f6f 00000001 00000000 0000018bcfe56801 0000018bcfe56800'
    ],
    [
      'an open transaction of a client of KIP-890',
      { ...ongoing, clientVersion: 2 },
      2,
      '0001 00000000000003e8 0001 0000ea60 01 02 04666f6f 02 00000000 00 0000018bcfe56801 0000018bcfe56800 01 02 02 0002'
    ],
    [
      'a transaction that ends with its producer id, and the ids before and after it',
      { ...ongoing, state: 'PrepareCommit', previousProducerId: 999n, nextProducerId: 1001n, clientVersion: 2 },
      2,
      '0001 00000000000003e8 0001 0000ea60 02 02 04666f6f 02 00000000 00 0000018bcfe56801 0000018bcfe56800' +
        '03 00 08 00000000000003e7 01 08 00000000000003e9 02 02 0002'
    ],
    [
      'no transaction',
      { ...ongoing, state: 'Empty', partitions: new Map(), startedMs: -1 },
      1,
      '0001 00000000000003e8 0001 0000ea60 00 00 0000018bcfe56801 ffffffffffffffff 00'
    ]
  ])("the record of %s has Kafka's bytes", (_name, txn, transactionVersion, value) => {
    const record = encodeRecord({ transactionalId: 'tx', txn }, transactionVersion)
    expect(record).toEqual({ key: KEY, value: hex(value) })
    expect(decodeRecord(record)).toEqual({ transactionalId: 'tx', txn })
  })
})

test('a tombstone has the transactional id and no state', () => {
  const record = encodeRecord(tombstone('tx'), 2)
  expect(record).toEqual({ key: KEY, value: null })
  expect(decodeRecord(record)).toEqual({ transactionalId: 'tx', txn: null })
})

test('a record of an unknown type is skipped', () => {
  const skipped = { type: 'Skipped', recordTypeId: 1, recordType: null }
  expect(decodeRecord({ key: hex('0001 0002 7478'), value: null })).toEqual(skipped)
})

test.each([
  ['an unknown state', '0000 00000000000003e8 0001 0000ea60 09 ffffffff 0000018bcfe56801 0000018bcfe56800'],
  ['an unknown version', '0002 00000000000003e8'],
  ['a value that is cut', '0000 00000000000003e8 0001']
])('a record with %s is refused', (_name, value) => {
  expect(() => decodeRecord({ key: KEY, value: hex(value) })).toThrow(MalformedFrame)
})
