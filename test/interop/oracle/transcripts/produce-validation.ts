// Produce: the validation of batches by the leader, and the stored form of valid ones.
import { gzipSync } from 'node:zlib'
import { APIS } from '../../../../src/protocol/messages/index.ts'
import { atEachVersion, call, type Step } from '../transcript.ts'
import { altered, batch, bytes, CODECS, damaged, TIME, withRecords } from './batches.ts'
import { LATEST, named, produced, request } from './producing.ts'
import { fetchAll, fetchBytes } from './read.ts'
import { idOf, topic } from './topic.ts'

const { Produce } = APIS
const HOUR_MS = 3_600_000n
const COMPRESSED = ['gzip', 'snappy', 'lz4', 'zstd'] as const
const PLAIN = 'validation-plain'

/** A batch with changed bytes and the old CRC. */
function broken(change: (batch: Buffer) => void): Buffer {
  const whole = bytes(['a', 'b'])
  change(whole)
  return whole
}

const sent = (name: string, records: Buffer | (() => Buffer), into = PLAIN) => produced(name, records, into)

/**
 * Left out: lengths of 14 to 48, below the size of a batch header (Kafka refuses the partition, minikafka the whole
 * request; for smaller lengths both refuse the request), and 2^31-1, which overflows in Kafka (INVALID_RECORD in
 * minikafka).
 */
const framing: Step[] = [
  ...[3, 8, LATEST].map(version => call('empty records', Produce, version, request([named(PLAIN, Buffer.alloc(0))]))),
  ...[1, 10, 16, 17, 60, 61, 65].map(length =>
    sent(`the first ${length} bytes`, bytes(['a', 'b']).subarray(0, length))
  ),
  sent('two batches', Buffer.concat([bytes(['a']), bytes(['b'])])),
  ...[1, 11, 12, 30, 61].map(length =>
    sent(`a batch and ${length} bytes of another`, Buffer.concat([bytes(['a']), bytes(['b']).subarray(0, length)]))
  ),
  ...[5, 12, 17, 40, 100].map(length =>
    sent(`a batch and ${length} zeros`, Buffer.concat([bytes(['a']), Buffer.alloc(length)]))
  ),
  sent('a batch and 40 bytes of ones', Buffer.concat([bytes(['a']), Buffer.alloc(40, 1)])),
  ...[-1, 0, 10, 13, 49, 60, 1_000_000].map(length =>
    sent(
      `a length of ${length}`,
      broken(whole => whole.writeInt32BE(length, 8))
    )
  ),
  ...[0, 1, 3, -1, 127].map(magic =>
    sent(
      `magic ${magic}`,
      broken(whole => whole.writeInt8(magic, 16))
    )
  ),
  ...[3, 7].map(version =>
    call(
      'magic 1',
      Produce,
      version,
      request([
        named(
          PLAIN,
          broken(whole => whole.writeInt8(1, 16))
        )
      ])
    )
  ),
  ...[3, 8].map(version =>
    call('bytes that are no batch fail all partitions', Produce, version, {
      ...request([
        named(PLAIN, bytes(['a'])),
        named('validation-future', bytes(['b'])),
        named(
          'validation-none',
          broken(whole => whole.writeInt32BE(3, 8))
        )
      ])
    })
  ),
  sent(
    'magic 1 with a bit that makes batches of magic 2 transactional',
    broken(whole => {
      whole.writeInt8(1, 16)
      whole.writeUInt8(0x10, 22)
    })
  ),
  sent(
    'a wrong CRC',
    broken(whole => whole.writeInt32BE(7, 17))
  ),
  sent(
    'a changed record',
    broken(whole => whole.writeUInt8(0x61, whole.length - 3))
  ),
  sent(
    'a leader epoch',
    broken(whole => whole.writeInt32BE(77, 12))
  )
]

