/**
 * Golden vectors from Apache Kafka 4.x: bytes that Kafka's own classes wrote. Our code reads them and writes them again. The
 * golden vectors of metadata frames and group records are in the tests of those parts.
 */
import { describe, expect, test } from 'vitest'
import { decodeSnapshot, encodeSnapshot } from '../../src/idempotence/producer-snapshot.ts'
import { formatCheckpoint, parseCheckpoint } from '../../src/log/checkpoints.ts'
import { readTopicId, writeTopicId } from '../../src/log/partition-folder.ts'
import { LeaderEpochs } from '../../src/log/partition-log/leader-epochs.ts'
import { Segment } from '../../src/log/segment/segment.ts'
import { bootstrapFeatures } from '../../src/metadata/features.ts'
import { EMPTY_IMAGE } from '../../src/metadata/image/image.ts'
import { leaderChange, quorumEpoch, quorumOfOne, quorumState } from '../../src/metadata/log/quorum.ts'
import { snapshotBatches } from '../../src/metadata/log/snapshot-batches.ts'
import { decodeMetadataRecord, encodeMetadataRecord, metadataRecord } from '../../src/metadata/records.ts'
import { batchesIn, RecordBatch } from '../../src/protocol/records/batch.ts'
import { buildBatch } from '../../src/protocol/records/builder.ts'
import {
  buildEndTxnMarker,
  controlBatch,
  controlTypeOf,
  LeaderChangeMessage,
  SnapshotFooterRecord,
  SnapshotHeaderRecord,
  VotersRecord
} from '../../src/protocol/records/control.ts'
import { recordsOf } from '../../src/protocol/records/record.ts'
import { MemoryStorage } from '../../src/storage/memory-storage.ts'
import { BOOTSTRAP, SNAPSHOT } from '../dump/vectors.ts'
import { ABORT_MARKER, hex, TRANSACTIONAL } from '../protocol/records/vectors.ts'
import { batchOf } from './log-fixture.ts'

const TIME = 1_700_000_000_000n

describe('record batches', () => {
  test("a transactional batch with a header and a null record has Kafka's bytes", () => {
    const written = buildBatch(
      [
        {
          timestamp: TIME,
          key: Buffer.from('k'),
          value: Buffer.from('v'),
          headers: [{ key: 'h', value: Buffer.from('x') }]
        },
        { timestamp: TIME + 10n, key: null, value: null }
      ],
      { producerId: 1000n, producerEpoch: 1, baseSequence: 0, isTransactional: true, partitionLeaderEpoch: 0 }
    )
    expect(written.bytes).toEqual(TRANSACTIONAL)
    const [first, second] = recordsOf(new RecordBatch(TRANSACTIONAL))
    expect(first).toMatchObject({ offset: 0n, timestamp: TIME, headers: [{ key: 'h' }], sequence: 0 })
    expect(second).toMatchObject({
      offset: 1n,
      timestamp: TIME + 10n,
      key: null,
      value: null,
      headers: [],
      sequence: 1
    })
  })

  test("a marker that aborts a transaction has Kafka's bytes", () => {
    const marker = { producerId: 1000n, producerEpoch: 1, coordinatorEpoch: 0, timestamp: TIME }
    const written = buildEndTxnMarker({ ...marker, result: 'ABORT' })
    written.stamp(15n, 0)
    expect(written.bytes).toEqual(ABORT_MARKER)
    const batch = new RecordBatch(ABORT_MARKER)
    expect([batch.isTransactional, batch.isControl, batch.lastOffset, batch.lastSequence]).toEqual([
      true,
      true,
      15n,
      -1
    ])
  })

  test("the header that compaction leaves of a last batch has Kafka's bytes", () => {
    const golden = hex(`
      0000000000000014 00000031 00000000 02 ef26b0da 0010 00000004 ffffffffffffffff 0000018bcfe56800
      00000000000003e8 0001 00000005 00000000`)
    const written = buildBatch([], {
      baseOffset: 20n,
      lastOffsetDelta: 4,
      maxTimestamp: TIME,
      producerId: 1000n,
      producerEpoch: 1,
      baseSequence: 5,
      isTransactional: true,
      partitionLeaderEpoch: 0
    })
    expect(written.bytes).toEqual(golden)
    const batch = new RecordBatch(golden)
    expect(batch.hasValidCrc()).toBe(true)
    expect([batch.lastOffset, batch.lastSequence, batch.recordsCount, batch.baseTimestamp]).toEqual([24n, 9, 0, -1n])
    expect([...recordsOf(batch)]).toEqual([])
  })
})

