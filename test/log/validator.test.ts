import { describe, expect, test } from 'vitest'
import { InvalidRecordsError } from '../../src/log/record-errors.ts'
import { type Arrival, checkProducedRecords, type ValidationRules, validateBatch } from '../../src/log/validator.ts'
import { KafkaError } from '../../src/protocol/errors.ts'
import type { RecordBatch } from '../../src/protocol/records/batch.ts'
import { type BatchOptions, buildBatch } from '../../src/protocol/records/builder.ts'
import type { NewRecord } from '../../src/protocol/records/encoding.ts'
import { recordsOf } from '../../src/protocol/records/record.ts'
import { seededRandom } from '../../src/runtime/random.ts'

const NOW = 1_700_000_000_000
const FOREVER = 2 ** 63

const RULES: ValidationRules = {
  isCompacted: false,
  maxMessageBytes: 1_048_588,
  timestampType: 'CreateTime',
  timestampBeforeMaxMs: FOREVER,
  timestampAfterMaxMs: 3_600_000,
  compressionType: 'producer',
  compressionLevels: {},
  decompressedLimit: 268_435_456
}

const record = (changes: Partial<NewRecord> = {}): NewRecord => ({
  timestamp: BigInt(NOW),
  key: Buffer.from('key'),
  value: Buffer.from('value'),
  ...changes
})

const threeRecords = [record(), record({ timestamp: BigInt(NOW + 20) }), record({ timestamp: BigInt(NOW + 10) })]

function validate(batch: RecordBatch, rules: Partial<ValidationRules> = {}, origin: Arrival['origin'] = 'client') {
  return validateBatch({ batch, topicPartition: 'topic-0', now: NOW, origin }, { ...RULES, ...rules })
}

/** What validating throws. */
function refusal(batch: RecordBatch, rules: Partial<ValidationRules> = {}): KafkaError {
  try {
    validate(batch, rules)
  } catch (error) {
    if (error instanceof KafkaError) return error
    throw error
  }
  throw new Error('the batch was accepted')
}

/** The batch with one field of its header overwritten, and a checksum that fits again. */
function tampered(write: (bytes: Buffer) => void, options: BatchOptions = {}): RecordBatch {
  const batch = buildBatch(threeRecords, options)
  write(batch.bytes)
  batch.seal()
  return batch
}

describe('the records of a produce request', () => {
  const one = buildBatch(threeRecords).bytes

  test('are one batch', () => {
    expect(checkProducedRecords(one, 9).bytes).toEqual(one)
  })

  test('may have the beginning of another batch behind them, which is dropped', () => {
    const cut = Buffer.concat([one, one.subarray(0, one.length - 1)])
    expect(checkProducedRecords(cut, 9).bytes).toEqual(one)
  })

  test.each([
    ['null', null],
    ['empty', Buffer.alloc(0)],
    ['cut off', one.subarray(0, one.length - 1)],
    ['two batches', Buffer.concat([one, one])]
  ])('are refused when they are %s', (_, records) => {
    expect(() => checkProducedRecords(records, 9)).toThrow(expect.objectContaining({ code: 'INVALID_RECORD' }))
  })

  test('are refused in an old format', () => {
    const old = Buffer.from(one)
    old.writeInt8(1, 16)
    expect(() => checkProducedRecords(old, 9)).toThrow(/magic 2, not 1/)
  })

  test.each([
    ['no size', 8, 5],
    ['no magic', 16, 9]
  ])('are corrupt when there is %s in them', (_, at, value) => {
    const bytes = Buffer.from(one)
    if (at === 8) bytes.writeInt32BE(value, at)
    else bytes.writeInt8(value, at)
    expect(() => checkProducedRecords(bytes, 9)).toThrow(expect.objectContaining({ code: 'CORRUPT_MESSAGE' }))
  })

  test('may use zstd from version 7 on', () => {
    const { bytes } = buildBatch(threeRecords, { codec: 'zstd' })
    expect(checkProducedRecords(bytes, 7).codec).toBe('zstd')
    expect(() => checkProducedRecords(bytes, 6)).toThrow(
      expect.objectContaining({ code: 'UNSUPPORTED_COMPRESSION_TYPE' })
    )
  })
})

describe('a batch is refused', () => {
  test.each<[string, string, RecordBatch]>([
    ['INVALID_RECORD', 'that does not begin at offset 0', buildBatch(threeRecords, { baseOffset: 1n })],
    ['INVALID_RECORD', 'with a negative last offset', tampered(bytes => bytes.writeInt32BE(-1, 23))],
    ['INVALID_RECORD', 'without records', buildBatch([])],
    ['INVALID_RECORD', 'with a negative count', tampered(bytes => bytes.writeInt32BE(-3, 57))],
    ['INVALID_RECORD', 'with more offsets than records', tampered(bytes => bytes.writeInt32BE(5, 23))],
    ['INVALID_RECORD', 'of control records', buildBatch(threeRecords, { isControl: true })],
    [
      'INVALID_RECORD',
      'of a producer without a sequence',
      buildBatch(threeRecords, { producerId: 1n, producerEpoch: 0 })
    ],
    ['INVALID_RECORD', 'whose records do not parse', tampered(bytes => bytes.writeUInt8(0xff, 61))],
    ['UNKNOWN_SERVER_ERROR', 'with an unknown codec', tampered(bytes => bytes.writeInt16BE(5, 21))],
    ['UNKNOWN_SERVER_ERROR', 'that does not decompress', tampered(bytes => bytes.writeInt16BE(1, 21))]
  ])('%s: %s', (code, _, batch) => {
    const error = refusal(batch)
    expect(error.code).toBe(code)
    expect(error).not.toBeInstanceOf(InvalidRecordsError)
  })

  test('CORRUPT_MESSAGE: with a checksum that does not fit', () => {
    const batch = buildBatch(threeRecords)
    batch.bytes.writeUInt8(1, batch.bytes.length - 1)
    expect(refusal(batch).code).toBe('CORRUPT_MESSAGE')
  })

  test('MESSAGE_TOO_LARGE: above max.message.bytes, of which it may have all', () => {
    const batch = buildBatch(threeRecords)
    expect(refusal(batch, { maxMessageBytes: batch.sizeInBytes - 1 }).code).toBe('MESSAGE_TOO_LARGE')
    expect(validate(batch, { maxMessageBytes: batch.sizeInBytes })).toBe(batch)
  })

  test('MESSAGE_TOO_LARGE: when it decompresses to more than the limit', () => {
    const bomb = buildBatch([record({ value: Buffer.alloc(3_000_000) })], { codec: 'zstd' })
    expect(refusal(bomb, { decompressedLimit: 1_000_000 }).code).toBe('MESSAGE_TOO_LARGE')
    expect(validate(bomb, { decompressedLimit: 4_000_000 })).toBe(bomb)
  })

  test('for its size before its checksum, for its checksum before its header, as in Kafka', () => {
    const batch = buildBatch(threeRecords, { isControl: true })
    batch.bytes.writeUInt32BE(0, 17)
    expect(refusal(batch, { maxMessageBytes: 10 }).code).toBe('MESSAGE_TOO_LARGE')
    expect(refusal(batch).code).toBe('CORRUPT_MESSAGE')
  })
})

