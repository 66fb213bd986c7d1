// Refusals of single records of a batch.
import { describe, expect, test } from 'vitest'
import { InvalidRecordsError } from '../../../src/log/partition-log/record-errors.ts'
import { buildBatch } from '../../../src/protocol/records/builder.ts'
import { FOREVER, NOW, record, refusal, validate } from './validator-fixture.ts'

describe('the validation of single records', () => {
  test('a record needs a key on a compacted topic', () => {
    const batch = buildBatch([
      record(),
      record({ key: null }),
      record({ key: null }),
      record({ key: null }),
      record({ key: null })
    ])
    const text = 'Compacted topic cannot accept message without key in topic partition topic-0'
    const shown = [1, 2, 3].map(index => `RecordError(batchIndex=${index}, message='${text}')`).join(', ')
    const error = refusal(batch, { isCompacted: true })
    expect(error).toBeInstanceOf(InvalidRecordsError)
    expect(error).toMatchObject({
      code: 'INVALID_RECORD',
      message: `One or more records have been rejected due to 4 record errors in total, and only showing the first three errors at most: [${shown}]`,
      recordErrors: [1, 2, 3, 4].map(batchIndex => ({ batchIndex, batchIndexErrorMessage: text }))
    })
    expect(validate(batch)).toBe(batch)
  })

  test('a record may have an empty key on a compacted topic', () => {
    const batch = buildBatch([record({ key: Buffer.alloc(0) })])
    expect(validate(batch, { isCompacted: true })).toBe(batch)
  })

  test.each([
    ['behind', NOW - 1001, -9_223_370_336_854_775_807n, FOREVER, true],
    ['behind', NOW - 1000, 1_699_999_999_000n, 1000, true],
    ['behind', NOW - 1001, 1_699_999_999_000n, 1000, false],
    ['ahead', NOW + 3_600_000, 0n, FOREVER, true],
    ['ahead', NOW + 3_600_001, -9_223_370_336_854_775_807n, FOREVER, false]
  ])('a timestamp may not be too far %s: %i', (_, timestamp, earliest, timestampBeforeMaxMs, accepted) => {
    const batch = buildBatch([record(), record({ timestamp: BigInt(timestamp) })])
    if (accepted) return expect(validate(batch, { timestampBeforeMaxMs })).toBe(batch)
    expect(refusal(batch, { timestampBeforeMaxMs })).toMatchObject({
      code: 'INVALID_TIMESTAMP',
      message: 'One or more records have been rejected due to invalid timestamp',
      recordErrors: [
        {
          batchIndex: 1,
          batchIndexErrorMessage: `Timestamp ${timestamp} of message with offset 1 is out of range. The timestamp should be within [${earliest}, 1700003600000]`
        }
      ]
    })
  })

  test('a record may have a timestamp outside the safe integers, within the allowed range', () => {
    const far = record({ timestamp: 2n ** 62n + 1n })
    const accepted = validate(buildBatch([far]), { timestampAfterMaxMs: FOREVER })
    expect(accepted.maxTimestamp).toBe(2n ** 62n + 1n)
    expect(refusal(buildBatch([far])).code).toBe('INVALID_TIMESTAMP')
  })

  test('a record may have no timestamp', () => {
    expect(validate(buildBatch([record({ timestamp: -1n })])).maxTimestamp).toBe(-1n)
  })

  test('a record may have any timestamp on a topic with LogAppendTime', () => {
    const batch = buildBatch([record({ timestamp: BigInt(NOW) * 2n })])
    expect(validate(batch, { timestampType: 'LogAppendTime' }).maxTimestamp).toBe(BigInt(NOW))
  })

  test.each([
    ['none', 'producer', 'DefaultRecord(offset=0, timestamp=1700000000000, key=3 bytes, value=0 bytes)'],
    ['gzip', 'producer', 'PartialDefaultRecord(offset=0, timestamp=1700000000000, key=3 bytes, value=-1 bytes)'],
    ['gzip', 'lz4', 'DefaultRecord(offset=0, timestamp=1700000000000, key=3 bytes, value=0 bytes)']
  ] as const)(
    'a record may not have LogAppendTime, which only brokers set (%s, topic %s)',
    (codec, compressionType, text) => {
      const options = { codec, timestampType: 'LogAppendTime', maxTimestamp: BigInt(NOW) } as const
      const batch = buildBatch([record({ value: null })], options)
      const error = refusal(batch, { timestampType: 'LogAppendTime', compressionType })
      expect(error).toMatchObject({
        code: 'INVALID_TIMESTAMP',
        recordErrors: [
          {
            batchIndex: 0,
            batchIndexErrorMessage: `Invalid timestamp type in message ${text}. Producer should not set timestamp type to LogAppendTime.`
          }
        ]
      })
    }
  )

  test('records with several kinds of errors are all listed, and the timestamp decides the error code', () => {
    const batch = buildBatch([record({ key: null }), record({ timestamp: 0n })])
    expect(refusal(batch, { isCompacted: true, timestampBeforeMaxMs: 1 })).toMatchObject({
      code: 'INVALID_TIMESTAMP',
      recordErrors: [{ batchIndex: 0 }, { batchIndex: 1 }]
    })
  })

  test('refused records are listed up to a bound, however many a small batch has', () => {
    const batch = buildBatch(
      Array.from({ length: 50_000 }, () => record({ key: null })),
      { codec: 'zstd' }
    )
    const error = refusal(batch, { isCompacted: true })
    expect(error).toMatchObject({ message: expect.stringContaining('50000 record errors in total') })
    expect(error instanceof InvalidRecordsError && error.recordErrors.length).toBe(10_000)
  })

  test('refused records leave the batch unchanged', () => {
    const batch = buildBatch([record({ timestamp: 0n })])
    const before = Buffer.from(batch.bytes)
    refusal(batch, { timestampBeforeMaxMs: 1 })
    expect(batch.bytes).toEqual(before)
  })
})
