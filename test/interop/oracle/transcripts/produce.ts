// Produce: what the leader accepts, what it refuses and with which code, and what then lies in the log.
import { APIS } from '../../../../src/protocol/messages/index.ts'
import type { Session } from '../session.ts'
import { arrange, atEachVersion, call, type Step } from '../transcript.ts'
import { altered, bytes, TIME } from './batches.ts'
import { fetchAll } from './read.ts'
import { idOf, topic } from './topic.ts'

const { Produce } = APIS
const LATEST = 12
const UNKNOWN_ID = 'AAAAAAAAAAAAAAAAAAAABQ'
const HOUR_MS = 3_600_000n
const CODECS = ['none', 'gzip', 'snappy', 'lz4', 'zstd'] as const

const partition = (records: Buffer | null, index = 0) => ({ index, records })
const named = (name: string, records: Buffer | null, index = 0) => ({
  name,
  partitionData: [partition(records, index)]
})
const request = (topicData: object[], more: object = {}) => ({
  ...{ transactionalId: null, acks: -1, timeoutMs: 5000, topicData: topicData as ReturnType<typeof named>[] },
  ...more
})
const refused = (name: string, records: Buffer | null, into = 'produce-plain') =>
  call(name, Produce, LATEST, request([named(into, records)]))

const good: Step[] = [
  topic('produce-plain', 2),
  ...atEachVersion(
    'a batch',
    Produce,
    version => (session: Session) =>
      request([
        {
          ...named('produce-plain', bytes(['a', 'b'])),
          topicId: version < 13 ? undefined : idOf(session, 'produce-plain')
        }
      ])
  ),
  ...CODECS.flatMap(codec => [
    call(
      `records compressed by ${codec}`,
      Produce,
      LATEST,
      request([named('produce-plain', bytes(['c', 'd'], { codec }))])
    ),
    call(`records compressed by ${codec}`, Produce, 3, request([named('produce-plain', bytes(['c', 'd'], { codec }))]))
  ]),
  call('an empty value and no key', Produce, LATEST, request([named('produce-plain', bytes([''], { key: null }))])),
  call(
    'two partitions and two topics',
    Produce,
    LATEST,
    request([
      { name: 'produce-plain', partitionData: [partition(bytes(['e'])), partition(bytes(['f']), 1)] },
      named('produce-none', bytes(['g']))
    ])
  ),
  fetchAll('the log', 'produce-plain', 2),
  call('acks=1', Produce, LATEST, request([named('produce-plain', bytes(['h']))], { acks: 1 })),
  arrange('acks=0', session =>
    session.send(Produce, LATEST, request([named('produce-plain', bytes(['i']))], { acks: 0 }))
  ),
  fetchAll('the log after it', 'produce-plain', 1)
]

// Null records are left out: Kafka never answers them.
const wrongRequests: Step[] = [
  ...[2, -2, 100].map(acks =>
    call(`acks=${acks}`, Produce, LATEST, request([named('produce-plain', bytes(['a']))], { acks }))
  ),
  call('no topics', Produce, LATEST, request([])),
  call('no partitions', Produce, LATEST, request([{ name: 'produce-plain', partitionData: [] }])),
  call('an unknown topic', Produce, LATEST, request([named('produce-none', bytes(['a']))])),
  call('an unknown partition', Produce, LATEST, request([named('produce-plain', bytes(['a']), 9)])),
  call('a negative partition', Produce, LATEST, request([named('produce-plain', bytes(['a']), -1)])),
  call('a name that is not allowed', Produce, LATEST, request([named('a b', bytes(['a']))])),
  call('an unknown id', Produce, 13, request([{ topicId: UNKNOWN_ID, partitionData: [partition(bytes(['a']))] }])),
  call('no id', Produce, 13, request([{ partitionData: [partition(bytes(['a']))] }])),
  call('the offsets topic', Produce, LATEST, request([named('__consumer_offsets', bytes(['a']))])),
  ...[3, 8, LATEST].map(version =>
    call('empty records', Produce, version, request([named('produce-plain', Buffer.alloc(0))]))
  ),
  ...[3, 6, 7].map(version =>
    call('zstd in an old version', Produce, version, request([named('produce-plain', bytes(['a'], { codec: 'zstd' }))]))
  )
]

