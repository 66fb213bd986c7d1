import { describe, expect, test } from 'vitest'
import { type FilterRules, filterBatch, type TransactionRetention } from '../../../src/log/cleaner/filter.ts'
import { CleanedTransactionMetadata } from '../../../src/log/cleaner/transactions.ts'
import { RecordBatch } from '../../../src/protocol/records/batch.ts'
import { type BatchOptions, buildBatch } from '../../../src/protocol/records/builder.ts'
import { buildEndTxnMarker } from '../../../src/protocol/records/control.ts'
import { recordsOf } from '../../../src/protocol/records/record.ts'

const NOW = 1_700_000_000_000
const DAY = 86_400_000
/** A state in which every transaction was aborted and no marker is needed. */
const UNNEEDED: TransactionRetention = { retentionOf: () => 'delete' }

/** A batch at offset 20 of records as 'key=value'; without '=' a tombstone, without a key '=value'. */
function batchOf(texts: readonly string[], options: BatchOptions = {}): RecordBatch {
  const records = texts.map((text, index) => {
    const [key = '', value] = text.split('=')
    return {
      key: key === '' ? null : Buffer.from(key),
      value: value === undefined ? null : Buffer.from(value),
      timestamp: BigInt(NOW - 5000 + index)
    }
  })
  return buildBatch(records, { baseOffset: 20n, partitionLeaderEpoch: 3, ...options })
}

function rules(newest: Record<string, bigint>, changes: Partial<FilterRules> = {}): FilterRules {
  return {
    transactions: new CleanedTransactionMetadata(() => {}),
    newestOffset: key => newest[key.toString()],
    mappedUpTo: 1000n,
    roundEnd: 1000n,
    isLastOfProducer: () => false,
    nowMs: NOW,
    deleteRetentionMs: DAY,
    decompressedLimit: 1 << 20,
    ...changes
  }
}

function linesOf(batch: RecordBatch | undefined) {
  return (
    batch &&
    recordsOf(batch).map(
      ({ offset, key, value }) => `${offset} ${key?.toString() ?? ''}${value === null ? '' : `=${value}`}`
    )
  )
}

describe('records', () => {
  test('records that are the newest of their keys stay, and a batch of only such records is unchanged', () => {
    const batch = batchOf(['a=1', 'b=2'])
    expect(filterBatch(batch, rules({ a: 20n, b: 21n }))).toEqual({ batch, recordsCount: 2 })
    expect(filterBatch(batch, rules({ a: 20n, b: 21n })).batch).toBe(batch)
  })

  test('records with a newer record of their key go, and the others keep their offsets and timestamps', () => {
    const batch = batchOf(['a=1', 'b=2', 'c=3'])
    const { batch: left, recordsCount } = filterBatch(batch, rules({ a: 50n, b: 21n, c: 60n }))
    expect(linesOf(left)).toEqual(['21 b=2'])
    expect(recordsCount).toBe(1)
    expect(left && recordsOf(left)[0]?.timestamp).toBe(BigInt(NOW - 4999))
    expect(left?.hasValidCrc()).toBe(true)
  })

  test('records of keys that are not in the offset map stay', () => {
    const batch = batchOf(['a=1', 'b=2'])
    expect(filterBatch(batch, rules({})).batch).toBe(batch)
  })

  test('records without a key go', () => {
    expect(linesOf(filterBatch(batchOf(['=1', 'b=2']), rules({})).batch)).toEqual(['21 b=2'])
  })

  test('records beyond the mapped offsets stay in any case', () => {
    const batch = batchOf(['a=1', '=2', 'c', 'a=3'])
    const left = filterBatch(batch, rules({ a: 23n }, { mappedUpTo: 21n })).batch
    expect(linesOf(left)).toEqual(['21 =2', '22 c', '23 a=3'])
  })

  test('a batch without any remaining record is removed', () => {
    expect(filterBatch(batchOf(['a=1']), rules({ a: 50n }))).toEqual({ batch: undefined, recordsCount: 0 })
  })
})

