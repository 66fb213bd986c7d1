/** Transactions in dumps: a line for each, the records of the transaction coordinator, and the findings of --verify. */
import { describe, expect, it } from 'vitest'
import { dumpTransactions } from '../../../src/dump/checks/transactions.ts'
import { verify } from '../../../src/dump/checks/verify.ts'
import { txnDecoder } from '../../../src/dump/formats/coordinator-decoder.ts'
import { jsonOf, textOf } from '../../../src/dump/items.ts'
import { encodeSnapshot, type ProducerEntry } from '../../../src/idempotence/producer-snapshot.ts'
import { type AbortedTxn, TransactionIndex } from '../../../src/log/segment/transaction-index.ts'
import type { KeyValue } from '../../../src/protocol/keyed-record.ts'
import type { RecordBatch } from '../../../src/protocol/records/batch.ts'
import { buildBatch } from '../../../src/protocol/records/builder.ts'
import { buildEndTxnMarker, type TxnResult } from '../../../src/protocol/records/control.ts'
import type { MemoryStorage } from '../../../src/storage/memory-storage.ts'
import { encodeRecord, tombstone } from '../../../src/txn/records.ts'
import { hex } from '../../protocol/records/vectors.ts'
import { options, segment } from '../folder.ts'

/** A log that tests append to batch by batch. */
class Written {
  readonly batches: RecordBatch[] = []
  #nextOffset: bigint

  constructor(nextOffset = 0n) {
    this.#nextOffset = nextOffset
  }

