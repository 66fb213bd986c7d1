// The form of an appended batch, by the settings of its topic.
import { describe, expect, test } from 'vitest'
import { buildBatch } from '../../../src/protocol/records/builder.ts'
import { recordsOf } from '../../../src/protocol/records/record.ts'
import { seededRandom } from '../../../src/runtime/random.ts'
import { NOW, record, refusal, threeRecords, validate } from './validator-fixture.ts'

describe('the form of an appended batch', () => {
  test('a batch gets its offsets in place if no compression is needed', () => {
    for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const) {
      const batch = buildBatch(threeRecords, { codec })
      const before = Buffer.from(batch.bytes)
      const compressionType = codec === 'none' ? 'uncompressed' : codec
      expect(validate(batch, { compressionType })).toBe(batch)
      expect(batch.bytes).toEqual(before)
    }
  })

  test('a batch gets the largest timestamp of its records', () => {
    const batch = buildBatch(threeRecords, { maxTimestamp: 5n, timestampType: 'CreateTime' })
    expect(validate(batch).maxTimestamp).toBe(BigInt(NOW + 20))
    expect(batch.hasValidCrc()).toBe(true)
  })

  test('a batch loses its LogAppendTime attribute on a topic with CreateTime', () => {
    const batch = buildBatch(threeRecords, { timestampType: 'LogAppendTime', maxTimestamp: BigInt(NOW) })
    expect(validate(batch)).toMatchObject({ timestampType: 'CreateTime', maxTimestamp: BigInt(NOW) })
  })

  test('a batch gets LogAppendTime in place', () => {
    const batch = buildBatch(threeRecords, { codec: 'lz4' })
    expect(validate(batch, { timestampType: 'LogAppendTime' })).toBe(batch)
    expect(batch).toMatchObject({ timestampType: 'LogAppendTime', maxTimestamp: BigInt(NOW) })
    expect(batch.hasValidCrc()).toBe(true)
    expect(recordsOf(batch).every(({ timestamp }) => timestamp === BigInt(NOW))).toBe(true)
  })

  test.each([
    ['none', 'gzip'],
    ['none', 'zstd'],
    ['gzip', 'uncompressed'],
    ['snappy', 'lz4'],
    ['zstd', 'snappy']
  ] as const)('a batch of another codec is rebuilt: %s to %s', (codec, compressionType) => {
    const options = { codec, producerId: 7n, producerEpoch: 3, baseSequence: 9, isTransactional: true } as const
    const batch = buildBatch(threeRecords, options)
    const stored = validate(batch, { compressionType })
    expect(stored).toMatchObject({
      ...options,
      codec: compressionType === 'uncompressed' ? 'none' : compressionType,
      baseOffset: 0n,
      lastOffsetDelta: 2,
      baseTimestamp: BigInt(NOW),
      maxTimestamp: BigInt(NOW + 20)
    })
    expect(stored.hasValidCrc()).toBe(true)
    expect(recordsOf(stored)).toEqual(recordsOf(batch))
  })

  test('a batch of another codec is rebuilt with LogAppendTime', () => {
    const stored = validate(buildBatch(threeRecords), { compressionType: 'gzip', timestampType: 'LogAppendTime' })
    expect(stored).toMatchObject({ codec: 'gzip', timestampType: 'LogAppendTime', maxTimestamp: BigInt(NOW) })
  })

  test('a batch is compressed at the level of the topic', () => {
    const batch = buildBatch([record({ value: Buffer.from(seededRandom(1).bytes(40_000).toString('hex')) })])
    const sizes = [1, 9].map(
      gzip => validate(batch, { compressionType: 'gzip', compressionLevels: { gzip } }).sizeInBytes
    )
    expect(sizes[1]).toBeLessThan(sizes[0] ?? 0)
  })

  test('a rebuilt batch has dense offsets, which some clients do not send in compressed batches', () => {
    const sparse = threeRecords.map((each, index) => ({ ...each, offset: BigInt(index * 5) }))
    const batch = buildBatch(sparse, { codec: 'gzip', lastOffsetDelta: 2 })
    const stored = validate(batch, { compressionType: 'zstd' })
    expect(recordsOf(stored).map(({ offset }) => offset)).toEqual([0n, 1n, 2n])
    expect(refusal(batch).code).toBe('UNKNOWN_SERVER_ERROR')
  })

  test.each([
    ['of a negative time', buildBatch([record({ timestamp: -2n })])],
    [
      'of a producer without an epoch',
      buildBatch(threeRecords, { producerId: 7n, producerEpoch: -1, baseSequence: 0 })
    ],
    ['of a producer that is none', buildBatch(threeRecords, { producerId: -7n })],
    ['of a transaction without a producer', buildBatch(threeRecords, { isTransactional: true })]
  ])('a batch cannot be rebuilt %s, though it could stay as it is', (_, batch) => {
    expect(() => validate(batch)).not.toThrow()
    expect(refusal(batch, { compressionType: 'gzip' }).code).toBe('UNKNOWN_SERVER_ERROR')
  })

  test('a rebuilt batch may be too large', () => {
    const batch = buildBatch([record({ value: Buffer.alloc(100_000) })], { codec: 'gzip' })
    expect(refusal(batch, { compressionType: 'uncompressed', maxMessageBytes: 50_000 }).code).toBe('MESSAGE_TOO_LARGE')
  })
})
