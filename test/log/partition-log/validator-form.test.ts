// The form that a batch gets by the settings of its topic.
import { describe, expect, test } from 'vitest'
import { buildBatch } from '../../../src/protocol/records/builder.ts'
import { recordsOf } from '../../../src/protocol/records/record.ts'
import { seededRandom } from '../../../src/runtime/random.ts'
import { NOW, record, refusal, threeRecords, validate } from './validator-fixture.ts'

describe("the topic's form", () => {
  test('is reached in place where nothing needs compressing', () => {
    for (const codec of ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const) {
      const batch = buildBatch(threeRecords, { codec })
      const before = Buffer.from(batch.bytes)
      const compressionType = codec === 'none' ? 'uncompressed' : codec
      expect(validate(batch, { compressionType })).toBe(batch)
      expect(batch.bytes).toEqual(before)
    }
  })

  test('has the largest timestamp that the records really have', () => {
    const batch = buildBatch(threeRecords, { maxTimestamp: 5n, timestampType: 'CreateTime' })
    expect(validate(batch).maxTimestamp).toBe(BigInt(NOW + 20))
    expect(batch.hasValidCrc()).toBe(true)
  })

  test('clears a claim of LogAppendTime', () => {
    const batch = buildBatch(threeRecords, { timestampType: 'LogAppendTime', maxTimestamp: BigInt(NOW) })
    expect(validate(batch)).toMatchObject({ timestampType: 'CreateTime', maxTimestamp: BigInt(NOW) })
  })

  test('with LogAppendTime has our time, in place', () => {
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
  ] as const)('of another codec is a new batch: %s to %s', (codec, compressionType) => {
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

  test('of another codec, with LogAppendTime', () => {
    const stored = validate(buildBatch(threeRecords), { compressionType: 'gzip', timestampType: 'LogAppendTime' })
    expect(stored).toMatchObject({ codec: 'gzip', timestampType: 'LogAppendTime', maxTimestamp: BigInt(NOW) })
  })

  test('is compressed at the level that the topic sets', () => {
    const batch = buildBatch([record({ value: Buffer.from(seededRandom(1).bytes(40_000).toString('hex')) })])
    const sizes = [1, 9].map(
      gzip => validate(batch, { compressionType: 'gzip', compressionLevels: { gzip } }).sizeInBytes
    )
    expect(sizes[1]).toBeLessThan(sizes[0] ?? 0)
  })

  test('has dense offsets, which some clients do not send in compressed batches', () => {
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
  ])('cannot be built %s, though it could stay as it is', (_, batch) => {
    expect(() => validate(batch)).not.toThrow()
    expect(refusal(batch, { compressionType: 'gzip' }).code).toBe('UNKNOWN_SERVER_ERROR')
  })

  test('may have become too large by it', () => {
    const batch = buildBatch([record({ value: Buffer.alloc(100_000) })], { codec: 'gzip' })
    expect(refusal(batch, { compressionType: 'uncompressed', maxMessageBytes: 50_000 }).code).toBe('MESSAGE_TOO_LARGE')
  })
})