describe('a rebuilt batch', () => {
  test('a rebuilt batch keeps its offsets, its producer and its attributes', () => {
    const options = { producerId: 1000n, producerEpoch: 2, baseSequence: 5, codec: 'gzip' } as const
    const batch = batchOf(['a=1', 'b=2', 'c=3'], options)
    const left = filterBatch(batch, rules({ c: 99n })).batch
    expect(linesOf(left)).toEqual(['20 a=1', '21 b=2'])
    expect(left).toMatchObject({
      baseOffset: 20n,
      lastOffset: 22n,
      partitionLeaderEpoch: 3,
      producerId: 1000n,
      producerEpoch: 2,
      baseSequence: 5,
      lastSequence: 7,
      codec: 'gzip',
      timestampType: 'CreateTime',
      recordsCount: 2
    })
  })

  test('a rebuilt batch has the largest timestamp of its remaining records, but keeps LogAppendTime', () => {
    const byProducer = filterBatch(batchOf(['a=1', 'b=2', 'c=3']), rules({ c: 99n })).batch
    expect(byProducer?.maxTimestamp).toBe(BigInt(NOW - 4999))
    const stamped = batchOf(['a=1', 'b=2', 'c=3'], { timestampType: 'LogAppendTime', maxTimestamp: BigInt(NOW) })
    const byBroker = filterBatch(stamped, rules({ c: 99n })).batch
    expect(byBroker).toMatchObject({ maxTimestamp: BigInt(NOW), timestampType: 'LogAppendTime' })
    expect(byBroker && recordsOf(byBroker).map(({ timestamp }) => timestamp)).toEqual([BigInt(NOW), BigInt(NOW)])
  })
})

describe('tombstones', () => {
  test('tombstones get a delete horizon in their first round and keep their timestamps', () => {
    const batch = batchOf(['a=1', 'b'])
    const { batch: left, recordsCount } = filterBatch(batch, rules({}))
    expect(left?.deleteHorizonMs).toBe(BigInt(NOW + DAY))
    expect(left?.baseTimestamp).toBe(BigInt(NOW + DAY))
    expect(recordsCount).toBe(2)
    expect(left && recordsOf(left).map(({ timestamp }) => timestamp)).toEqual([BigInt(NOW - 5000), BigInt(NOW - 4999)])
    expect(left?.maxTimestamp).toBe(BigInt(NOW - 4999))
  })

  test('tombstones stay before the delete horizon and go from it on', () => {
    const batch = batchOf(['a=1', 'b'], { deleteHorizonMs: BigInt(NOW) })
    expect(filterBatch(batch, rules({}, { nowMs: NOW - 1 })).batch).toBe(batch)
    const left = filterBatch(batch, rules({})).batch
    expect(linesOf(left)).toEqual(['20 a=1'])
    expect(left?.deleteHorizonMs).toBe(BigInt(NOW))
  })

  test('tombstones with a newer record of their key go at once', () => {
    expect(filterBatch(batchOf(['b']), rules({ b: 50n })).batch).toBeUndefined()
  })
})

