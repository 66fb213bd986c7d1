// Validation of batches before they are appended.
import { describe, expect, test } from 'vitest'
import { InvalidRecordsError } from '../../../src/log/partition-log/record-errors.ts'
import { acceptedBatch, parseProducedRecords } from '../../../src/log/partition-log/validator.ts'
import type { RecordBatch } from '../../../src/protocol/records/batch.ts'
import { type BatchOptions, buildBatch } from '../../../src/protocol/records/builder.ts'
import { record, refusal, threeRecords, validate } from './validator-fixture.ts'

/** The batch with one field of its header overwritten and a valid checksum. */
function tampered(write: (bytes: Buffer) => void, options: BatchOptions = {}): RecordBatch {
  const batch = buildBatch(threeRecords, options)
  write(batch.bytes)
  batch.seal()
  return batch
}

/** Returns the batch of the records. Throws the error of the failed check. */
function parsed(records: Buffer | null, apiVersion = 9): RecordBatch {
  return acceptedBatch(parseProducedRecords(records, apiVersion))
}

describe('the records of a Produce request', () => {
  const single = buildBatch(threeRecords).bytes

  test('the records of a Produce request are one batch', () => {
    expect(parsed(single).bytes).toEqual(single)
  })

  test('the records of a Produce request may end with the beginning of another batch, which is dropped', () => {
    const cut = Buffer.concat([single, single.subarray(0, single.length - 1)])
    expect(parsed(cut).bytes).toEqual(single)
  })

  test.each([
    ['null', null],
    ['empty', Buffer.alloc(0)],
    ['cut off', single.subarray(0, single.length - 1)],
    ['two batches', Buffer.concat([single, single])]
  ])('the records of a Produce request are refused when they are %s', (_, records) => {
    expect(() => parsed(records)).toThrow(expect.objectContaining({ code: 'INVALID_RECORD' }))
  })

  test('records are parsed once: the first batch is returned although a second batch refuses the records', () => {
    const { batch, error } = parseProducedRecords(Buffer.concat([single, single]), 9)
    expect(batch?.bytes).toEqual(single)
    expect(error).toMatchObject({ code: 'INVALID_RECORD' })
  })

  test('records in an old format are refused', () => {
    const old = Buffer.from(single)
    old.writeInt8(1, 16)
    expect(() => parsed(old)).toThrow(/magic of the batch is 1/)
  })

  test.each([
    ['no size', 8, 5],
    ['no magic', 16, 9]
  ])('records are corrupt when there is %s in them', (_, at, value) => {
    const bytes = Buffer.from(single)
    if (at === 8) bytes.writeInt32BE(value, at)
    else bytes.writeInt8(value, at)
    expect(() => parsed(bytes)).toThrow(expect.objectContaining({ code: 'CORRUPT_MESSAGE' }))
  })

  test('records may use zstd from version 7 on', () => {
    const { bytes } = buildBatch(threeRecords, { codec: 'zstd' })
    expect(parsed(bytes, 7).codec).toBe('zstd')
    expect(() => parsed(bytes, 6)).toThrow(expect.objectContaining({ code: 'UNSUPPORTED_COMPRESSION_TYPE' }))
  })
})

describe('a refused batch', () => {
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
  ])('error %s refuses a batch %s', (code, _, batch) => {
    const error = refusal(batch)
    expect(error.code).toBe(code)
    expect(error).not.toBeInstanceOf(InvalidRecordsError)
  })

  test('CORRUPT_MESSAGE refuses a batch with a wrong checksum', () => {
    const batch = buildBatch(threeRecords)
    batch.bytes.writeUInt8(1, batch.bytes.length - 1)
    expect(refusal(batch).code).toBe('CORRUPT_MESSAGE')
  })

  test('MESSAGE_TOO_LARGE refuses a batch above max.message.bytes, which is an inclusive limit', () => {
    const batch = buildBatch(threeRecords)
    expect(refusal(batch, { maxMessageBytes: batch.sizeInBytes - 1 }).code).toBe('MESSAGE_TOO_LARGE')
    expect(validate(batch, { maxMessageBytes: batch.sizeInBytes })).toBe(batch)
  })

  test('MESSAGE_TOO_LARGE refuses a batch that decompresses to more than the limit', () => {
    const bomb = buildBatch([record({ value: Buffer.alloc(3_000_000) })], { codec: 'zstd' })
    expect(refusal(bomb, { decompressedLimit: 1_000_000 }).code).toBe('MESSAGE_TOO_LARGE')
    expect(validate(bomb, { decompressedLimit: 4_000_000 })).toBe(bomb)
  })

  test('the size of a batch is checked before its checksum, and its checksum before its header, as in Kafka', () => {
    const batch = buildBatch(threeRecords, { isControl: true })
    batch.bytes.writeUInt32BE(0, 17)
    expect(refusal(batch, { maxMessageBytes: 10 }).code).toBe('MESSAGE_TOO_LARGE')
    expect(refusal(batch).code).toBe('CORRUPT_MESSAGE')
  })
})

describe("a coordinator's batch", () => {
  test("a coordinator's batch may be a control batch and may begin at any offset", () => {
    const batch = buildBatch([record()], { isControl: true, baseOffset: 5n })
    expect(validate(batch, { compressionType: 'gzip' }, 'coordinator')).toBe(batch)
  })

  test("a coordinator's batch needs a checksum, a size within the limit, and keys on compacted topics", () => {
    const corrupt = buildBatch([record()])
    corrupt.bytes.writeUInt32BE(0, 17)
    expect(() => validate(corrupt, {}, 'coordinator')).toThrow(expect.objectContaining({ code: 'CORRUPT_MESSAGE' }))
    const keyless = buildBatch([record({ key: null })])
    expect(() => validate(keyless, { isCompacted: true }, 'coordinator')).toThrow(InvalidRecordsError)
  })
})
