// Compares log compaction with a real Kafka's: both compact the same batches in the same rounds. The remaining batches
// must be equal in headers and records, in segments of the same names.
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { APIS } from '../../src/protocol/messages/index.ts'
import { batchesIn } from '../../src/protocol/records/batch.ts'
import { type BatchOptions, buildBatch } from '../../src/protocol/records/builder.ts'
import type { Codec } from '../../src/protocol/records/compression/codecs.ts'
import { recordsOf } from '../../src/protocol/records/record.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import { startMinikafka } from './brokers.ts'
import { startKafka } from './kafka/kafka.ts'
import { dumpLog, dumpLogSegments } from './kafka-tools/dump-log-segments.ts'
import { Session } from './oracle/session.ts'
import { fill } from './oracle/transcripts/producing.ts'
import { leaders, topicId } from './oracle/transcripts/topic.ts'

const TOPIC = 't'
const ROUNDS = 4
// Short intervals. The test writes transaction markers itself, so partition verification is off.
const HASTE = { 'log.cleaner.backoff.ms': 100, 'transaction.partition.verification.enable': false }
const CODECS: readonly Codec[] = ['none', 'none', 'gzip', 'snappy', 'lz4', 'zstd']
const FUTURE = BigInt(Date.now() + 600_000)
const FIRST_TIMESTAMP = BigInt(Date.now() - 3_600_000)

/** A broker with fast compaction, and the path of its log. */
interface Compacting {
  readonly session: Session
  readonly data: string
  stop(): Promise<void>
}

let folder: string

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'compaction-'))
})

afterEach(async () => {
  await rm(folder, { recursive: true, force: true })
})

test.each([
  ['tombstones are kept for a day', '86400000'],
  ['tombstones are removed without delay', '0']
])('compaction leaves the same records as in Kafka: %s', async (_, deleteRetentionMs) => {
  const kafka = await startedKafka()
  const ours = await startedOurs()
  const both = [kafka, ours]
  try {
    for (const { session } of both) await createTopic(session, deleteRetentionMs)
    const batches = scenario()
    for (let round = 1; round <= ROUNDS; round++) {
      for (const { session } of both) {
        // Nothing is compacted under `cleanup.policy=delete`, so a round has the same batches in both brokers.
        await alter(session, 'delete')
        await fill(
          session,
          TOPIC,
          batches.slice(((round - 1) * batches.length) / ROUNDS, (round * batches.length) / ROUNDS)
        )
        await alter(session, 'compact')
      }
      const [theirs, own] = [await compacted(kafka), await compacted(ours)]
      expect(own).toEqual(theirs)
      expect(await left(ours.session)).toEqual(await left(kafka.session))
    }
  } finally {
    for (const { stop } of both) await stop()
  }
  await expectKafkaReads(join(ours.data, `${TOPIC}-0`))
})

test.each([
  ['markers are kept for a day', '86400000'],
  ['markers are removed in the second round after the records of their transaction', '0']
])('compaction leaves the same of transactions as in Kafka: %s', async (_, deleteRetentionMs) => {
  const kafka = await startedKafka()
  const ours = await startedOurs()
  const both = [kafka, ours]
  try {
    for (const { session } of both) await createTopic(session, deleteRetentionMs)
    for (const steps of transactions()) {
      for (const { session } of both) {
        await alter(session, 'delete')
        for (const step of steps) await ('records' in step ? send(session, step.records) : end(session, step))
        await alter(session, 'compact')
      }
      const [theirs, own] = [await compacted(kafka), await compacted(ours)]
      expect(own).toEqual(theirs)
      expect(await left(ours.session)).toEqual(await left(kafka.session))
      expect(await aborted(ours)).toEqual(await aborted(kafka))
    }
  } finally {
    for (const { stop } of both) await stop()
  }
  await expectKafkaReads(join(ours.data, `${TOPIC}-0`))
})

/** A transactional batch, or an end of the producer's transaction. */
type Step = { readonly records: Buffer } | Ending

interface Ending {
  readonly producerId: bigint
  readonly transactionResult: boolean
}

/**
 * Rounds of transactions of three concurrent producers. All transactions of a round end in the round. The records have
 * timestamps in the future, so that a marker, whose timestamp is the broker's time, does not roll a segment.
 */
