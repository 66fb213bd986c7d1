/** Lines of logs, checkpoints and snapshots, as Kafka 4.3's tool prints them for the same bytes. */
import { describe, expect, it } from 'vitest'
import { dumpTransactions } from '../../../src/dump/checks/transactions.ts'
import { verify } from '../../../src/dump/checks/verify.ts'
import * as decoders from '../../../src/dump/decoders.ts'
import { dump } from '../../../src/dump/dump.ts'
import { groupDecoder, metadataDecoder } from '../../../src/dump/formats/coordinator-decoder.ts'
import { jsonOf, textOf } from '../../../src/dump/items.ts'
import { buildBatch } from '../../../src/protocol/records/builder.ts'
import { crc32 } from '../../../src/protocol/records/checksum.ts'
import { StorageError } from '../../../src/storage/storage.ts'
import { ABORT_MARKER, BY_CODEC, hex, TRANSACTIONAL } from '../../protocol/records/vectors.ts'
import { folder, items, lines, options } from '../folder.ts'
import { BOOTSTRAP, SNAPSHOT } from '../vectors.ts'

const LOG = '00000000000000000000.log'
const NO_PRODUCER = 'baseSequence: -1 lastSequence: -1 producerId: -1 producerEpoch: -1'

it('a dump shows batches, and records on request', () => {
  const storage = folder({ [LOG]: Buffer.concat([TRANSACTIONAL, ABORT_MARKER]) })
  const batches = [
    'baseOffset: 0 lastOffset: 1 count: 2 baseSequence: 0 lastSequence: 1 producerId: 1000 producerEpoch: 1 partitionLeaderEpoch: 0 isTransactional: true isControl: false deleteHorizonMs: OptionalLong.empty position: 0 CreateTime: 1700000000010 size: 81 magic: 2 compresscodec: none crc: 1679690657 isvalid: true',
    'baseOffset: 15 lastOffset: 15 count: 1 baseSequence: -1 lastSequence: -1 producerId: 1000 producerEpoch: 1 partitionLeaderEpoch: 0 isTransactional: true isControl: true deleteHorizonMs: OptionalLong.empty position: 81 CreateTime: 1700000000000 size: 78 magic: 2 compresscodec: none crc: 2017205208 isvalid: true'
  ]
  const head = [`Dumping t-0/${LOG}`, 'Log starting offset: 0']
  expect(lines(storage)).toEqual([...head, ...batches])
  expect(lines(storage, options({ print: true }))).toEqual([
    ...head,
    batches[0],
    '| offset: 0 CreateTime: 1700000000000 keySize: 1 valueSize: 1 sequence: 0 headerKeys: [h] key: k payload: v',
    '| offset: 1 CreateTime: 1700000000010 keySize: -1 valueSize: -1 sequence: 1 headerKeys: []',
    batches[1],
    '| offset: 15 CreateTime: 1700000000000 keySize: 4 valueSize: 6 sequence: -1 headerKeys: [] endTxnMarker: ABORT coordinatorEpoch: 0',
    expect.stringMatching(/^Non-consecutive offsets in \/.*t-0\/0{20}\.log$/),
    '  1 is followed by 15'
  ])
  expect(lines(storage, options({ print: true, skipRecordMetadata: true })).slice(3, 7)).toEqual([
    '| key: k payload: v',
    '',
    batches[1],
    ''
  ])
})

it.each(Object.entries(BY_CODEC))('a dump reads the records of a batch of %s', (codec, bytes) => {
  const shown = lines(folder({ [LOG]: bytes }), options({ print: true }))
  expect(shown[2]).toContain(` compresscodec: ${codec} `)
  expect(shown[2]).toContain(' isvalid: true')
  expect(shown[6]).toBe(
    '| offset: 3 CreateTime: 1700000000003 keySize: 5 valueSize: 40 sequence: 8 headerKeys: [] key: key-3 payload: the same value again and again and again'
  )
})

it('a dump shows a delete horizon, LogAppendTime, and a batch that compaction emptied', () => {
  const { bytes } = buildBatch([], {
    baseOffset: 7n,
    timestampType: 'LogAppendTime',
    maxTimestamp: 5n,
    lastOffsetDelta: 2,
    deleteHorizonMs: 1_700_000_000_000n
  })
  expect(lines(folder({ [LOG]: bytes }), options({ deep: true }))[2]).toMatch(
    /^baseOffset: 7 lastOffset: 9 count: 0 .* deleteHorizonMs: OptionalLong\[1700000000000\] position: 0 LogAppendTime: 5 size: 61 /
  )
})

