/** Every parser of bytes from files, with damaged input: it accepts the bytes or throws its own kind of error. */

import { describe, expect, test } from 'vitest'
import { resolve } from '../../src/config/resolve.ts'
import { ConfigError, fromProperties } from '../../src/config/sources.ts'
import { groupDecoder, txnDecoder } from '../../src/dump/formats/coordinator-decoder.ts'
import { legacyRecords } from '../../src/dump/formats/legacy.ts'
import { controlPairs } from '../../src/dump/formats/log.ts'
import { decodeRecord, encodeRecord } from '../../src/group/records.ts'
import { CorruptSnapshot, decodeSnapshot } from '../../src/idempotence/producer-snapshot.ts'
import { parseCheckpoint } from '../../src/log/checkpoints.ts'
import { TransactionIndex, transactionIndexProblem } from '../../src/log/segment/transaction-index.ts'
import { decodeMetadataRecord, encodeMetadataRecord, metadataRecord } from '../../src/metadata/records.ts'
import { KafkaError } from '../../src/protocol/errors.ts'
import { batchesIn, CorruptRecordError, RecordBatch } from '../../src/protocol/records/batch.ts'
import { crc32c } from '../../src/protocol/records/checksum.ts'
import { readEndTxnMarker } from '../../src/protocol/records/control.ts'
import { RecordWalker, recordsOf } from '../../src/protocol/records/record.ts'
import { MalformedFrame } from '../../src/protocol/wire/bytes.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import { MemoryStorage } from '../../src/storage/memory-storage.ts'
import { decodeRecord as decodeTxnRecord } from '../../src/txn/records.ts'
import { BOOTSTRAP, LEGACY, SNAPSHOT } from '../dump/vectors.ts'
import { RECORDS as CONSUMER_GROUP_RECORDS } from '../group/consumer/record-vectors.ts'
import { ABORT_MARKER, BY_CODEC, hex, TRANSACTIONAL } from '../protocol/records/vectors.ts'
import { mutated, ROUNDS, TIMEOUT_MS } from './mutations.ts'

const LIMIT = 1 << 20
const DIRECTORY_ID = 'EBESExQVFhcYGRobHB0eHw'
const TOPIC_ID = 'AAECAwQFBgcICQoLDA0ODw'

interface Parser {
  readonly name: string
  readonly samples: readonly Buffer[]
  readonly parse: (bytes: Buffer) => void
  readonly errors: readonly (abstract new (...args: never[]) => Error)[]
  /** Recomputes checksums, so that damage passes their check. */
  readonly mend?: (bytes: Buffer) => void
}

const samplesOfGroups = [
  encodeRecord({
    type: 'OffsetCommit',
    key: { group: 'g', topic: 'topic', partition: 3 },
    value: { offset: 5n, leaderEpoch: 0, metadata: 'm', commitTimestamp: 1n, expireTimestamp: -1n, topicId: TOPIC_ID }
  }),
  encodeRecord({
    type: 'GroupMetadata',
    key: { group: 'g' },
    value: {
      protocolType: 'consumer',
      generation: 1,
      protocol: 'range',
      leader: 'm1',
      currentStateTimestamp: 1n,
      members: Array.from({ length: 3 }, (_, at) => ({
        memberId: `m${at}`,
        groupInstanceId: at === 0 ? null : 'i',
        clientId: 'c',
        clientHost: '/127.0.0.1',
        rebalanceTimeout: 300_000,
        sessionTimeout: 45_000,
        subscription: Buffer.from('00010000000100037466660000000000000000', 'hex'),
        assignment: Buffer.from('00000000000000000000', 'hex')
      }))
    }
  }),
  ...CONSUMER_GROUP_RECORDS.map(([, record]) => encodeRecord(record))
]
const asPair = ({ key, value }: { key: Buffer; value: Buffer | null }) =>
  Buffer.concat([Buffer.of(key.length), key, value ?? Buffer.alloc(0)])
const fromPair = (bytes: Buffer) => {
  const end = 1 + (bytes[0] ?? 0)
  return { key: bytes.subarray(1, end), value: bytes.subarray(end) }
}

const metadataSamples = [
  metadataRecord('PartitionRecord', {
    partitionId: 0,
    topicId: TOPIC_ID,
    replicas: [1, 2],
    isr: [1],
    leader: 1,
    leaderEpoch: 7,
    partitionEpoch: 9,
    directories: [DIRECTORY_ID]
  }),
  metadataRecord('ConfigRecord', { resourceType: 2, resourceName: 'foo', name: 'cleanup.policy', value: 'compact' }),
  metadataRecord('RegisterBrokerRecord', {
    brokerId: 1,
    incarnationId: TOPIC_ID,
    brokerEpoch: 7n,
    endPoints: [{ name: 'PLAINTEXT', host: 'localhost', port: 9092, securityProtocol: 0 }],
    features: [{ name: 'metadata.version', minSupportedVersion: 7, maxSupportedVersion: 25 }],
    logDirs: [DIRECTORY_ID]
  }),
  metadataRecord('ClientQuotaRecord', {
    entity: [{ entityType: 'user', entityName: null }],
    key: 'k',
    value: 1.5,
    remove: false
  })
].map(encodeMetadataRecord)

const ABORTED = hex('0000 00000000000003e8 000000000000000a 000000000000000f 0000000000000010')
const BATCHES = [...Object.values(BY_CODEC), TRANSACTIONAL, ABORT_MARKER, BOOTSTRAP]

