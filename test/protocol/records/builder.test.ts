import { describe, expect, test } from 'vitest'
import { RecordBatch } from '../../../src/protocol/records/batch.ts'
import { buildBatch } from '../../../src/protocol/records/builder.ts'
import type { NewRecord } from '../../../src/protocol/records/encoding.ts'
import { recordsOf } from '../../../src/protocol/records/record.ts'
import { seededRandom } from '../../../src/runtime/random.ts'
import { BY_CODEC, TRANSACTIONAL } from './vectors.ts'

const plain = (timestamp: bigint): NewRecord => ({ timestamp, key: null, value: null })

describe('buildBatch', () => {
  test('writes the same bytes as Kafka', () => {
    const built = buildBatch(recordsOf(new RecordBatch(TRANSACTIONAL)), {
      producerId: 1000n,
      producerEpoch: 1,
      baseSequence: 0,
      isTransactional: true,
      partitionLeaderEpoch: 0
    })
    expect(built.bytes).toEqual(TRANSACTIONAL)
    const records = recordsOf(new RecordBatch(BY_CODEC.none))
    expect(buildBatch(records, { producerId: 1000n, producerEpoch: 1, baseSequence: 5 }).bytes).toEqual(BY_CODEC.none)
  })

  test.each(['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const)('round-trips any records through %s', codec => {
    const random = seededRandom(5)
    const bytes = () => (random.below(4) === 0 ? null : random.bytes(random.below(300)))
    for (let round = 0; round < 50; round++) {
      const records = Array.from({ length: random.below(20) }, (_, index) => ({
        offset: BigInt(index),
        timestamp: random.bytes(8).readBigInt64BE() >> BigInt(random.below(64)),
        key: bytes(),
        value: bytes(),
        headers: Array.from({ length: random.below(3) }, () => ({
          key: random.bytes(4).toString('hex'),
          value: bytes()
        }))
      }))
      const batch = buildBatch(records, { codec })
      expect(batch.hasValidCrc()).toBe(true)
      expect(batch).toMatchObject({ codec, recordsCount: records.length, sizeInBytes: batch.bytes.length })
      expect(recordsOf(batch)).toEqual(records.map(record => ({ ...record, sequence: -1 })))
    }
  })

  test('numbers records from the base offset and keeps given offsets', () => {
    const batch = buildBatch([plain(5n), plain(3n)], { baseOffset: 10n })
    expect(recordsOf(batch).map(record => record.offset)).toEqual([10n, 11n])
    expect(batch).toMatchObject({ baseTimestamp: 5n, maxTimestamp: 5n, lastOffset: 11n })
    const sparse = buildBatch(
      [
        { ...plain(0n), offset: 12n },
        { ...plain(0n), offset: 15n }
      ],
      {
        baseOffset: 10n,
        lastOffsetDelta: 9
      }
    )
    expect(recordsOf(sparse).map(record => record.offset)).toEqual([12n, 15n])
    expect(sparse).toMatchObject({ baseOffset: 10n, lastOffset: 19n, recordsCount: 2 })
  })

  test('encodes timestamps relative to the delete horizon if there is one', () => {
    const batch = buildBatch([plain(100n), plain(90n)], { deleteHorizonMs: 95n })
    expect(batch).toMatchObject({ deleteHorizonMs: 95n, baseTimestamp: 95n, maxTimestamp: 100n })
    expect(recordsOf(batch).map(record => record.timestamp)).toEqual([100n, 90n])
  })

  test('makes a batch without records and without a timestamp', () => {
    const batch = buildBatch([], {
      baseOffset: 4n,
      lastOffsetDelta: 3,
      producerId: 9n,
      producerEpoch: 2,
      baseSequence: 1
    })
    expect(batch).toMatchObject({
      sizeInBytes: 61,
      recordsCount: 0,
      lastOffset: 7n,
      baseTimestamp: -1n,
      maxTimestamp: -1n
    })
    expect(batch.hasValidCrc()).toBe(true)
  })

  test('sets every attribute', () => {
    const options = {
      timestampType: 'LogAppendTime',
      maxTimestamp: 50n,
      isControl: true,
      isTransactional: true
    } as const
    const batch = buildBatch([plain(0n)], { ...options, partitionLeaderEpoch: 3 })
    expect(batch).toMatchObject({ ...options, partitionLeaderEpoch: 3 })
  })
})