const wrongBatches: Step[] = [
  refused(
    'a wrong CRC',
    alteredPlainly(batch => batch.writeInt32BE(7, 17))
  ),
  refused(
    'a changed record',
    alteredPlainly(batch => batch.writeUInt8(0x61, batch.length - 3))
  ),
  ...[0, 10, 60, 65].map(length => refused(`the first ${length} bytes`, bytes(['a', 'b']).subarray(0, length))),
  refused('two batches', Buffer.concat([bytes(['a']), bytes(['b'])])),
  refused('a batch and a piece', Buffer.concat([bytes(['a']), bytes(['b']).subarray(0, 30)])),
  ...[-1, 0, 10, 1_000_000].map(length =>
    refused(
      `a length of ${length}`,
      alteredPlainly(batch => batch.writeInt32BE(length, 8))
    )
  ),
  ...[0, 1, 3, -1].map(magic =>
    refused(
      `magic ${magic}`,
      alteredPlainly(batch => batch.writeInt8(magic, 16))
    )
  ),
  ...[5, 6, 7].map(codec =>
    refused(
      `codec ${codec}`,
      altered(batch => batch.writeInt16BE(codec, 21))
    )
  ),
  refused(
    'gzip that is none',
    altered(batch => batch.writeInt16BE(1, 21))
  ),
  refused('a control batch', bytes(['a'], { isControl: true })),
  refused('a transactional batch without a producer', bytes(['a'], { isTransactional: true })),
  refused(
    'a delete horizon',
    altered(batch => batch.writeInt16BE(0x40, 21))
  ),
  refused(
    'reserved attributes',
    altered(batch => batch.writeInt16BE(0x80, 21))
  ),
  refused('append time said by the producer', bytes(['a'], { timestampType: 'LogAppendTime', maxTimestamp: TIME })),
  refused('a base offset', bytes(['a', 'b'], { baseOffset: 17n })),
  ...[-1, 0, 2, 100].map(delta =>
    refused(
      `a last offset delta of ${delta}`,
      altered(batch => batch.writeInt32BE(delta, 23))
    )
  ),
  ...[-1, 0, 1, 3, 100_000].map(count =>
    refused(
      `${count} records said`,
      altered(batch => batch.writeInt32BE(count, 57))
    )
  ),
  refused('no records', bytes([])),
  refused(
    'a maximum timestamp that is wrong',
    altered(batch => batch.writeBigInt64BE(TIME + 77n, 35))
  ),
  refused('negative timestamps', bytes(['a'], { time: -1n })),
  refused('very negative timestamps', bytes(['a'], { time: -5n })),
  refused(
    'offsets that do not follow each other',
    altered(batch => batch.writeUInt8(6, 61 + 16 + 3))
  )
]

const settings: Step[] = [
  topic('produce-small', 1, { 'max.message.bytes': '100' }),
  refused('a batch above max.message.bytes', bytes(['x'.repeat(100)]), 'produce-small'),
  topic('produce-compact', 1, { 'cleanup.policy': 'compact' }),
  refused('no key on a compacted topic', bytes(['a', 'b'], { key: null }), 'produce-compact'),
  ...[3, 7, 8].map(version =>
    call(
      'no key on a compacted topic',
      Produce,
      version,
      request([named('produce-compact', bytes(['a'], { key: null }))])
    )
  ),
  refused('a key on a compacted topic', bytes(['a']), 'produce-compact'),
  topic('produce-appended', 1, { 'message.timestamp.type': 'LogAppendTime' }),
  refused('append time', bytes(['a', 'b']), 'produce-appended'),
  refused('append time, compressed', bytes(['a', 'b'], { codec: 'gzip' }), 'produce-appended'),
  fetchAll('with append time', 'produce-appended', 1),
  topic('produce-window', 1, { 'message.timestamp.before.max.ms': '1000', 'message.timestamp.after.max.ms': '1000' }),
  refused('too old', bytes(['a', 'b']), 'produce-window'),
  call('too far ahead', Produce, LATEST, () =>
    request([named('produce-window', bytes(['a'], { time: BigInt(Date.now()) + HOUR_MS }))])
  ),
  call('just right', Produce, LATEST, () =>
    request([named('produce-window', bytes(['a'], { time: BigInt(Date.now()) }))])
  ),
  call('two hours ahead', Produce, LATEST, () =>
    request([named('produce-plain', bytes(['a'], { time: BigInt(Date.now()) + 2n * HOUR_MS }))])
  ),
  ...(['gzip', 'snappy', 'lz4', 'zstd', 'uncompressed'] as const).flatMap(codec => [
    topic(`produce-${codec}`, 1, { 'compression.type': codec }),
    ...CODECS.map(own =>
      refused(`${own} into a topic of ${codec}`, bytes(['a', 'b'], { codec: own }), `produce-${codec}`)
    ),
    fetchAll(`a topic of ${codec}`, `produce-${codec}`, 1)
  ])
]

/** A batch changed without mending its CRC. */
function alteredPlainly(change: (batch: Buffer) => void): Buffer {
  const whole = bytes(['a', 'b'])
  change(whole)
  return whole
}

export const produce: Step[] = [
  ...good,
  ...wrongRequests,
  ...wrongBatches,
  ...settings,
  fetchAll('the log in the end', 'produce-plain', 2)
]
