import { describe, expect, test } from 'vitest'
import { RecordBatch } from '../../../src/protocol/records/batch.ts'
import { buildBatch } from '../../../src/protocol/records/builder.ts'
import {
  buildEndTxnMarker,
  CONTROL_TYPES,
  controlBatch,
  controlKey,
  controlTypeOf,
  coordinatorEpochOf,
  endTxnMarkerValue,
  KRaftVersionRecord,
  LeaderChangeMessage,
  readEndTxnMarker,
  SnapshotFooterRecord,
  SnapshotHeaderRecord,
  VotersRecord
} from '../../../src/protocol/records/control.ts'
import { recordsOf } from '../../../src/protocol/records/record.ts'
import { ZERO_UUID } from '../../../src/protocol/wire/bytes.ts'
import { ABORT_MARKER, hex } from './vectors.ts'

const invalidRecord = expect.objectContaining({ code: 'INVALID_RECORD' })

describe('transaction markers', () => {
  test('are written as Kafka writes them', () => {
    const marker = buildEndTxnMarker({
      producerId: 1000n,
      producerEpoch: 1,
      result: 'ABORT',
      coordinatorEpoch: 0,
      timestamp: 1700000000000n
    })
    marker.stamp(15n, 0)
    expect(marker.bytes).toEqual(ABORT_MARKER)
  })

  test('round-trip', () => {
    const marker = { producerId: 1000n, producerEpoch: 1, coordinatorEpoch: 4, timestamp: 1700000000000n }
    for (const result of ['COMMIT', 'ABORT'] as const) {
      expect(readEndTxnMarker(buildEndTxnMarker({ ...marker, result }))).toEqual({ ...marker, result })
    }
  })

  test('are not read from other control batches, nor from those that compaction has emptied', () => {
    expect(readEndTxnMarker(controlBatch('SNAPSHOT_FOOTER', Buffer.alloc(4), 0n))).toBeUndefined()
    expect(readEndTxnMarker(buildBatch([], { isControl: true }))).toBeUndefined()
  })

  test('carry the result of the transaction and the coordinator epoch', () => {
    const [record] = recordsOf(new RecordBatch(ABORT_MARKER))
    expect(controlTypeOf(record?.key ?? null)).toBe('ABORT')
    expect(coordinatorEpochOf(record?.value ?? null)).toBe(0)
    expect(coordinatorEpochOf(endTxnMarkerValue(77))).toBe(77)
  })

  test('of a later version are read by their known fields', () => {
    expect(coordinatorEpochOf(hex('0005 00000009 ffff'))).toBe(9)
  })

  test.each([null, hex('0000 000000'), hex('ffff 00000000')])('with the value %s are refused', value => {
    expect(() => coordinatorEpochOf(value)).toThrow(invalidRecord)
  })
})

describe('keys of control records', () => {
  test('have the id of each type', () => {
    CONTROL_TYPES.forEach((type, id) => {
      expect(controlKey(type).readInt16BE(2)).toBe(id)
      expect(controlTypeOf(controlKey(type))).toBe(type)
    })
  })

  test('of unknown types have no type, those of later versions have one', () => {
    expect(controlTypeOf(hex('0000 0007'))).toBeUndefined()
    expect(controlTypeOf(hex('0009 0001 aa'))).toBe('COMMIT')
  })

  test.each([null, hex('000000'), hex('8000 0001')])('such as %s are refused', key => {
    expect(() => controlTypeOf(key)).toThrow(invalidRecord)
  })
})

describe('control records of the quorum', () => {
  test('have the bytes of their schemas', () => {
    const voters = [{ voterId: 1 }]
    expect(LeaderChangeMessage.encode({ leaderId: 1, voters, grantingVoters: voters }, 0)).toEqual(
      hex('0000 00000001 02 00000001 00 02 00000001 00 00')
    )
    expect(SnapshotHeaderRecord.encode({ lastContainedLogTimestamp: 5n }, 0)).toEqual(hex('0000 0000000000000005 00'))
    expect(SnapshotFooterRecord.encode({}, 0)).toEqual(hex('0000 00'))
    expect(KRaftVersionRecord.encode({ kRaftVersion: 1 }, 0)).toEqual(hex('0000 0001 00'))
  })

  test('with voters round-trip', () => {
    const voter = {
      voterId: 1,
      voterDirectoryId: ZERO_UUID,
      endpoints: [{ name: 'CONTROLLER', host: 'localhost', port: 65_535 }],
      kRaftVersionFeature: { minSupportedVersion: 0, maxSupportedVersion: 1 }
    }
    const encoded = VotersRecord.encode({ voters: [voter] }, 0)
    expect(VotersRecord.decode(encoded, 0)).toEqual({ version: 0, voters: [voter] })
  })

  test('are written in control batches', () => {
    const batch = controlBatch('SNAPSHOT_FOOTER', SnapshotFooterRecord.encode({}, 0), 9n, { baseOffset: 3n })
    expect(batch).toMatchObject({ isControl: true, isTransactional: false, baseOffset: 3n, maxTimestamp: 9n })
    expect(controlTypeOf(recordsOf(batch)[0]?.key ?? null)).toBe('SNAPSHOT_FOOTER')
  })
})