describe('a batch without records', () => {
  const headerOf = (changes: Partial<FilterRules>, options: BatchOptions = {}) =>
    filterBatch(batchOf(['a=1', 'b=2'], { producerId: 7n, producerEpoch: 0, baseSequence: 0, ...options }), {
      ...rules({ a: 50n, b: 51n }),
      ...changes
    })

  test('a batch without records stays as the last batch of its producer', () => {
    const { batch, recordsCount } = headerOf({ isLastOfProducer: ({ lastOffset }) => lastOffset === 21n })
    expect(recordsCount).toBe(0)
    expect(batch?.bytes).toHaveLength(61)
    expect(batch).toMatchObject({ lastOffset: 21n, lastSequence: 1, recordsCount: 0, baseTimestamp: -1n })
    expect(batch?.maxTimestamp).toBe(BigInt(NOW - 4999))
  })

  test('a batch without records and without a producer id goes, even if it counts as a last batch', () => {
    const nobody = { producerId: -1n, producerEpoch: -1, baseSequence: -1 }
    expect(headerOf({ isLastOfProducer: () => true }, nobody).batch).toBeUndefined()
  })

  test('a batch without records stays as the last of the round and goes in the next round', () => {
    const header = headerOf({ roundEnd: 22n }).batch
    expect(header).toMatchObject({ lastOffset: 21n, recordsCount: 0 })
    if (!header) throw new Error('there is a header')
    expect(filterBatch(header, rules({}, { roundEnd: 22n })).batch?.bytes).toEqual(header.bytes)
    expect(filterBatch(header, rules({})).batch).toBeUndefined()
  })

  test("a batch without records has Kafka's bytes", () => {
    const batch = buildBatch(
      Array.from({ length: 5 }, (_, index) => ({
        key: Buffer.from(`k${index}`),
        value: Buffer.from('v'),
        timestamp: 0x18bcfe56800n
      })),
      {
        baseOffset: 20n,
        producerId: 1000n,
        producerEpoch: 1,
        baseSequence: 5,
        isTransactional: true,
        partitionLeaderEpoch: 0,
        codec: 'lz4',
        deleteHorizonMs: 5n
      }
    )
    const header = filterBatch(batch, rules({}, { transactions: UNNEEDED, roundEnd: 25n })).batch
    expect(header?.bytes.toString('hex')).toBe(
      '0000000000000014' +
        '00000031' +
        '00000000' +
        '02' +
        'ef26b0da' +
        '0010' +
        '00000004' +
        'ffffffffffffffff' +
        '0000018bcfe56800' +
        '00000000000003e8' +
        '0001' +
        '00000005' +
        '00000000'
    )
  })
})

describe('transactions', () => {
  const marker = (options: BatchOptions = {}) => {
    const { bytes } = buildEndTxnMarker({
      producerId: 7n,
      producerEpoch: 0,
      result: 'COMMIT',
      coordinatorEpoch: 0,
      timestamp: BigInt(NOW)
    })
    const records = recordsOf(new RecordBatch(bytes))
    return buildBatch(records, { producerId: 7n, producerEpoch: 0, isTransactional: true, isControl: true, ...options })
  }

  test('records of committed transactions are compacted, and their marker stays as long as they have data', () => {
    const transactions = new CleanedTransactionMetadata(() => {})
    const data = batchOf(['a=1', 'b=2'], { producerId: 7n, producerEpoch: 0, isTransactional: true })
    expect(linesOf(filterBatch(data, rules({ a: 50n, b: 21n }, { transactions })).batch)).toEqual(['21 b=2'])
    const control = marker({ deleteHorizonMs: 1n })
    expect(filterBatch(control, rules({}, { transactions })).batch).toBe(control)
    expect(filterBatch(control, rules({}, { transactions })).batch).toBeUndefined()
  })

  test('records of aborted transactions go at once', () => {
    const data = batchOf(['a=1'], { producerId: 7n, producerEpoch: 0, isTransactional: true })
    expect(filterBatch(data, rules({}, { transactions: UNNEEDED })).batch).toBeUndefined()
  })

  test('a marker that is not needed gets a delete horizon and goes after it', () => {
    const transactions = UNNEEDED
    const first = filterBatch(marker(), rules({}, { transactions })).batch
    expect(first?.deleteHorizonMs).toBe(BigInt(NOW + DAY))
    if (!first) throw new Error('the marker stays')
    expect(filterBatch(first, rules({}, { transactions })).batch).toBe(first)
    expect(filterBatch(first, rules({}, { transactions, nowMs: NOW + DAY })).batch).toBeUndefined()
  })
})
