// Which batches are let into a log.
import { describe, expect, test } from 'vitest'
import { InvalidRecordsError } from '../../../src/log/partition-log/record-errors.ts'
import { acceptedBatch, parseProducedRecords } from '../../../src/log/partition-log/validator.ts'
import type { RecordBatch } from '../../../src/protocol/records/batch.ts'
import { type BatchOptions, buildBatch } from '../../../src/protocol/records/builder.ts'
import { record, refusal, threeRecords, validate } from './validator-fixture.ts'

/** The batch with one field of its header overwritten, and a checksum that fits again. */
function tampered(write: (bytes: Buffer) => void, options: BatchOptions = {}): RecordBatch {
  const batch = buildBatch(threeRecords, options)
  write(batch.bytes)
  batch.seal()
  return batch
}

/** The batch of the records. Throws the error of the check that failed. */
function parsed(records: Buffer | null, apiVersion = 9): RecordBatch {
  return acceptedBatch(parseProducedRecords(records, apiVersion))
}

describe('the records of a produce request', () => {
  const single = buildBatch(threeRecords).bytes

  test('are one batch', () => {
    expect(parsed(single).bytes).toEqual(single)
  })

  test('may have the beginning of another batch behind them, which is dropped', () => {
    const cut = Buffer.concat([single, single.subarray(0, single.length - 1)])
    expect(parsed(cut).bytes).toEqual(single)
  })

  test.each([
    ['null', null],
    ['empty', Buffer.alloc(0)],
    ['cut off', single.subarray(0, single.length - 1)],
    ['two batches', Buffer.concat([single, single])]
  ])('are refused when they are %s', (_, records) => {
    expect(() => parsed(records)).toThrow(expect.objectContaining({ code: 'INVALID_RECORD' }))
  })

  test('are parsed once: the first batch is given although a second one refuses them', () => {
    const { batch, error } = parseProducedRecords(Buffer.concat([single, single]), 9)
    expect(batch?.bytes).toEqual(single)
    expect(error).toMatchObject({ code: 'INVALID_RECORD' })
  })

  test('are refused in an old format', () => {
    const old = Buffer.from(single)
    old.writeInt8(1, 16)
    expect(() => parsed(old)).toThrow(/magic 2, not 1/)
  })

  test.each([
    ['no size', 8, 5],
    ['no magic', 16, 9]
  ])('are corrupt when there is %s in them', (_, at, value) => {
    const bytes = Buffer.from(single)
    if (at === 8) bytes.writeInt32BE(value, at)
    else bytes.writeInt8(value, at)
    expect(() => parsed(bytes)).toThrow(expect.objectContaining({ code: 'CORRUPT_MESSAGE' }))
  })

  test('may use zstd from version 7 on', () => {
    const { bytes } = buildBatch(threeRecords, { codec: 'zstd' })
    expect(parsed(bytes, 7).codec).toBe('zstd')
    expect(() => parsed(bytes, 6)).toThrow(expect.objectContaining({ code: 'UNSUPPORTED_COMPRESSION_TYPE' }))
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