const headers: Step[] = [
  ...[5, 6, 7].flatMap(codec =>
    [3, LATEST].map(version =>
      call(
        `codec ${codec}`,
        Produce,
        version,
        request([
          named(
            PLAIN,
            altered(whole => whole.writeInt16BE(codec, 21))
          )
        ])
      )
    )
  ),
  ...[3, 6].map(version =>
    call('zstd in an old version', Produce, version, request([named(PLAIN, bytes(['a'], { codec: 'zstd' }))]))
  ),
  sent('a control batch', bytes(['a'], { isControl: true })),
  sent('a compressed control batch', bytes(['a'], { isControl: true, codec: 'gzip' })),
  sent(
    'a delete horizon',
    altered(whole => whole.writeInt16BE(0x40, 21))
  ),
  sent(
    'reserved attributes',
    altered(whole => whole.writeInt16BE(0x80, 21))
  ),
  sent(
    'attributes beyond the first byte',
    altered(whole => whole.writeInt16BE(0x4100, 21))
  ),
  sent('append time said by the producer', bytes(['a', 'b'], { timestampType: 'LogAppendTime', maxTimestamp: TIME })),
  sent(
    'append time said by the producer, compressed',
    bytes(['a'], { timestampType: 'LogAppendTime', maxTimestamp: TIME, codec: 'gzip' })
  ),
  ...[17n, -1n, 2n ** 62n].map(baseOffset => sent(`a base offset of ${baseOffset}`, bytes(['a', 'b'], { baseOffset }))),
  ...[-1, -2, 0, 2, 100, 2_147_483_647].map(delta =>
    sent(
      `a last offset delta of ${delta}`,
      altered(whole => whole.writeInt32BE(delta, 23))
    )
  ),
  ...[-1, 0, 1, 3, 100_000].map(count =>
    sent(
      `${count} records said`,
      altered(whole => whole.writeInt32BE(count, 57))
    )
  ),
  ...([1, 3, 100_000] as const).flatMap(count =>
    (['none', 'gzip'] as const).map(codec =>
      sent(
        `${count} records and as many offsets said, ${codec}`,
        altered(
          whole => {
            whole.writeInt32BE(count, 57)
            whole.writeInt32BE(count - 1, 23)
          },
          { codec }
        )
      )
    )
  ),
  sent('no records', bytes([])),
  sent('no records and a delta', bytes([], { lastOffsetDelta: -1 })),
  sent(
    'a maximum timestamp that is wrong',
    altered(whole => whole.writeBigInt64BE(TIME + 77n, 35))
  ),
  sent(
    'a maximum timestamp that is wrong, compressed',
    altered(whole => whole.writeBigInt64BE(TIME + 77n, 35), { codec: 'gzip' })
  ),
  ...[-1n, -5n, 0n].flatMap(time =>
    (['none', 'gzip'] as const).map(codec =>
      sent(`a first time of ${time}, ${codec}`, bytes(['a', 'b'], { time, codec }))
    )
  )
]

/** Bytes 0 to 9 of a record: length, attributes, timestamp delta, offset delta, key length, key, value length ... */
const RECORD = { length: 0, attributes: 1, offsetDelta: 3, keyLength: 4, valueLength: 6, headers: 8, headerKey: 9 }
const FIELDS = Object.entries(RECORD) as [keyof typeof RECORD, number][]

/**
 * Left out because Kafka does not check them: the record length in a compressed batch that is stored unchanged, though
 * no consumer can read the record, and an endless varint in an uncompressed batch (UNKNOWN_SERVER_ERROR in Kafka).
 * minikafka returns INVALID_RECORD.
 */
const records: Step[] = [
  ...FIELDS.flatMap(([field, at]) =>
    [0x01, 0x7e].flatMap(value =>
      (['none', 'gzip'] as const)
        .filter(codec => codec === 'none' || field !== 'length')
        .map(codec => sent(`a record's ${field} as ${value}, ${codec}`, changedRecord(at, value, codec)))
    )
  ),
  ...(['none', 'gzip'] as const).flatMap(codec => [
    sent(
      `half a record, ${codec}`,
      plainRecords(plain => plain.subarray(0, -6), codec)
    ),
    sent(
      `records and more bytes, ${codec}`,
      plainRecords(plain => Buffer.concat([plain, Buffer.alloc(3)]), codec)
    )
  ]),
  sent(
    'a length without end, gzip',
    plainRecords(plain => Buffer.concat([Buffer.alloc(6, 0xff), plain]), 'gzip')
  )
]

/**
 * Left out: bytes after the end of a gzip member. Java's reader ignores them, Node's does not, and no client writes
 * them.
 */