test("a snapshot of a transactional producer and a producer without batches has Kafka's bytes", () => {
  const entries = [
    { producerId: 1000n, producerEpoch: 1, lastSequence: 4, lastOffset: 14n, offsetDelta: 4, timestamp: TIME },
    { producerId: 2000n, producerEpoch: 2, lastSequence: -1, lastOffset: -1n, offsetDelta: 0, timestamp: TIME + 5n }
  ]
  const ends = [
    { coordinatorEpoch: 0, currentTxnFirstOffset: 10n },
    { coordinatorEpoch: 3, currentTxnFirstOffset: -1n }
  ]
  const whole = entries.map((entry, at) => ({
    ...entry,
    ...(ends[at] ?? { coordinatorEpoch: 0, currentTxnFirstOffset: 0n })
  }))
  expect(encodeSnapshot(whole)).toEqual(SNAPSHOT)
  expect(decodeSnapshot(SNAPSHOT)).toEqual(whole)
})

test("indexes have Kafka's bytes: an entry after more than 200 bytes, and a final time entry", () => {
  const storage = new MemoryStorage()
  storage.makeDirectory('t-0')
  const segment = Segment.create(storage, 't-0', 20n, 0)
  for (let offset = 20n; offset < 30n; offset++) {
    const batch = batchOf([TIME + offset], 123)
    expect(batch.sizeInBytes).toBe(193)
    batch.stamp(offset, 0)
    segment.append(batch, 200)
  }
  segment.finish()
  const file = (suffix: string) => storage.read(`t-0/00000000000000000020.${suffix}`, 0, 1000)
  // (22, 386), (24, 772), (26, 1158), (28, 1544)
  expect(file('index')).toEqual(hex('00000002 00000182 00000004 00000304 00000006 00000486 00000008 00000608'))
  const times = [22n, 24n, 26n, 28n, 29n].map(offset => {
    const entry = Buffer.alloc(12)
    entry.writeBigInt64BE(TIME + offset)
    entry.writeInt32BE(Number(offset - 20n), 8)
    return entry
  })
  expect(file('timeindex')).toEqual(Buffer.concat(times))
  const reopened = new Segment(storage, 't-0', 20n, 0)
  expect(reopened.find(27n)?.position).toBe(7 * 193)
  expect(reopened.largestTimestamp).toEqual({ timestamp: TIME + 29n, offset: 29n })
})

describe('text files', () => {
  test('the leader epoch checkpoint has the text that Kafka writes', () => {
    const storage = new MemoryStorage()
    storage.makeDirectory('t-0')
    new LeaderEpochs(storage, 't-0').assign(3, 0n)
    const text = Buffer.from('0\n1\n3 0\n')
    expect(storage.read('t-0/leader-epoch-checkpoint', 0, 100)).toEqual(text)
    expect(new LeaderEpochs(storage, 't-0').latest).toEqual({ epoch: 3, startOffset: 0n })
    expect(parseCheckpoint(text, 2)).toEqual([['3', '0']])
    expect(parseCheckpoint(text.subarray(0, -1), 2), 'cut short: who knows which digits it lacks').toBeUndefined()
    expect(formatCheckpoint(['3 0'])).toEqual(text)
  })

  test('partition.metadata has the text that Kafka writes: 43 bytes without a line end', () => {
    const storage = new MemoryStorage()
    storage.makeDirectory('t-0')
    writeTopicId(storage, 't-0', 'AAECAwQFBgcICQoLDA0ODw')
    const bytes = storage.read('t-0/partition.metadata', 0, 100)
    expect(bytes.toString()).toBe('version: 0\ntopic_id: AAECAwQFBgcICQoLDA0ODw')
    expect(bytes).toHaveLength(43)
    expect(readTopicId(storage, 't-0')).toBe('AAECAwQFBgcICQoLDA0ODw')
  })

  test.each([
    [
      0,
      2,
      '{"clusterId":"","leaderId":1,"leaderEpoch":2,"votedId":-1,"appliedOffset":0,"currentVoters":[{"voterId":1}],"data_version":0}'
    ],
    [1, 1, '{"leaderId":1,"leaderEpoch":1,"votedId":-1,"votedDirectoryId":"AAAAAAAAAAAAAAAAAAAAAA","data_version":1}']
  ])('quorum-state of kraft.version %i has the text that Kafka writes', (kraftVersion, epoch, text) => {
    expect(quorumState({ kraftVersion }, 1, epoch)).toBe(text)
    const storage = new MemoryStorage()
    storage.append('quorum-state', Buffer.from(text))
    expect(quorumEpoch(storage, 'quorum-state')).toBe(epoch)
  })
})