  data(
    producerId: bigint,
    baseSequence: number,
    given: { producerEpoch?: number; isTransactional?: boolean } = {}
  ): this {
    const records = [1, 2].map(() => ({ key: null, value: Buffer.from('v'), timestamp: 1000n + this.#nextOffset }))
    return this.#add(
      buildBatch(records, { producerId, producerEpoch: 0, baseSequence, isTransactional: true, ...given })
    )
  }

  marker(producerId: bigint, result: TxnResult, producerEpoch = 0): this {
    const timestamp = 1000n + this.#nextOffset
    return this.#add(buildEndTxnMarker({ producerId, producerEpoch, result, coordinatorEpoch: 0, timestamp }))
  }

  storage(aborted: readonly AbortedTxn[] = [], baseOffset = 0n): MemoryStorage {
    const storage = segment(this.batches, baseOffset)
    const index = new TransactionIndex(storage, `t-0/${String(baseOffset).padStart(20, '0')}.txnindex`)
    for (const transaction of aborted) index.add(transaction)
    return storage
  }

  #add(batch: RecordBatch): this {
    batch.stamp(this.#nextOffset, 0)
    this.#nextOffset = batch.nextOffset
    this.batches.push(batch)
    return this
  }
}

const ABORTED: AbortedTxn = { producerId: 5n, firstOffset: 0n, lastOffset: 4n, lastStableOffset: 2n }
/** Interleaved transactions of producers 5 and 6: aborted and committed. Then an open one of producer 5. */
const story = () => new Written().data(5n, 0).data(6n, 0).marker(5n, 'ABORT').marker(6n, 'COMMIT').data(5n, 2)
const found = (storage: MemoryStorage) => [...verify(storage, ['t-0'], options())].map(textOf)
const SOUND = expect.stringMatching(/no problems found$/)

describe('the view of transactions', () => {
  it('the view has a line for each transaction, in the order of their ends, and then the open ones', () => {
    const items = [...dumpTransactions(story().storage(), ['t-0'], options())]
    const rest = (first: number, last: number) => `firstOffset: OptionalLong[${first}] lastOffset: ${last} records: 2`
    expect(items.map(textOf)).toEqual([
      'Transactions in t-0',
      `producerId: 5 producerEpoch: 0 ${rest(0, 4)} result: ABORT beganAt: 1000 durationMs: OptionalLong[4]`,
      `producerId: 6 producerEpoch: 0 ${rest(2, 5)} result: COMMIT beganAt: 1002 durationMs: OptionalLong[3]`,
      `producerId: 5 producerEpoch: 0 ${rest(6, 7)} result: OPEN beganAt: 1006 durationMs: OptionalLong.empty`
    ])
    expect(jsonOf(items[3] ?? { kind: 'note', pairs: [] })).toBe(
      '{"kind":"entry","producerId":5,"producerEpoch":0,"firstOffset":6,"lastOffset":7,"records":2,"result":"OPEN","beganAt":1006,"durationMs":null}'
    )
  })

  it('the view follows a transaction over segments, and shows a marker whose data is gone', () => {
    const first = new Written().data(5n, 0)
    const second = new Written(2n).data(5n, 2).marker(5n, 'COMMIT', 1).marker(7n, 'ABORT')
    const storage = first.storage()
    storage.append('t-0/00000000000000000002.log', Buffer.concat(second.batches.map(({ bytes }) => bytes)))
    const lines = [...dumpTransactions(storage, ['t-0'], options())].map(textOf)
    expect(lines[1]).toMatch(/^producerId: 5 producerEpoch: 0 firstOffset: OptionalLong\[0\] lastOffset: 4 records: 4/)
    expect(lines[2]).toMatch(/^producerId: 7 .*firstOffset: OptionalLong.empty lastOffset: 5 records: 0 result: ABORT/)
  })

  it('the view reports the position of damage in a log, and continues after it', () => {
    const storage = story().storage()
    const [path, position] = ['t-0/00000000000000000000.log', story().batches[0]?.sizeInBytes ?? 0]
    const bytes = Buffer.from(storage.read(path, 0, storage.size(path)))
    bytes.writeInt8(7, position + 16)
    storage.truncate(path, 0)
    storage.append(path, bytes)
    const lines = [...dumpTransactions(storage, ['t-0'], options())].map(textOf)
    expect(lines[0]).toMatch(
      /\.log: position \d+: the magic 7 is unknown; valid are 0, 1 and 2; .* to the next complete batch$/
    )
    expect(lines.slice(2).map(line => /result: \w+/.exec(line)?.[0])).toEqual([
      'result: ABORT',
      'result: COMMIT',
      'result: OPEN'
    ])
  })

  it('the view shows the transactions of one producer or offset range, and no partition without any', () => {
    const lines = (filter: object) => [...dumpTransactions(story().storage(), ['t-0'], options({ filter }))].map(textOf)
    expect(lines({ producerId: 6n })).toHaveLength(2)
    expect(lines({ fromOffset: 6n })).toHaveLength(2)
    expect(lines({ producerId: 9n })).toEqual([])
  })
})

describe('verifying transactions', () => {
  it('verification finds no error if each transaction is ended or open and the index has the aborted ones', () => {
    expect(found(story().storage([ABORTED]))).toEqual([SOUND])
  })

  it.each([
    ['is missing', [], /aborted at offset 4, is missing in t-0\/0{20}\.txnindex/],
    ['names another producer', [{ ...ABORTED, producerId: 6n }], /has the first offset 0, but .* has producer 6/],
    ['begins elsewhere', [{ ...ABORTED, firstOffset: 1n }], /has the first offset 0, but .* from offset 1/],
    ['makes too much stable', [{ ...ABORTED, lastStableOffset: 5n }], /has the last stable offset 2, but .* has 5/],
    ['has no marker', [{ ...ABORTED, lastOffset: 3n }, ABORTED], /no abort marker at offset 3/],
    ['comes after the end', [ABORTED, { ...ABORTED, lastOffset: 9n }], /no abort marker at offset 9/],
    ['is of a committed one', [ABORTED, { ...ABORTED, lastOffset: 5n }], /no abort marker at offset 5/]
  ])('verification finds an entry that %s', (_, entries, message) => {
    expect(found(story().storage(entries))[0]).toMatch(message)
  })

  it('verification finds batches between a transaction and its end that do not belong there', () => {
    const other = new Written().data(5n, 0).data(5n, 2, { isTransactional: false })
    expect(found(other.storage())[0]).toMatch(/open transaction from offset 0, but this batch is not transactional/)
    const later = new Written().data(5n, 0).data(5n, 0, { producerEpoch: 1 })
    expect(found(later.storage())[0]).toMatch(/with epoch 0, but this batch has epoch 1/)
  })

  it('verification accepts markers of transactions whose data retention or compaction has removed', () => {
    const entry = { producerId: 5n, firstOffset: 3n, lastOffset: 10n, lastStableOffset: 11n }
    const left = new Written(10n).marker(5n, 'ABORT').marker(6n, 'COMMIT').marker(7n, 'ABORT')
    expect(found(left.storage([entry], 10n))).toEqual([SOUND])
  })

  const snapshot = (currentTxnFirstOffset: bigint) => {
    const storage = story().storage([ABORTED])
    const entry: ProducerEntry = {
      ...{ producerId: 5n, producerEpoch: 0, lastSequence: 3, lastOffset: 7n, offsetDelta: 1, timestamp: 1006n },
      ...{ coordinatorEpoch: 0, currentTxnFirstOffset }
    }
    storage.append('t-0/00000000000000000008.snapshot', encodeSnapshot([entry]))
    return found(storage)
  }

  it('verification compares the open transactions of snapshots', () => {
    expect(snapshot(6n)).toEqual([SOUND])
    expect(snapshot(-1n)[0]).toMatch(/producer 5 has no open transaction, but one from offset 6 in the log/)
    expect(snapshot(7n)[0]).toMatch(/has an open transaction from offset 7, but one from offset 6 in the log/)
  })
})

describe('the records of __transaction_state', () => {
  const shown = ({ key, value }: KeyValue) =>
    txnDecoder({ offset: 3n, key, value }).map(([label, decoded]) => `${label}: ${textOfValue(decoded)}`)
  const textOfValue = (decoded: unknown) =>
    typeof decoded === 'object' && decoded !== null && 'text' in decoded ? decoded.text : decoded

  it('the records are printed as by Kafka, with types and versions as text', () => {
    const key = hex('0000 0002 7478')
    const value = hex(`0001 00000000000003e8 0001 0000ea60 01 02 04 666f6f 02 00000000 00
      0000018bcfe56801 0000018bcfe56800 01 02 02 0002`)
    expect(shown({ key, value })).toEqual([
      'key: {"type":"0","data":{"transactionalId":"tx"}}',
      'payload: {"version":"1","data":{"producerId":1000,"producerEpoch":1,"transactionTimeoutMs":60000,' +
        '"transactionStatus":1,"transactionPartitions":[{"topic":"foo","partitionIds":[0]}],' +
        '"transactionLastUpdateTimestampMs":1700000000001,"transactionStartTimestampMs":1700000000000,' +
        '"clientTransactionVersion":2}}'
    ])
  })

  it('the records may be tombstones, of an unknown type, or not be records of the topic at all', () => {
    expect(shown(encodeRecord(tombstone('tx'), 2))[1]).toBe('payload: <DELETE>')
    expect(shown({ key: hex('0007'), value: null })).toEqual(['key: Unknown record type 7 at offset 3, skipping.'])
    expect(shown({ key: hex('00'), value: null })[0]).toMatch(/^key: Error at offset 3, skipping\. /)
    expect(shown({ key: hex('0000 0002 7478'), value: hex('0009') })[0]).toMatch(/^key: Error at offset 3/)
    expect(() => txnDecoder({ offset: 3n, key: null, value: null })).toThrow(/no key/)
  })
})