function transactions(): Step[][] {
  const random = seededRandom(11)
  const sequences = [0, 0, 0]
  const open = new Set<number>()
  const ending = (producer: number): Ending => {
    open.delete(producer)
    return { producerId: BigInt(producer), transactionResult: random.below(2) === 0 }
  }
  return Array.from({ length: ROUNDS }, (_, round) => {
    const steps = Array.from({ length: 30 }, (_, index): Step[] => {
      const timestamp = FUTURE + BigInt(Math.floor((round * 30 + index) / 3) * 10)
      const producer = random.below(3)
      const records = Array.from({ length: 1 + random.below(3) }, () => ({
        key: Buffer.from(`key ${random.below(15)}`),
        value: random.below(4) === 0 ? null : Buffer.from(`value ${random.below(1_000_000)}`),
        timestamp
      }))
      const baseSequence = sequences[producer] ?? 0
      sequences[producer] = baseSequence + records.length
      open.add(producer)
      const producerOptions = { producerId: BigInt(producer), producerEpoch: 0, baseSequence, isTransactional: true }
      const { bytes } = buildBatch(records, producerOptions)
      return random.below(3) === 0 ? [{ records: bytes }, ending(producer)] : [{ records: bytes }]
    })
    return [...steps.flat(), ...[...open].map(ending)]
  })
}

async function send(session: Session, records: Buffer): Promise<void> {
  const topicData = [{ name: TOPIC, partitionData: [{ index: 0, records }] }]
  const request = { transactionalId: 'tx', acks: -1, timeoutMs: 5000, topicData }
  const answer = await session.sendRequest(APIS.Produce, 11, request)
  const code = typeof answer === 'string' ? answer : answer.responses[0]?.partitionResponses[0]?.errorCode
  if (code !== 'NONE') throw new Error(`a transactional batch was refused: ${code}`)
}

async function end(session: Session, ending: Ending): Promise<void> {
  const topics = [{ name: TOPIC, partitionIndexes: [0] }]
  const markers = [{ ...ending, producerEpoch: 0, coordinatorEpoch: 0, transactionVersion: 0, topics }]
  const answer = await session.sendRequest(APIS.WriteTxnMarkers, 1, { markers })
  const code = typeof answer === 'string' ? answer : answer.markers[0]?.topics[0]?.partitions[0]?.errorCode
  if (code !== 'NONE') throw new Error(`a marker was refused: ${code}`)
}

/** The entries of each .txnindex file, by file name. */
async function aborted({ data }: Compacting): Promise<object[]> {
  const log = join(data, `${TOPIC}-0`)
  const names = (await readdir(log)).filter(name => /^\d+\.txnindex$/.test(name)).sort()
  const files = await Promise.all(names.map(async name => ({ name, bytes: await readFile(join(log, name), 'hex') })))
  return files.filter(({ bytes }) => bytes !== '')
}

/** Batches with random keys, tombstones, producers and codecs; three batches a segment. */
function scenario(): Buffer[] {
  const random = seededRandom(7)
  const sequences = [0, 0, 0]
  return Array.from({ length: 120 }, (_, index) => {
    const timestamp = FIRST_TIMESTAMP + BigInt(Math.floor(index / 3) * 10)
    const records = Array.from({ length: 1 + random.below(4) }, () => ({
      key: Buffer.from(`key ${random.below(25)}`),
      value: random.below(4) === 0 ? null : Buffer.from(`value ${random.below(1_000_000)}`),
      timestamp,
      headers: random.below(3) === 0 ? [{ key: 'h', value: Buffer.from('v') }] : []
    }))
    const options: BatchOptions = { codec: CODECS[random.below(CODECS.length)] ?? 'none' }
    const producer = random.below(5)
    const baseSequence = sequences[producer]
    if (baseSequence === undefined) return buildBatch(records, options).bytes
    sequences[producer] = baseSequence + records.length
    return buildBatch(records, { ...options, producerId: BigInt(producer), producerEpoch: 0, baseSequence }).bytes
  })
}

async function startedKafka(): Promise<Compacting> {
  const { bootstrapServers, dataDir, stop } = await startKafka({ version: '4.3.1', config: HASTE })
  const session = new Session(bootstrapServers)
  return { session, data: join(dataDir, 'data'), stop: () => session.closeAll().then(stop) }
}

