import { describe, expect, test } from 'vitest'
import { KafkaError } from '../../../src/protocol/errors.ts'
import { RecordBatch } from '../../../src/protocol/records/batch.ts'
import { buildBatch } from '../../../src/protocol/records/builder.ts'
import { RecordWalker, recordsOf } from '../../../src/protocol/records/record.ts'
import { seededRandom } from '../../../src/runtime/random.ts'
import { ABORT_MARKER, BY_CODEC, hex, TRANSACTIONAL } from './vectors.ts'

const invalidRecord = expect.objectContaining({ code: 'INVALID_RECORD' })

/** An uncompressed batch with the given records, byte by byte. */
function batchOf(recordsCount: number, records: Buffer): RecordBatch {
  const { bytes } = buildBatch([])
  const batch = new RecordBatch(Buffer.concat([bytes, records]))
  batch.bytes.writeInt32BE(batch.bytes.length - 12, 8)
  batch.bytes.writeInt32BE(recordsCount, 57)
  batch.seal()
  return batch
}

describe('the records of a batch', () => {
  test('from Kafka are read', () => {
    expect(recordsOf(new RecordBatch(TRANSACTIONAL))).toEqual([
      {
        offset: 0n,
        timestamp: 1700000000000n,
        key: Buffer.from('k'),
        value: Buffer.from('v'),
        headers: [{ key: 'h', value: Buffer.from('x') }],
        sequence: 0
      },
      { offset: 1n, timestamp: 1700000000010n, key: null, value: null, headers: [], sequence: 1 }
    ])
  })

  test('of a transaction marker have no sequence', () => {
    expect(recordsOf(new RecordBatch(ABORT_MARKER))).toMatchObject([
      { offset: 15n, key: hex('00000000'), sequence: -1 }
    ])
  })

  test.each(Object.entries(BY_CODEC))('that Kafka compressed with %s are read', (_, bytes) => {
    const records = recordsOf(new RecordBatch(bytes))
    expect(records.map(record => String(record.key))).toEqual(['key-0', 'key-1', 'key-2', 'key-3'])
    expect(records.map(record => record.timestamp)).toEqual([0n, 1n, 2n, 3n].map(delta => 1700000000000n + delta))
    expect(records.map(record => record.sequence)).toEqual([5, 6, 7, 8])
    expect(records.every(record => String(record.value) === 'the same value again and again and again')).toBe(true)
    expect(records[0]?.headers).toEqual([
      { key: 'h', value: hex('0102') },
      { key: 'n', value: null }
    ])
  })

  test('have the time of the append in a LogAppendTime batch', () => {
    const batch = new RecordBatch(Buffer.from(TRANSACTIONAL))
    batch.setMaxTimestamp('LogAppendTime', 5n)
    expect(recordsOf(batch).map(record => record.timestamp)).toEqual([5n, 5n])
  })

  test('keep timestamps beyond the safe integers', () => {
    const largest = 2n ** 63n - 1n
    const timestamps = [0n, largest, -largest, 9007199254740993n, -1n, 2n ** 48n]
    const batch = buildBatch(timestamps.map(timestamp => ({ timestamp, key: null, value: null })))
    expect(recordsOf(batch).map(record => record.timestamp)).toEqual(timestamps)
  })

  test('are views on the batch, without a copy', () => {
    const [first] = recordsOf(new RecordBatch(TRANSACTIONAL))
    expect(first?.key?.buffer).toBe(TRANSACTIONAL.buffer)
  })

  test('are none in a batch that compaction emptied', () => {
    expect(recordsOf(buildBatch([], { codec: 'zstd' }))).toEqual([])
  })

  test('of a legacy message are refused with a clear message', () => {
    const bytes = Buffer.from(TRANSACTIONAL)
    bytes.writeInt8(1, 16)
    expect(() => recordsOf(new RecordBatch(bytes))).toThrow(/magic 1/)
  })
})