describe("a coordinator's batch", () => {
  test('may be a control batch, and begin anywhere', () => {
    const batch = buildBatch([record()], { isControl: true, baseOffset: 5n })
    expect(validate(batch, { compressionType: 'gzip' }, 'coordinator')).toBe(batch)
  })

  test('still needs a checksum, a size and keys on compacted topics', () => {
    const corrupt = buildBatch([record()])
    corrupt.bytes.writeUInt32BE(0, 17)
    expect(() => validate(corrupt, {}, 'coordinator')).toThrow(expect.objectContaining({ code: 'CORRUPT_MESSAGE' }))
    const keyless = buildBatch([record({ key: null })])
    expect(() => validate(keyless, { isCompacted: true }, 'coordinator')).toThrow(InvalidRecordsError)
  })
})

describe('single records', () => {
  test('need a key on a compacted topic', () => {
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

  test('may have an empty key on a compacted topic', () => {
    const batch = buildBatch([record({ key: Buffer.alloc(0) })])
    expect(validate(batch, { isCompacted: true })).toBe(batch)
  })

  test.each([
    ['behind', NOW - 1001, -9_223_370_336_854_775_807n, FOREVER, true],
    ['behind', NOW - 1000, 1_699_999_999_000n, 1000, true],
    ['behind', NOW - 1001, 1_699_999_999_000n, 1000, false],
    ['ahead', NOW + 3_600_000, 0n, FOREVER, true],
    ['ahead', NOW + 3_600_001, -9_223_370_336_854_775_807n, FOREVER, false]
  ])('may not be too far %s: %i', (_, timestamp, earliest, timestampBeforeMaxMs, accepted) => {
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

  test('may have timestamps beyond what numbers hold, within the range', () => {
    const far = record({ timestamp: 2n ** 62n + 1n })
    const accepted = validate(buildBatch([far]), { timestampAfterMaxMs: FOREVER })
    expect(accepted.maxTimestamp).toBe(2n ** 62n + 1n)
    expect(refusal(buildBatch([far])).code).toBe('INVALID_TIMESTAMP')
  })

  test('may have no timestamp', () => {
    expect(validate(buildBatch([record({ timestamp: -1n })])).maxTimestamp).toBe(-1n)
  })

  test('may have any timestamp where the broker sets its own', () => {
    const batch = buildBatch([record({ timestamp: BigInt(NOW) * 2n })])
    expect(validate(batch, { timestampType: 'LogAppendTime' }).maxTimestamp).toBe(BigInt(NOW))
  })

  test.each([
    ['none', 'producer', 'DefaultRecord(offset=0, timestamp=1700000000000, key=3 bytes, value=0 bytes)'],
    ['gzip', 'producer', 'PartialDefaultRecord(offset=0, timestamp=1700000000000, key=3 bytes, value=-1 bytes)'],
    ['gzip', 'lz4', 'DefaultRecord(offset=0, timestamp=1700000000000, key=3 bytes, value=0 bytes)']
  ] as const)(
    'may not claim LogAppendTime, of which only brokers know (%s, topic %s)',
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

  test('of several kinds of fault are all listed, and the timestamp names the code', () => {
    const batch = buildBatch([record({ key: null }), record({ timestamp: 0n })])
    expect(refusal(batch, { isCompacted: true, timestampBeforeMaxMs: 1 })).toMatchObject({
      code: 'INVALID_TIMESTAMP',
      recordErrors: [{ batchIndex: 0 }, { batchIndex: 1 }]
    })
  })

  test('are listed up to a bound, however many a small batch holds', () => {
    const batch = buildBatch(
      Array.from({ length: 50_000 }, () => record({ key: null })),
      { codec: 'zstd' }
    )
    const error = refusal(batch, { isCompacted: true })
    expect(error).toMatchObject({ message: expect.stringContaining('50000 record errors in total') })
    expect(error instanceof InvalidRecordsError && error.recordErrors.length).toBe(10_000)
  })

  test('refused leave the batch as it was', () => {
    const batch = buildBatch([record({ timestamp: 0n })])
    const before = Buffer.from(batch.bytes)
    refusal(batch, { timestampBeforeMaxMs: 1 })
    expect(batch.bytes).toEqual(before)
  })
})

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