it('a dump reports the bytes at the end that are no whole batch, unless the bytes to read are limited', () => {
  const storage = folder({ [LOG]: Buffer.concat([TRANSACTIONAL, ABORT_MARKER.subarray(0, 77)]) })
  expect(lines(storage).at(-1)).toBe(`Found 77 invalid bytes at the end of ${LOG}`)
  expect(lines(storage, options({ maxBytes: 100 }))).toHaveLength(3)
  expect(lines(storage, options({ maxBytes: 80 }))).toHaveLength(2)
})

it('a dump reads messages of the older formats', () => {
  const body = hex('01 00 0000018bcfe56800 00000001 6b 00000001 76')
  const crc = Buffer.alloc(4)
  crc.writeUInt32BE(crc32(body))
  const storage = folder({ [LOG]: Buffer.concat([hex('0000000000000000 00000018'), crc, body]) })
  expect(lines(storage, options({ print: true })).slice(2)).toEqual([
    'offset: 0 position: 0 CreateTime: 1700000000000 size: 36 magic: 1 compresscodec: none crc: 958827571 isvalid: true',
    '| offset: 0 CreateTime: 1700000000000 keySize: 1 valueSize: 1 isValid: true crc: 958827571 key: k payload: v'
  ])
})

it('a dump decodes checkpoints of the cluster metadata', () => {
  const storage = folder({ 'bootstrap.checkpoint': BOOTSTRAP })
  expect(lines(storage, options({ print: true, decoder: metadataDecoder }))).toEqual([
    'Dumping t-0/bootstrap.checkpoint',
    'KRaft bootstrap snapshot',
    expect.stringMatching(RegExp(`^baseOffset: 0 lastOffset: 0 count: 1 ${NO_PRODUCER} .* isControl: true`)),
    '| offset: 0 CreateTime: 1795249711363 keySize: 4 valueSize: 11 sequence: -1 headerKeys: [] SnapshotHeader {"version":0,"lastContainedLogTimestamp":0}',
    expect.stringContaining('baseOffset: 1 lastOffset: 3 count: 3 '),
    expect.stringMatching(
      / headerKeys: \[\] payload: \{"type":"FEATURE_LEVEL_RECORD","version":0,"data":\{"name":"metadata.version","featureLevel":25\}\}$/
    ),
    expect.stringContaining('"name":"group.version"'),
    expect.stringContaining('"name":"transaction.version"'),
    expect.stringContaining('baseOffset: 4 '),
    expect.stringMatching(/ SnapshotFooter \{"version":0\}$/)
  ])
})

it('a dump takes the end offset of a metadata checkpoint from its file name', () => {
  const storage = folder({ '00000000000000000123-0000000004.checkpoint': Buffer.alloc(0) })
  expect(lines(storage)[1]).toBe('Snapshot end offset: 123, epoch: 4')
})

it('a dump shows producers, with their last batch if they have one', () => {
  expect(lines(folder({ '00000000000000000015.snapshot': SNAPSHOT })).slice(1)).toEqual([
    'producerId: 1000 producerEpoch: 1 coordinatorEpoch: 0 currentTxnFirstOffset: OptionalLong[10] lastTimestamp: 1700000000000 firstSequence: 0 lastSequence: 4 lastOffset: 14 offsetDelta: 4 timestamp: 1700000000000',
    'producerId: 2000 producerEpoch: 2 coordinatorEpoch: 3 currentTxnFirstOffset: OptionalLong.empty lastTimestamp: 1700000000005'
  ])
})

it('a dump shows aborted transactions', () => {
  const bytes = hex('0000 00000000000003e8 000000000000000a 000000000000000f 0000000000000010')
  expect(lines(folder({ '00000000000000000000.txnindex': bytes }))[1]).toBe(
    'version: 0 producerId: 1000 firstOffset: 10 lastOffset: 15 lastStableOffset: 16'
  )
})

it('a dump of folders leaves out other files, and ignores them if they are named', () => {
  const storage = folder({ 'partition.metadata': Buffer.from('version: 0'), [LOG]: TRANSACTIONAL })
  expect(lines(storage)).not.toContainEqual(expect.stringContaining('partition.metadata'))
  expect(lines(storage, options(), ['t-0/partition.metadata'])).toEqual([
    'Dumping t-0/partition.metadata',
    'Ignoring unknown file t-0/partition.metadata'
  ])
})