async function startedOurs(): Promise<Compacting> {
  const settings = Object.entries(HASTE).flatMap(([name, value]) => ['--set', `${name}=${value}`])
  const { bootstrapServers, stop } = await startMinikafka(['--data-dir', folder, ...settings])
  const session = new Session(bootstrapServers)
  return { session, data: folder, stop: () => session.closeAll().then(stop) }
}

async function createTopic(session: Session, deleteRetentionMs: string): Promise<void> {
  const configs = Object.entries({
    'cleanup.policy': 'delete',
    'retention.ms': '-1',
    'segment.ms': '1',
    'min.cleanable.dirty.ratio': '0.01',
    'file.delete.delay.ms': '0',
    'delete.retention.ms': deleteRetentionMs
  }).map(([name, value]) => ({ name, value }))
  await session.requestUntil(
    APIS.CreateTopics,
    7,
    { topics: [{ name: TOPIC, numPartitions: 1, replicationFactor: 1, configs }] },
    ({ topics }) => topics[0]?.errorCode === 'NONE'
  )
  await leaders(session, TOPIC, 1)
}

async function alter(session: Session, policy: string): Promise<void> {
  const configs = [{ name: 'cleanup.policy', configOperation: 0, value: policy }]
  await session.requestUntil(
    APIS.IncrementalAlterConfigs,
    1,
    { resources: [{ resourceType: 2, resourceName: TOPIC, configs }] },
    ({ responses }) => responses[0]?.errorCode === 'NONE'
  )
}

/**
 * Waits until the cleaner checkpoint covers all segments but the active one. Returns the names of the segment files.
 */
async function compacted({ data }: Compacting): Promise<string[]> {
  for (;;) {
    const checkpoint = await readFile(join(data, 'cleaner-offset-checkpoint'), 'utf8').catch(() => '')
    const names = (await readdir(join(data, `${TOPIC}-0`))).filter(name => /^\d+\.log$/.test(name)).sort()
    const active = BigInt(names.at(-1)?.slice(0, 20) ?? 0)
    if (checkpoint.includes(`${TOPIC} 0 ${active}\n`)) return names
    await new Promise(resolve => setTimeout(resolve, 50))
  }
}

/** The remaining log, without values that depend on the time of compaction or on the compressor. */
async function left(session: Session): Promise<object[]> {
  const id = await topicId(session, TOPIC)
  const found: object[] = []
  for (let fetchOffset = 0n; ; ) {
    const partitions = [{ partition: 0, fetchOffset, partitionMaxBytes: 1 << 20 }]
    const request = {
      maxWaitMs: 0,
      minBytes: 0,
      maxBytes: 1 << 20,
      sessionEpoch: -1,
      topics: [{ topicId: id, partitions }]
    }
    const answer = await session.sendRequest(APIS.Fetch, 17, request)
    if (typeof answer === 'string') throw new Error(`Fetch: ${answer}`)
    const batches = [...batchesIn(answer.responses[0]?.partitions[0]?.records ?? Buffer.alloc(0))]
    const last = batches.at(-1)
    if (!last) return found
    for (const batch of batches) {
      const { baseOffset, lastOffset, producerId, producerEpoch, baseSequence, maxTimestamp, codec, recordsCount } =
        batch
      const header = {
        baseOffset,
        lastOffset,
        producerId,
        producerEpoch,
        baseSequence,
        // The timestamp of a marker is the broker's time.
        maxTimestamp: batch.isControl ? 0n : maxTimestamp,
        codec,
        recordsCount
      }
      const records = recordsOf(batch).map(record => (batch.isControl ? { ...record, timestamp: 0n } : record))
      found.push({ ...header, hasHorizon: batch.deleteHorizonMs !== undefined, records })
    }
    fetchOffset = last.nextOffset
  }
}

/** DumpLogSegments finds no errors in our files, and prints the same as our dump-log. */
async function expectKafkaReads(log: string): Promise<void> {
  const names = (await readdir(log)).filter(name => /\.(log|index|timeindex|txnindex|snapshot)$/.test(name)).sort()
  for (const name of names) {
    const args = ['--files', join(log, name), ...(name.endsWith('.log') ? ['--print-data-log'] : [])]
    expect(await dumpLog(args)).toEqual(await dumpLogSegments(args))
  }
}