describe('a walk through records', () => {
  test('shows sizes and keys without record objects', () => {
    const walker = new RecordWalker(new RecordBatch(TRANSACTIONAL))
    expect(walker.next()).toBe(true)
    expect(walker).toMatchObject({
      sizeInBytes: 13,
      keyLength: 1,
      valueLength: 1,
      headersCount: 1,
      timestamp: 1700000000000
    })
    expect(walker.next()).toBe(true)
    expect(walker).toMatchObject({ sizeInBytes: 7, offsetDelta: 1, keyLength: -1, valueLength: -1 })
    expect(walker.next()).toBe(false)
    expect(walker.next()).toBe(false)
  })

  test('reads records that span many pieces of decompressed bytes', () => {
    const random = seededRandom(3)
    const records = Array.from({ length: 40 }, (_, index) => ({
      timestamp: BigInt(index),
      key: Buffer.from(`key ${index}`),
      value: random.bytes(index * 10_000),
      headers: [{ key: 'index', value: Buffer.from([index]) }]
    }))
    for (const codec of ['gzip', 'snappy', 'lz4', 'zstd'] as const) {
      const read = recordsOf(buildBatch(records, { codec }))
      expect(read.map(record => record.headers)).toEqual(records.map(record => record.headers))
      expect(read.map(record => String(record.key))).toEqual(records.map(record => String(record.key)))
      expect(read.every((record, index) => records[index]?.value.equals(record.value ?? Buffer.alloc(0)))).toBe(true)
    }
  })

  test('can stop early: bytes after the limit are not reached', () => {
    const records = Array.from({ length: 100 }, () => ({ timestamp: 0n, key: null, value: Buffer.alloc(100_000) }))
    const walker = new RecordWalker(buildBatch(records, { codec: 'zstd' }), 1_000_000)
    for (let index = 0; index < 5; index++) expect(walker.next()).toBe(true)
    expect(() => {
      while (walker.next());
    }).toThrow(expect.objectContaining({ code: 'MESSAGE_TOO_LARGE' }))
  })

  test('ends when its walker is closed or has failed', () => {
    const records = Array.from({ length: 100 }, () => ({ timestamp: 0n, key: null, value: Buffer.alloc(10_000) }))
    const closed = new RecordWalker(buildBatch(records, { codec: 'zstd' }))
    expect(closed.next()).toBe(true)
    closed.close()
    expect(closed.next()).toBe(false)
    const failed = new RecordWalker(buildBatch(records, { codec: 'zstd' }), 500_000)
    expect(() => {
      while (failed.next());
    }).toThrow()
    expect(failed.next()).toBe(false)
  })
})

describe('invalid records', () => {
  // length 6: attributes, timestamp delta, offset delta, null key, null value, no headers
  const plain = '0c 00 00 00 01 01 00'

  test.each([
    ['a negative count', -1, plain],
    ['fewer records than counted', 2, plain],
    ['records left over', 1, `${plain} ${plain}`],
    ['a byte left over', 1, `${plain} 00`],
    ['a body shorter than its length', 1, '0e 00 00 00 01 01 00 00'],
    ['a body longer than its length', 1, `0a 00 00 00 01 01 00 ${plain}`],
    ['a length beyond the batch', 1, '10 00 00 00 01 01 00'],
    ['a negative length', 1, '01 00 00 00 01 01 00'],
    ['a length that never ends', 1, 'ff ff ff ff ff ff'],
    ['a timestamp that never ends', 1, '1c 00 ff ff ff ff ff ff ff ff ff ff ff ff ff'],
    ['a key beyond the record', 1, '0c 00 00 00 20 01 00'],
    ['a key of 2 GiB', 1, '14 00 00 00 fe ff ff ff 0f 01 00'],
    ['a negative number of headers', 1, '0c 00 00 00 01 01 01'],
    ['more headers than bytes', 1, '0c 00 00 00 01 01 20'],
    ['a header with a negative key', 1, '10 00 00 00 01 01 02 01 01'],
    ['a header beyond the record', 1, '10 00 00 00 01 01 02 02 01']
  ])('%s', (_, count, bytes) => {
    expect(() => recordsOf(batchOf(count, hex(bytes)))).toThrow(invalidRecord)
  })

  test('a null length can be any negative number, as in Kafka', () => {
    expect(recordsOf(batchOf(1, hex('0c 00 00 00 03 05 00')))).toMatchObject([{ key: null, value: null }])
  })

  test('records are refused when they are cut off at any byte', () => {
    const { recordBytes } = new RecordBatch(TRANSACTIONAL)
    for (let length = 0; length < recordBytes.length; length++) {
      expect(() => recordsOf(batchOf(2, recordBytes.subarray(0, length))), `cut at ${length}`).toThrow(invalidRecord)
    }
  })

  test.each(Object.entries(BY_CODEC))('%s is refused when it is cut off at any byte', (_, bytes) => {
    for (let length = 61; length < bytes.length; length++) {
      expect(() => recordsOf(new RecordBatch(bytes.subarray(0, length))), `cut at ${length}`).toThrow(KafkaError)
    }
  })

  test.each(Object.entries(BY_CODEC))(
    '%s with flipped bits is read or refused with the same kind of error',
    (_, bytes) => {
      const random = seededRandom(4)
      for (let round = 0; round < 2000; round++) {
        const damaged = Buffer.from(bytes)
        const at = 61 + random.below(damaged.length - 61)
        damaged.writeUInt8(random.below(256), at)
        try {
          recordsOf(new RecordBatch(damaged), 1 << 20)
        } catch (error) {
          expect(error, `byte ${at} of ${damaged.toString('hex')}`).toBeInstanceOf(KafkaError)
        }
      }
    }
  )
})
