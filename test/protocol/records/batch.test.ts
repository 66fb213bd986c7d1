import { describe, expect, test } from 'vitest'
import {
  BATCH_OVERHEAD,
  batchesIn,
  CorruptRecordError,
  entrySizeAt,
  incrementSequence,
  RecordBatch
} from '../../../src/protocol/records/batch.ts'
import { buildBatch } from '../../../src/protocol/records/builder.ts'
import { crc32 } from '../../../src/protocol/records/checksum.ts'
import { BY_CODEC, TRANSACTIONAL } from './vectors.ts'

const copyOf = (bytes: Buffer) => new RecordBatch(Buffer.from(bytes))

/** A magic 1 message without key, with the value "v". */
function legacyMessage(): Buffer {
  const message = Buffer.from('01 00 0000018bcfe56800 ffffffff 00000001 76'.replaceAll(' ', ''), 'hex')
  const entry = Buffer.alloc(16 + message.length)
  entry.writeBigInt64BE(7n, 0)
  entry.writeInt32BE(4 + message.length, 8)
  entry.writeUInt32BE(crc32(message), 12)
  message.copy(entry, 16)
  return entry
}

describe('the header', () => {
  test('the header of a batch from Kafka is read', () => {
    const batch = new RecordBatch(TRANSACTIONAL)
    expect(batch).toMatchObject({
      baseOffset: 0n,
      batchLength: 69,
      sizeInBytes: 81,
      partitionLeaderEpoch: 0,
      magic: 2,
      isLegacy: false,
      crc: 0x641e0ba1,
      attributes: 0x10,
      codec: 'none',
      timestampType: 'CreateTime',
      isTransactional: true,
      isControl: false,
      deleteHorizonMs: undefined,
      lastOffsetDelta: 1,
      lastOffset: 1n,
      nextOffset: 2n,
      baseTimestamp: 1700000000000n,
      maxTimestamp: 1700000000010n,
      producerId: 1000n,
      producerEpoch: 1,
      baseSequence: 0,
      lastSequence: 1,
      recordsCount: 2
    })
    expect(batch.hasValidCrc()).toBe(true)
  })

  test('the header can be read from a view on the header alone', () => {
    expect(new RecordBatch(TRANSACTIONAL.subarray(0, BATCH_OVERHEAD))).toMatchObject({
      sizeInBytes: 81,
      lastOffset: 1n
    })
  })

  test.each(Object.entries(BY_CODEC))('the header names the codec %s', (codec, bytes) => {
    expect(new RecordBatch(bytes).codec).toBe(codec)
    expect(new RecordBatch(bytes).hasValidCrc()).toBe(true)
  })

  test('a header with an unknown codec id is a fault without an error code of Kafka', () => {
    const batch = copyOf(TRANSACTIONAL)
    batch.bytes.writeInt16BE(6, 21)
    expect(() => batch.codec).toThrow(expect.objectContaining({ code: 'UNKNOWN_SERVER_ERROR' }))
  })

  test('the header shows the delete horizon in place of the base timestamp', () => {
    expect(buildBatch([], { deleteHorizonMs: 99n }).deleteHorizonMs).toBe(99n)
  })
})

describe('sequence numbers', () => {
  test('sequence numbers restart at 0 after the largest int32', () => {
    expect(incrementSequence(2_147_483_647, 1)).toBe(0)
    expect(incrementSequence(2_147_483_640, 10)).toBe(2)
    const record = { timestamp: 0n, key: null, value: null }
    expect(buildBatch([record, record], { producerId: 1n, baseSequence: 2_147_483_647 }).lastSequence).toBe(0)
  })

  test('the last sequence of a batch without sequence numbers is none, too', () => {
    expect(buildBatch([{ timestamp: 0n, key: null, value: null }]).lastSequence).toBe(-1)
  })
})