it.each([
  ['dumping', dump],
  ['verifying', verify],
  ['looking for transactions', dumpTransactions]
])('a folder that cannot be read is reported when %s, and the other folders are processed', (_, looking) => {
  const storage = folder({ [LOG]: TRANSACTIONAL })
  storage.makeDirectory('data/shut-0')
  storage.rename('t-0', 'data/t-0')
  const list = storage.list.bind(storage)
  storage.list = path => {
    if (path === 'data/shut-0') throw new StorageError('other', `${path}: EACCES: permission denied`)
    return list(path)
  }
  for (const given of ['data', 'data/shut-0']) {
    const items = [...looking(storage, [given], options())]
    expect(items.filter(({ kind }) => kind === 'problem').map(textOf)).toEqual([
      'data/shut-0: EACCES: permission denied'
    ])
    expect(items.at(-1)?.kind === 'problem').toBe(given !== 'data' && looking !== verify)
  }
})

it('a dump writes one JSON object per line', () => {
  const storage = folder({ [LOG]: TRANSACTIONAL })
  const objects = items(storage, options({ print: true })).map(item => JSON.parse(jsonOf(item)))
  expect(objects).toMatchObject([
    { kind: 'file', file: `t-0/${LOG}` },
    { kind: 'log', startingOffset: 0 },
    {
      kind: 'batch',
      baseOffset: 0,
      lastOffset: 1,
      deleteHorizonMs: null,
      isTransactional: true,
      compresscodec: 'none'
    },
    { kind: 'record', offset: 0, headerKeys: ['h'], key: 'k', payload: 'v' },
    { kind: 'record', offset: 1, keySize: -1 }
  ])
})

describe('filters of a dump', () => {
  const batches = [0n, 10n, 20n].map(baseOffset =>
    buildBatch(
      ['a', 'b'].map(key => ({ timestamp: 1n, key: Buffer.from(key), value: Buffer.from(`${key}${baseOffset}`) })),
      { baseOffset, producerId: baseOffset, producerEpoch: 0, baseSequence: 0 }
    )
  )
  const storage = folder({ [LOG]: Buffer.concat(batches.map(batch => batch.bytes)) })
  const shown = (filter: Parameters<typeof options>[0] & object) =>
    lines(storage, options({ print: true, ...filter })).flatMap(line => /payload: (.*)/.exec(line)?.[1] ?? [])

  it('a filter by offsets shows the records in the range', () => {
    expect(shown({ filter: { fromOffset: 1n, toOffset: 10n } })).toEqual(['b0', 'a10'])
  })

  it('a filter by producer shows the batches of the producer', () => {
    expect(shown({ filter: { producerId: 10n } })).toEqual(['a10', 'b10'])
  })

  it('a filter reports no missing offsets for the batches that it leaves out', () => {
    const at = (filter: object) =>
      lines(storage, options({ deep: true, filter })).filter(line => /followed by/.test(line))
    expect(at({})).toEqual(['  1 is followed by 10', '  11 is followed by 20'])
    expect(at({ fromOffset: 10n, toOffset: 11n })).toEqual(['  1 is followed by 10'])
    expect(at({ producerId: 20n })).toEqual(['  11 is followed by 20'])
  })

  it('a filter by key shows the records of the key, and only batches that have one', () => {
    expect(shown({ filter: { key: 'b' } })).toEqual(['b0', 'b10', 'b20'])
    expect(lines(storage, options({ print: true, filter: { key: 'c' } }))).not.toContainEqual(
      expect.stringContaining('baseOffset')
    )
  })
})

it('a dump shows text that is not valid UTF-8 as Java does', () => {
  const value = hex('61 eda080 62 eda0 63 ff 64 eda0')
  const { bytes } = buildBatch([{ timestamp: 1n, key: null, value }])
  const { plainDecoder, decoderOfClass } = decoders
  const text = decoderOfClass('org.apache.kafka.tools.api.StringDecoder')
  if (!text) throw new Error('there is a StringDecoder')
  expect(lines(folder({ [LOG]: bytes }), options({ print: true, decoder: plainDecoder(text, text) })).at(-1)).toMatch(
    / payload: a\ufffdb\ufffdc\ufffdd\ufffd$/
  )
})

it('a dump decodes the records of groups', () => {
  const record = { offset: 3n, key: hex('0009 0001 67'), value: null }
  expect(groupDecoder(record)).toEqual([['key', 'Unknown record type 9 at offset 3, skipping.']])
  expect(groupDecoder({ ...record, key: hex('00') })[0]?.[1]).toMatch(/^Error at offset 3, skipping\. /)
  expect(() => groupDecoder({ ...record, key: null })).toThrow(/offset 3 has no key/)
})