const payloads: Step[] = COMPRESSED.flatMap(codec => {
  const spoilt = (name: string, change: (payload: Buffer) => Buffer) =>
    sent(`${codec} ${name}`, withRecords(change, { codec }))
  return [
    spoilt('that is none', () => Buffer.from('these bytes are not compressed at all')),
    spoilt('without a byte', () => Buffer.alloc(0)),
    ...[1, 7, 8, 13, 16].map(length =>
      spoilt(`of which ${length} bytes are there`, payload => payload.subarray(0, length))
    ),
    spoilt('of which half is there', payload => payload.subarray(0, payload.length >> 1)),
    spoilt('without its last byte', payload => payload.subarray(0, -1)),
    spoilt('with a wrong beginning', payload =>
      Buffer.concat([Buffer.from([payload[0] ?? 0, 0xee]), payload.subarray(2)])
    ),
    spoilt('with a wrong end', payload => Buffer.concat([payload.subarray(0, -2), Buffer.from([0xee, 0xee])])),
    ...(codec === 'gzip'
      ? []
      : [spoilt('and more bytes', payload => Buffer.concat([payload, Buffer.from([1, 2, 3])]))]),
    spoilt('twice', payload => Buffer.concat([payload, payload]))
  ]
})

const compaction: Step[] = [
  topic('validation-compact', 1, { 'cleanup.policy': 'compact' }),
  topic('validation-both', 1, { 'cleanup.policy': 'compact,delete' }),
  topic('validation-strict', 1, { 'cleanup.policy': 'compact', 'message.timestamp.before.max.ms': '1000' }),
  ...atEachVersion('no key on a compacted topic', Produce, version => session => {
    const reference = version < 13 ? { name: 'validation-compact' } : { topicId: idOf(session, 'validation-compact') }
    const partitionData = [{ index: 0, records: bytes(['a', 'b'], { key: null }) }]
    return request([{ ...reference, partitionData }])
  }),
  sent('no key, five times', bytes(['a', 'b', 'c', 'd', 'e'], { key: null }), 'validation-compact'),
  ...COMPRESSED.map(codec => sent(`no key, ${codec}`, bytes(['a', 'b'], { key: null, codec }), 'validation-compact')),
  sent('no key and a policy of both', bytes(['a'], { key: null }), 'validation-both'),
  sent('no key and too old', bytes(['a', 'b'], { key: null }), 'validation-strict'),
  sent('too old on a compacted topic', bytes(['a']), 'validation-strict'),
  sent('a key on a compacted topic', bytes(['a', null]), 'validation-compact'),
  fetchBytes('a compacted topic', 'validation-compact', 1)
]

const times: Step[] = [
  topic('validation-appended', 1, { 'message.timestamp.type': 'LogAppendTime' }),
  ...CODECS.map(codec => sent(`append time, ${codec}`, bytes(['a', 'b'], { codec }), 'validation-appended')),
  sent('append time for records without time', bytes(['a', 'b'], { time: -1n }), 'validation-appended'),
  sent(
    'append time that the producer has said',
    bytes(['a', 'b'], { timestampType: 'LogAppendTime', maxTimestamp: TIME }),
    'validation-appended'
  ),
  fetchAll('with append time', 'validation-appended', 1),
  topic('validation-window', 1, {
    'message.timestamp.before.max.ms': '10000',
    'message.timestamp.after.max.ms': '10000'
  }),
  ...atEachVersion('too old', Produce, version => session => {
    const reference = version < 13 ? { name: 'validation-window' } : { topicId: idOf(session, 'validation-window') }
    return request([{ ...reference, partitionData: [{ index: 0, records: bytes(['a', 'b']) }] }])
  }),
  sent('too old, compressed', bytes(['a', 'b'], { codec: 'lz4' }), 'validation-window'),
  ...[HOUR_MS, -HOUR_MS, 0n, 9500n].map(delta =>
    sent(`${delta} ms from now`, () => bytes(['a', 'b'], { time: now() + delta }), 'validation-window')
  ),
  sent('without time', bytes(['a'], { time: -1n }), 'validation-window'),
  sent('two hours ahead', () => bytes(['a'], { time: now() + 2n * HOUR_MS })),
  sent('half an hour ahead', () => bytes(['a'], { time: now() + HOUR_MS / 2n }), 'validation-future'),
  sent('the largest time', bytes(['a'], { time: 2n ** 63n - 1n })),
  sent('the least time', bytes(['a'], { time: -(2n ** 63n) }))
]

const LIMIT = batch(['x'.repeat(100)]).bytes.length