describe('changes in place', () => {
  test('the offset and epoch stamp leaves the checksum valid', () => {
    const batch = copyOf(TRANSACTIONAL)
    batch.stamp(5_000_000_000n, 7)
    expect(batch).toMatchObject({ baseOffset: 5_000_000_000n, lastOffset: 5_000_000_001n, partitionLeaderEpoch: 7 })
    expect(batch.hasValidCrc()).toBe(true)
  })

  test('a changed timestamp type gets a new checksum', () => {
    const batch = copyOf(TRANSACTIONAL)
    batch.setMaxTimestamp('LogAppendTime', 1_800_000_000_000n)
    expect(batch).toMatchObject({
      timestampType: 'LogAppendTime',
      maxTimestamp: 1_800_000_000_000n,
      isTransactional: true
    })
    expect(batch.hasValidCrc()).toBe(true)
    batch.setMaxTimestamp('CreateTime', 1_700_000_000_010n)
    expect(batch.bytes).toEqual(TRANSACTIONAL)
  })

  test('an unchanged timestamp changes no byte, not even a wrong checksum', () => {
    const batch = copyOf(TRANSACTIONAL)
    batch.bytes.writeUInt32BE(1, 17)
    batch.setMaxTimestamp('CreateTime', 1_700_000_000_010n)
    expect(batch.crc).toBe(1)
  })

  test('a checksum reveals any changed bit after it', () => {
    for (let bit = 21 * 8; bit < TRANSACTIONAL.length * 8; bit++) {
      const { bytes } = copyOf(TRANSACTIONAL)
      bytes.writeUInt8(bytes.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3)
      expect(new RecordBatch(bytes).hasValidCrc(), `bit ${bit}`).toBe(false)
    }
  })
})

describe('batchesIn', () => {
  const two = Buffer.concat([TRANSACTIONAL, BY_CODEC.gzip])

  test('returns each batch as a view on the same bytes', () => {
    const batches = [...batchesIn(two)]
    expect(batches.map(batch => batch.sizeInBytes)).toEqual([TRANSACTIONAL.length, BY_CODEC.gzip.length])
    expect(batches[1]?.bytes.buffer).toBe(two.buffer)
  })

  test('starts at the given position', () => {
    expect([...batchesIn(two, TRANSACTIONAL.length)].map(batch => batch.codec)).toEqual(['gzip'])
  })

  test('ends before a batch that is cut off at any byte', () => {
    for (let length = 0; length < two.length; length++) {
      const complete = length < TRANSACTIONAL.length ? 0 : 1
      expect([...batchesIn(two.subarray(0, length))].length, `cut at ${length}`).toBe(complete)
    }
  })

  test.each([
    ['a size below that of any message', 8, 13],
    ['a negative size', 8, -1],
    ['a size below its own header', 8, 48]
  ])('throws at %s and names the position', (_, at, value) => {
    const bytes = Buffer.from(two)
    bytes.writeInt32BE(value, TRANSACTIONAL.length + at)
    expect(() => [...batchesIn(bytes)]).toThrow(CorruptRecordError)
    expect(() => [...batchesIn(bytes)]).toThrow(
      expect.objectContaining({ code: 'CORRUPT_MESSAGE', position: TRANSACTIONAL.length })
    )
  })

  test.each([3, -1])('throws at magic %i', magic => {
    const bytes = Buffer.from(two)
    bytes.writeInt8(magic, 16)
    expect(() => [...batchesIn(bytes)]).toThrow(expect.objectContaining({ code: 'CORRUPT_MESSAGE', position: 0 }))
  })

  test('reports the size of an entry that reaches beyond the buffer', () => {
    expect(entrySizeAt(TRANSACTIONAL.subarray(0, 17), 0)).toBe(81)
    expect(entrySizeAt(TRANSACTIONAL.subarray(0, 16), 0)).toBeUndefined()
  })

  test('returns legacy messages, marked as such', () => {
    const [batch] = batchesIn(legacyMessage())
    expect(batch).toMatchObject({ isLegacy: true, magic: 1, baseOffset: 7n, lastOffset: 7n })
    expect(batch?.hasValidCrc()).toBe(true)
    batch?.bytes.writeUInt8(0, batch.bytes.length - 1)
    expect(batch?.hasValidCrc()).toBe(false)
  })
})