describe('metadata', () => {
  test("bootstrap.checkpoint of metadata.version 25, group.version 1 and transaction.version 2 has Kafka's bytes", () => {
    const [header, data, footer] = batchesIn(BOOTSTRAP)
    const levels = [
      ['metadata.version', 25],
      ['group.version', 1],
      ['transaction.version', 2]
    ] as const
    const records = levels.map(([name, featureLevel]) => metadataRecord('FeatureLevelRecord', { name, featureLevel }))
    expect([...recordsOf(data ?? batchOf([]))].map(({ value }) => decodeMetadataRecord(value ?? hex('')))).toEqual(
      records
    )
    expect(bootstrapFeatures()).toEqual(records)
    const timeOf = (batch: RecordBatch | undefined) => batch?.baseTimestamp ?? 0n
    const written = [
      controlBatch(
        'SNAPSHOT_HEADER',
        SnapshotHeaderRecord.encode({ lastContainedLogTimestamp: 0n }, 0),
        timeOf(header)
      ),
      buildBatch(records.map(record => ({ timestamp: timeOf(data), key: null, value: encodeMetadataRecord(record) }))),
      controlBatch('SNAPSHOT_FOOTER', SnapshotFooterRecord.encode({}, 0), timeOf(footer))
    ]
    let offset = 0n
    for (const batch of written) {
      batch.stamp(offset, 0)
      offset = batch.nextOffset
    }
    expect(Buffer.concat(written.map(({ bytes }) => bytes))).toEqual(BOOTSTRAP)
  })

  test("the first snapshot names the voters and has Kafka's bytes", () => {
    const directoryId = 'EBESExQVFhcYGRobHB0eHw'
    const golden = hex(`
      0000000000000000 0000009a 00000000 02 fd6bf765 0020 00000002 000001a1fd466c8a 000001a1fd466c8a
      ffffffffffffffff ffff ffffffff 00000003
      2a 00 00 00 08 00000003 16 0000 0000000000000000 00 00
      1e 00 00 02 08 00000005 0a 0000 0001 00 00
      8201 00 00 04 08 00000006 6e 0000 02 00000001 101112131415161718191a1b1c1d1e1f 02
      0b 434f4e54524f4c4c4552 0a 6c6f63616c686f7374 2385 00 0000 0001 00 00 00 00
      0000000000000003 0000003f 00000000 02 70525195 0020 00000000 000001a1fd466cac 000001a1fd466cac
      ffffffffffffffff ffff ffffffff 00000001 1a 00 00 00 08 00000004 06 0000 00 00`)
    const [head = batchOf([]), foot = batchOf([])] = batchesIn(golden)
    // Kafka wrote the two batches one after the other.
    const quorum = quorumOfOne(1, directoryId)
    const content = { image: EMPTY_IMAGE, quorum, offset: 0n, epoch: 0, lastTimestamp: 0n }
    const written = (timestamp: bigint) =>
      Buffer.concat(Array.from(snapshotBatches(content, timestamp), ({ bytes }) => bytes))
    expect(written(head.baseTimestamp).subarray(0, head.sizeInBytes)).toEqual(head.bytes)
    expect(written(foot.baseTimestamp).subarray(head.sizeInBytes)).toEqual(foot.bytes)
    const [, , voters] = recordsOf(head)
    expect(controlTypeOf(voters?.key ?? null)).toBe('KRAFT_VOTERS')
    expect(VotersRecord.decode(voters?.value ?? hex(''), 0)).toMatchObject({
      voters: [
        {
          voterId: 1,
          voterDirectoryId: directoryId,
          endpoints: [{ name: 'CONTROLLER', host: 'localhost', port: 9093 }]
        }
      ]
    })
  })

  test("a leader change batch has Kafka's bytes", () => {
    const golden = hex(`
      0000000000000000 0000004f 00000001 02 1154eaf9 0020 00000000 0000018bcfe56800 0000018bcfe56800
      ffffffffffffffff ffff ffffffff 00000001
      3a 00 00 00 08 00000002 26 0000 00000001 02 00000001 00 02 00000001 00 00 00`)
    expect(leaderChange(1, 1, TIME).bytes).toEqual(golden)
    const [record] = recordsOf(new RecordBatch(golden))
    expect(LeaderChangeMessage.decode(record?.value ?? hex(''), 0)).toMatchObject({
      leaderId: 1,
      voters: [{ voterId: 1 }],
      grantingVoters: [{ voterId: 1 }]
    })
  })
})