const sizes: Step[] = [
  topic('validation-small', 1, { 'max.message.bytes': `${LIMIT}` }),
  sent('a batch of exactly max.message.bytes', bytes(['x'.repeat(100)]), 'validation-small'),
  sent('a batch of a byte more', bytes(['x'.repeat(101)]), 'validation-small'),
  ...[3, 13].map(version =>
    call('a batch above max.message.bytes', Produce, version, session =>
      request([
        {
          ...(version < 13 ? { name: 'validation-small' } : { topicId: idOf(session, 'validation-small') }),
          partitionData: [{ index: 0, records: bytes(['x'.repeat(101)]) }]
        }
      ])
    )
  ),
  sent('a batch that is small when compressed', bytes(['x'.repeat(1000)], { codec: 'gzip' }), 'validation-small'),
  sent('too large, and a wrong CRC', damaged(bytes(['x'.repeat(101)])), 'validation-small'),
  topic('validation-unpacked', 1, { 'max.message.bytes': '500', 'compression.type': 'uncompressed' }),
  sent('too large when unpacked', bytes(['x'.repeat(1000)], { codec: 'gzip' }), 'validation-unpacked'),
  sent('small enough when unpacked', bytes(['x'.repeat(100)], { codec: 'gzip' }), 'validation-unpacked'),
  topic('validation-packed', 1, { 'max.message.bytes': '500', 'compression.type': 'gzip' }),
  sent('too large before it is packed', bytes(['x'.repeat(1000)]), 'validation-packed'),
  topic('validation-segment', 1, { 'segment.bytes': `${1 << 20}`, 'max.message.bytes': `${4 << 20}` }),
  sent('a batch above segment.bytes', bytes(['x'.repeat(1_200_000)]), 'validation-segment'),
  sent('a batch below it', bytes(['x'.repeat(1_000_000)]), 'validation-segment'),
  fetchBytes('what fits into segments', 'validation-segment', 1)
]

const compression: Step[] = (['gzip', 'snappy', 'lz4', 'zstd', 'uncompressed'] as const).flatMap(type => {
  const name = `validation-${type}`
  return [
    topic(name, 1, { 'compression.type': type }),
    ...CODECS.map(codec => sent(`${codec} into a topic of ${type}`, bytes(['a', 'b', null], { codec }), name)),
    sent(`a wrong offset delta into a topic of ${type}`, plainRecords(skippedOffset, 'gzip'), name),
    sent(`a negative time into a topic of ${type}`, bytes(['a'], { time: -5n }), name),
    sent(
      `no epoch into a topic of ${type}`,
      bytes(['a'], { producerId: 9n, producerEpoch: -1, baseSequence: 0 }),
      name
    ),
    sent(`a negative producer into a topic of ${type}`, bytes(['a'], { producerId: -9n }), name),
    sent(`a control batch into a topic of ${type}`, bytes(['a'], { isControl: true }), name),
    fetchAll(`a topic of ${type}`, name, 1)
  ]
})

const appended: Step[] = [
  topic('validation-appended-gzip', 1, { 'message.timestamp.type': 'LogAppendTime', 'compression.type': 'gzip' }),
  ...CODECS.map(codec =>
    sent(`append time, recompressed from ${codec}`, bytes(['a', 'b'], { codec }), 'validation-appended-gzip')
  ),
  fetchAll('with append time, recompressed', 'validation-appended-gzip', 1)
]

function now(): bigint {
  return BigInt(Date.now())
}

/** A batch of two records whose records are changed before compression. */
function plainRecords(change: (records: Buffer) => Buffer, codec: 'none' | 'gzip'): Buffer {
  const plain = change(bytes(['a', 'b']).subarray(61))
  return withRecords(() => (codec === 'none' ? plain : gzipSync(plain)), { codec })
}

function changedRecord(at: number, value: number, codec: 'none' | 'gzip'): Buffer {
  return plainRecords(plain => Buffer.from(plain).fill(value, at, at + 1), codec)
}

/** Sets the offset delta of the second record to 3. */
function skippedOffset(plain: Buffer): Buffer {
  const changed = Buffer.from(plain)
  const second = 1 + ((plain[0] ?? 0) >> 1)
  return changed.fill(6, second + 4, second + 5)
}

export const produceValidation: Step[] = [
  topic(PLAIN),
  topic('validation-future'),
  ...framing,
  ...headers,
  ...records,
  ...payloads,
  ...compaction,
  ...times,
  ...sizes,
  ...compression,
  ...appended,
  fetchBytes('the log in the end', PLAIN, 1)
]