function sealed(bytes: Buffer): void {
  if (bytes.length < 61) return
  bytes.writeInt32BE(bytes.length - 12, 8)
  bytes.writeInt8(2, 16)
  new RecordBatch(bytes).seal()
}

const PARSERS: readonly Parser[] = [
  {
    name: 'record batches',
    samples: BATCHES,
    parse: bytes => {
      for (const batch of batchesIn(bytes)) {
        batch.hasValidCrc()
        if (batch.isLegacy) continue
        for (const walker = new RecordWalker(batch, LIMIT); walker.next(); ) walker.record()
      }
    },
    errors: [KafkaError],
    mend: sealed
  },
  {
    name: 'records as objects',
    samples: BATCHES.slice(0, -1),
    parse: bytes => {
      for (const batch of batchesIn(bytes))
        for (const record of recordsOf(batch)) if (batch.isControl) controlPairs(record)
    },
    errors: [KafkaError, MalformedFrame],
    mend: sealed
  },
  {
    name: 'messages of old formats',
    samples: Object.values(LEGACY),
    parse: bytes => {
      for (const batch of batchesIn(bytes)) if (batch.isLegacy) for (const { key } of legacyRecords(batch)) void key
    },
    errors: [KafkaError, MalformedFrame]
  },
  {
    name: 'snapshots of producers',
    samples: [SNAPSHOT],
    parse: decodeSnapshot,
    errors: [CorruptSnapshot],
    mend: bytes => bytes.length >= 10 && bytes.writeUInt32BE(crc32c(bytes.subarray(6)), 2)
  },
  {
    name: 'checkpoint files',
    samples: [Buffer.from('0\n2\norders 0 5\nmy-topic 12 99\n'), Buffer.from('0\n2\n0 0\n3 17\n')],
    parse: bytes => {
      for (const columns of [2, 3]) for (const row of parseCheckpoint(bytes, columns) ?? []) BigInt(row.at(-1) ?? 0)
    },
    errors: []
  },
  { name: 'metadata records', samples: metadataSamples, parse: decodeMetadataRecord, errors: [MalformedFrame] },
  {
    name: 'records of groups',
    samples: samplesOfGroups.map(asPair),
    parse: bytes => {
      groupDecoder({ offset: 0n, ...fromPair(bytes) })
      decodeRecord(fromPair(bytes))
    },
    errors: [MalformedFrame]
  },
  {
    name: 'records of transactions',
    samples: [
      hex(`06 0000 0002 7478 0001 00000000000003e8 0001 0000ea60 01 02 04 666f6f 02 00000000 00
        0000018bcfe56801 0000018bcfe56800 01 02 02 0002`)
    ],
    parse: bytes => {
      txnDecoder({ offset: 0n, ...fromPair(bytes) })
      decodeTxnRecord(fromPair(bytes))
    },
    errors: [MalformedFrame]
  },
  {
    name: 'ends of transactions',
    samples: [ABORT_MARKER],
    parse: bytes => {
      for (const batch of batchesIn(bytes)) if (!batch.isLegacy && batch.isControl) readEndTxnMarker(batch)
    },
    errors: [KafkaError, MalformedFrame],
    mend: sealed
  },
  {
    name: 'lists of aborted transactions',
    samples: [ABORTED, Buffer.concat([ABORTED, ABORTED, ABORTED])],
    parse: bytes => {
      const storage = new MemoryStorage()
      storage.append('txnindex', bytes)
      void transactionIndexProblem(storage, 'txnindex', 0n)
      const index = new TransactionIndex(storage, 'txnindex')
      for (const offset of [0n, 12n, 1n << 62n]) for (const { lastOffset } of index.from(offset)) void lastOffset
    },
    errors: [CorruptRecordError]
  },
  {
    name: 'server.properties',
    samples: [
      Buffer.from(
        '# a comment\nnum.partitions=3\nlog.retention.hours: 168\\\n0\nlisteners=PLAINTEXT://localhost:9092\n'
      ),
      Buffer.from('node.id=1\ncompression.type=gzip\nmessage.max.bytes=1000\nlog.cleanup.policy=compact,delete\n')
    ],
    parse: bytes => resolve(fromProperties(bytes.toString('utf8'), 'server.properties')),
    errors: [ConfigError]
  }
]

describe.each(PARSERS)('$name', ({ name, samples, parse, errors, mend }) => {
  test('without damage are accepted', () => {
    for (const sample of samples) expect(() => parse(sample)).not.toThrow()
  })

  test('with any damage are accepted or refused in one sentence', { timeout: TIMEOUT_MS }, () => {
    const random = seededRandom(name.length)
    let refused = 0
    for (let round = 0; round < ROUNDS * samples.length; round++) {
      const bytes = Buffer.from(mutated(samples[round % samples.length] ?? Buffer.alloc(0), random))
      if (mend && random.below(2) === 0) mend(bytes)
      try {
        parse(bytes)
      } catch (error) {
        if (!errors.some(kind => error instanceof kind))
          throw new Error(`${bytes.toString('hex')}: ${error}`, { cause: error })
        expect(String(error)).toMatch(/\w{3}/)
        refused++
      }
    }
    if (errors.length > 0) expect(refused).toBeGreaterThan(0)
  })
})
