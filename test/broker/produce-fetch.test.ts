import { describe, expect, it } from 'vitest'
import { DEFAULT_LOG_CONFIG } from '../../src/log/log-config.ts'
import { LogDirectory } from '../../src/log/log-directory.ts'
import { MemoryStorage } from '../../src/log/memory-storage.ts'
import { METADATA_TOPIC_ID, MetadataLog } from '../../src/metadata/metadata-log.ts'
import { metadataRecord } from '../../src/metadata/records.ts'
import { CloseConnection } from '../../src/net/dispatch.ts'
import { batchesIn } from '../../src/protocol/records/batch.ts'
import { silentLogger } from '../../src/runtime/logger.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { batchOf, connection, Harness, valuesIn } from './harness.ts'

/** Writes what a cluster with more nodes could have left: a leader whose replicas have all fallen out of sync. */
async function shrinkIsr(storage: MemoryStorage, topicId: string): Promise<void> {
  const clock = new ManualClock()
  const identity = { nodeId: 1 }
  const world = { storage, clock, random: seededRandom(1), logger: silentLogger }
  const directory = await LogDirectory.open({ ...world, identity })
  const log = directory.log({ topic: '__cluster_metadata', partition: 0 }, METADATA_TOPIC_ID, DEFAULT_LOG_CONFIG)
  const { directoryId } = directory.meta
  const metadata = new MetadataLog({ log, storage, clock, nodeId: 1, directoryId })
  metadata.append([metadataRecord('PartitionChangeRecord', { partitionId: 0, topicId, isr: [] })])
  await directory.close()
}

const idempotent = (baseSequence: number, producerEpoch = 0) => ({ producerId: 5n, producerEpoch, baseSequence })

/** A batch that does not fit its checksum. */
function spoilt(batch: Buffer): Buffer {
  return batch.fill(0xff, batch.length - 1)
}

describe('Produce', () => {
  it('gives records the next offsets and gives them back', async () => {
    await using broker = await Harness.start()
    const topicId = await broker.createTopic('t')
    expect(await broker.produce(topicId, batchOf(['a', 'b']))).toMatchObject({ errorCode: 'NONE', baseOffset: 0n })
    expect(await broker.produce(topicId, batchOf(['c']))).toMatchObject({ baseOffset: 2n, logAppendTimeMs: -1n })
    expect(await broker.values(topicId)).toEqual(['a', 'b', 'c'])
  })

  it('answers a retry with the first offset and appends nothing', async () => {
    await using broker = await Harness.start()
    const topicId = await broker.createTopic('t')
    await broker.produce(topicId, batchOf(['a', 'b'], idempotent(0)))
    await broker.produce(topicId, batchOf(['c'], idempotent(2)))
    expect(await broker.produce(topicId, batchOf(['a', 'b'], idempotent(0)))).toMatchObject({
      errorCode: 'NONE',
      baseOffset: 0n
    })
    expect(await broker.values(topicId)).toEqual(['a', 'b', 'c'])
  })

  it('refuses a gap and a fenced epoch, and tells the log start', async () => {
    await using broker = await Harness.start()
    const topicId = await broker.createTopic('t')
    await broker.produce(topicId, batchOf(['a'], idempotent(0, 3)))
    expect(await broker.produce(topicId, batchOf(['c'], idempotent(2, 3)))).toMatchObject({
      errorCode: 'OUT_OF_ORDER_SEQUENCE_NUMBER',
      baseOffset: -1n,
      logStartOffset: 0n
    })
    expect((await broker.produce(topicId, batchOf(['c'], idempotent(1, 2)))).errorCode).toBe('INVALID_PRODUCER_EPOCH')
  })

  it('forgets a producer that has been silent for producer.id.expiration.ms', async () => {
    await using broker = await Harness.start({ config: { 'producer.id.expiration.ms': 60_000 } })
    const topicId = await broker.createTopic('t')
    await broker.produce(topicId, batchOf(['a'], idempotent(0)))
    expect((await broker.produce(topicId, batchOf(['c'], idempotent(7)))).errorCode).toBe(
      'OUT_OF_ORDER_SEQUENCE_NUMBER'
    )
    broker.clock.advance(600_000)
    expect((await broker.produce(topicId, batchOf(['c'], idempotent(7)))).errorCode).toBe('NONE')
  })

  it('answers each partition by itself', async () => {
    await using broker = await Harness.start()
    const topicId = await broker.createTopic('t', 2)
    const { responses } = await broker.get('Produce', {
      transactionalId: null,
      acks: 1,
      timeoutMs: 0,
      topicData: [
        {
          topicId,
          partitionData: [
            { index: 0, records: batchOf(['good']) },
            { index: 1, records: spoilt(batchOf(['bad'])) },
            { index: 2, records: batchOf(['nowhere']) }
          ]
        }
      ]
    })
    expect(responses[0]?.partitionResponses.map(({ errorCode }) => errorCode)).toEqual([
      'NONE',
      'CORRUPT_MESSAGE',
      'UNKNOWN_TOPIC_OR_PARTITION'
    ])
  })

  it('is refused as a whole when a partition has bytes that are no batch, and when records need a transaction', async () => {
    await using broker = await Harness.start()
    const topicId = await broker.createTopic('t', 2)
    const transactional = batchOf(['bad'], { ...idempotent(0), isTransactional: true })
    const answers = [Buffer.from('this is no record batch at all, but bytes'), transactional].map(records =>
      broker.get('Produce', {
        ...{ transactionalId: null, acks: 1, timeoutMs: 0 },
        topicData: [
          {
            topicId,
            partitionData: [
              { index: 0, records: batchOf(['good']) },
              { index: 1, records }
            ]
          }
        ]
      })
    )
    const codes = (await Promise.all(answers)).map(({ responses }) =>
      responses[0]?.partitionResponses.map(({ errorCode }) => errorCode)
    )
    expect(codes).toEqual([
      ['CORRUPT_MESSAGE', 'CORRUPT_MESSAGE'],
      ['TRANSACTIONAL_ID_AUTHORIZATION_FAILED', 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED']
    ])
    expect(await broker.values(topicId)).toEqual([])
  })

  it('does not look for transactions in batches of old formats', async () => {
    await using broker = await Harness.start()
    const old = batchOf(['old'])
    old.writeInt8(1, 16)
    old.writeUInt8(0x10, 22)
    expect((await broker.produce(await broker.createTopic('t'), old)).errorCode).toBe('INVALID_RECORD')
  })

  it('takes the last batch for a partition that is named twice, and answers once', async () => {
    await using broker = await Harness.start()
    const topicId = await broker.createTopic('t', 2)
    const { responses } = await broker.get('Produce', {
      ...{ transactionalId: null, acks: 1, timeoutMs: 0 },
      topicData: [
        {
          topicId,
          partitionData: [
            { index: 0, records: batchOf(['first']) },
            { index: 1, records: batchOf(['other']) }
          ]
        },
        { topicId, partitionData: [{ index: 0, records: batchOf(['last']) }] }
      ]
    })
    expect(responses.map(topic => topic.partitionResponses.map(({ index }) => index))).toEqual([[0, 1]])
    expect(await broker.values(topicId)).toEqual(['last'])
  })

  it('tells the log start with what the log refuses, and not with what never came that far', async () => {
    await using broker = await Harness.start()
    const topicId = await broker.createTopic('t')
    const answers = [batchOf(['a'], { isControl: true }), Buffer.alloc(0)].map(records =>
      broker.produce(topicId, records)
    )
    expect(await Promise.all(answers)).toMatchObject([
      { errorCode: 'INVALID_RECORD', logStartOffset: 0n },
      { errorCode: 'INVALID_RECORD', logStartOffset: -1n }
    ])
  })

  it('tells the operator of faulty records in one line that names what is wrong', async () => {
    await using broker = await Harness.start()
    const topicId = await broker.createTopic('t')
    const told: string[] = []
    const damaged = batchOf(['a'])
    damaged.writeUInt8(damaged.readUInt8(damaged.length - 1) ^ 1, damaged.length - 1)
    const topicData = [{ topicId, partitionData: [{ index: 0, records: damaged }] }]
    const request = { transactionalId: null, acks: 1, timeoutMs: 0, topicData }
    await broker.get('Produce', request, { from: connection({ warn: what => told.push(what) }) })
    expect(told).toEqual([expect.stringMatching(/that are refused: CORRUPT_MESSAGE, .*checksum/)])
  })

  it('knows no topic by an unknown id, and none by an unknown name', async () => {
    await using broker = await Harness.start()
    expect((await broker.produce('AAECAwQFBgcICQoLDA0ODw', batchOf(['a']))).errorCode).toBe('UNKNOWN_TOPIC_ID')
    const byName = await broker.get(
      'Produce',
      {
        transactionalId: null,
        acks: 1,
        timeoutMs: 0,
        topicData: [{ name: 'nope', partitionData: [{ index: 0, records: batchOf(['a']) }] }]
      },
      { version: 12 }
    )
    expect(byName.responses[0]?.partitionResponses[0]?.errorCode).toBe('UNKNOWN_TOPIC_OR_PARTITION')
  })

  it('sends no answer with acks=0, and closes the connection when a partition failed', async () => {
    await using broker = await Harness.start()
    const topicId = await broker.createTopic('t')
    const send = (index: number) =>
      broker.ask('Produce', {
        transactionalId: null,
        acks: 0,
        timeoutMs: 0,
        topicData: [{ topicId, partitionData: [{ index, records: batchOf(['a']) }] }]
      })
    expect(await send(0)).toBeUndefined()
    await expect(send(9)).rejects.toThrow(CloseConnection)
    expect(await broker.values(topicId)).toEqual(['a'])
  })

  it('refuses acks that are no acks, and internal topics but for Kafka`s own admin client', async () => {
    await using broker = await Harness.start()
    const topicId = await broker.createTopic('t')
    expect((await broker.produce(topicId, batchOf(['a']), { acks: 2 })).errorCode).toBe('INVALID_REQUIRED_ACKS')
    await broker.get('FindCoordinator', { keyType: 0, coordinatorKeys: ['g'] })
    const { topics } = await broker.get('Metadata', { topics: [{ name: '__consumer_offsets' }] })
    const internal = topics[0]?.topicId ?? ''
    expect((await broker.produce(internal, batchOf(['a']))).errorCode).toBe('INVALID_TOPIC_EXCEPTION')
  })

  it('takes acks=all of a topic whose min.insync.replicas is above the number of its replicas', async () => {
    await using broker = await Harness.start()
    const topicId = await broker.createTopic('t', 1, { 'min.insync.replicas': '2' })
    expect((await broker.produce(topicId, batchOf(['a']))).errorCode).toBe('NONE')
  })

  it('refuses acks=all where the metadata say that too few replicas are in sync', async () => {
    const storage = new MemoryStorage()
    const first = await Harness.start({ storage })
    const topicId = await first.createTopic('t')
    await first.broker.stop()
    await shrinkIsr(storage, topicId)
    await using broker = await Harness.start({ storage })
    expect((await broker.produce(topicId, batchOf(['a']))).errorCode).toBe('NOT_ENOUGH_REPLICAS')
    expect((await broker.produce(topicId, batchOf(['a']), { acks: 1 })).errorCode).toBe('NONE')
  })

  it('knows no producer of a transactional id that never asked for one', async () => {
    await using broker = await Harness.start()
    await broker.get('FindCoordinator', { coordinatorKeys: ['tx'], keyType: 1 })
    const topicId = await broker.createTopic('t')
    const records = batchOf(['a'], { ...idempotent(0), isTransactional: true })
    const topicData = [{ topicId, partitionData: [{ index: 0, records }] }]
    const answer = await broker.get('Produce', { transactionalId: 'tx', acks: -1, timeoutMs: 0, topicData })
    expect(answer.responses[0]?.partitionResponses[0]?.errorCode).toBe('INVALID_PRODUCER_ID_MAPPING')
  })

  it('stamps records of a LogAppendTime topic and tells the time', async () => {
    await using broker = await Harness.start()
    const topicId = await broker.createTopic('t', 1, { 'message.timestamp.type': 'LogAppendTime' })
    const now = BigInt(broker.clock.now())
    expect((await broker.produce(topicId, batchOf(['a'], {}, 5n))).logAppendTimeMs).toBe(now)
  })

  it('tells which records a compacted topic refuses', async () => {
    await using broker = await Harness.start()
    const topicId = await broker.createTopic('t', 1, { 'cleanup.policy': 'compact' })
    const answer = await broker.produce(topicId, batchOf(['a', 'b']))
    expect(answer).toMatchObject({ errorCode: 'INVALID_RECORD', recordErrors: [{ batchIndex: 0 }, { batchIndex: 1 }] })
    expect(answer.errorMessage).toContain('2 record errors in total')
  })

  it('recompresses for a topic with a codec of its own', async () => {
    await using broker = await Harness.start()
    const topicId = await broker.createTopic('t', 1, { 'compression.type': 'gzip' })
    await broker.produce(topicId, batchOf(['a', 'b'], { codec: 'lz4' }))
    const answer = await broker.get('Fetch', broker.fetchRequest(topicId, 0n))
    const records = answer.responses[0]?.partitions[0]?.records ?? null
    expect([...batchesIn(records ?? Buffer.alloc(0))].map(({ codec }) => codec)).toEqual(['gzip'])
    expect(valuesIn(records)).toEqual(['a', 'b'])
  })
})

describe('Fetch', () => {
  it('waits for the append, and not for the deadline', async () => {
    await using broker = await Harness.start()
    const topicId = await broker.createTopic('t')
    const waiting = broker.get('Fetch', broker.fetchRequest(topicId, 0n, { maxWaitMs: 60_000 }))
    await broker.produce(topicId, batchOf(['a']))
    expect(valuesIn((await waiting).responses[0]?.partitions[0]?.records ?? null)).toEqual(['a'])
  })

  it('waits until minBytes have come together', async () => {
    await using broker = await Harness.start()
    const topicId = await broker.createTopic('t')
    const one = batchOf(['a'])
    const waiting = broker.get(
      'Fetch',
      broker.fetchRequest(topicId, 0n, { maxWaitMs: 60_000, minBytes: 2 * one.length })
    )
    await broker.produce(topicId, batchOf(['a']))
    await broker.produce(topicId, batchOf(['b']))
    expect(valuesIn((await waiting).responses[0]?.partitions[0]?.records ?? null)).toEqual(['a', 'b'])
  })

  it('does not wait for more in a segment that is full, though it became so meanwhile', async () => {
    await using broker = await Harness.start()
    const topicId = await broker.createTopic('t', 1, { 'segment.bytes': '1048576' })
    const large = batchOf(['x'.repeat(600_000)])
    const wanted = broker.fetchRequest(topicId, 0n, { minBytes: 50_000_000, maxBytes: 100_000_000, maxWaitMs: 60_000 })
    const waiting = broker.get('Fetch', wanted)
    for (const _ of [1, 2]) await broker.produce(topicId, Buffer.from(large))
    expect((await waiting).responses[0]?.partitions[0]?.highWatermark).toBe(2n)
    expect((await broker.get('Fetch', wanted)).responses[0]?.partitions[0]?.highWatermark).toBe(2n)
  })

  it('answers unknown partitions last, keeps the order of the others, and reads a partition once', async () => {
    await using broker = await Harness.start()
    const [a, b] = [await broker.createTopic('a', 2), await broker.createTopic('b')]
    const at = (partition: number, fetchOffset = 0n) => ({ partition, fetchOffset, partitionMaxBytes: 1000 })
    const topics = [
      { topicId: 'AAECAwQFBgcICQoLDA0ODw', partitions: [at(0)] },
      { topicId: a, partitions: [at(7), at(0, 9n), at(0)] },
      { topicId: b, partitions: [at(0)] },
      { topicId: a, partitions: [at(1)] }
    ]
    const { responses } = await broker.get('Fetch', broker.fetchRequest(a, 0n, { topics }))
    const told = responses.flatMap(({ topicId, partitions }) =>
      partitions.map(({ partitionIndex, errorCode }) => [topicId, partitionIndex, errorCode])
    )
    expect(told).toEqual([
      [a, 0, 'NONE'],
      [b, 0, 'NONE'],
      [a, 1, 'NONE'],
      ['AAECAwQFBgcICQoLDA0ODw', 0, 'UNKNOWN_TOPIC_ID'],
      [a, 7, 'UNKNOWN_TOPIC_OR_PARTITION']
    ])
    expect(responses).toHaveLength(5)
  })

  it('refuses an isolation level that is none: by name in every partition, by id as a whole', async () => {
    await using broker = await Harness.start()
    const topicId = await broker.createTopic('t')
    const byId = broker.fetchRequest(topicId, 0n, { isolationLevel: 2 })
    expect(await broker.get('Fetch', byId)).toMatchObject({ errorCode: 'UNKNOWN_SERVER_ERROR', responses: [] })
    const topics = [{ topic: 't', partitions: byId.topics[0]?.partitions ?? [] }]
    expect(await broker.get('Fetch', { ...byId, topics }, { version: 12 })).toMatchObject({
      errorCode: 'UNKNOWN_SERVER_ERROR',
      responses: [{ topic: 't', partitions: [{ errorCode: 'UNKNOWN_SERVER_ERROR' }] }]
    })
  })

  it('tells a follower that is none of ours who leads, from version 16 on', async () => {
    await using broker = await Harness.start()
    const topicId = await broker.createTopic('t')
    const request = broker.fetchRequest(topicId, 0n, { replicaState: { replicaId: 4, replicaEpoch: -1n } })
    for (const [version, leaderId] of [
      [15, -1],
      [16, 1]
    ] as const) {
      const { responses } = await broker.get('Fetch', request, { version })
      expect(responses[0]?.partitions[0]).toMatchObject({
        errorCode: 'NOT_LEADER_OR_FOLLOWER',
        currentLeader: { leaderId }
      })
    }
  })

  it('fails for less than no bytes where there is something to read', async () => {
    await using broker = await Harness.start()
    const topicId = await broker.createTopic('t')
    const request = broker.fetchRequest(topicId, 0n, { maxBytes: -1 })
    const code = async () => (await broker.get('Fetch', request)).responses[0]?.partitions[0]?.errorCode
    expect(await code()).toBe('NONE')
    await broker.produce(topicId, batchOf(['a']))
    expect(await code()).toBe('UNKNOWN_SERVER_ERROR')
  })

  it('keeps the name behind an id for a session, so that a topic made anew is told from the old one', async () => {
    await using broker = await Harness.start()
    const topicId = await broker.createTopic('t')
    const begun = await broker.get('Fetch', broker.fetchRequest(topicId, 0n, { sessionEpoch: 0 }))
    const next = async (sessionEpoch: number) => {
      const request = broker.fetchRequest(topicId, 0n, { sessionId: begun.sessionId, sessionEpoch, topics: [] })
      return (await broker.get('Fetch', request)).responses[0]?.partitions[0]?.errorCode
    }
    await broker.get('DeleteTopics', { topics: [{ name: 't' }], timeoutMs: 1000 })
    expect(await next(1)).toBe('UNKNOWN_TOPIC_OR_PARTITION')
    await broker.createTopic('t')
    expect(await next(2)).toBe('INCONSISTENT_TOPIC_ID')
  })

  it('gives up at its deadline with what there is', async () => {
    await using broker = await Harness.start()
    const topicId = await broker.createTopic('t')
    const waiting = broker.get('Fetch', broker.fetchRequest(topicId, 0n, { maxWaitMs: 500 }))
    broker.clock.advance(500)
    expect((await waiting).responses[0]?.partitions[0]).toMatchObject({ errorCode: 'NONE', highWatermark: 0n })
  })

  it('is answered when its topic is deleted, and when the broker stops', async () => {
    const broker = await Harness.start()
    const first = await broker.createTopic('first')
    const second = await broker.createTopic('second')
    const doomed = broker.get('Fetch', broker.fetchRequest(first, 0n, { maxWaitMs: 60_000 }))
    const parked = broker.get('Fetch', broker.fetchRequest(second, 0n, { maxWaitMs: 60_000 }))
    await broker.get('DeleteTopics', { topics: [{ name: 'first' }], timeoutMs: 1000 })
    expect((await doomed).responses[0]?.partitions[0]?.errorCode).toBe('UNKNOWN_TOPIC_OR_PARTITION')
    await broker.broker.stop()
    expect((await parked).responses[0]?.partitions[0]?.errorCode).toBe('NONE')
    expect(broker.clock.pendingAlarms).toBe(0)
  })

  it('lets a request go whose connection has gone', async () => {
    await using broker = await Harness.start()
    const topicId = await broker.createTopic('t')
    const gone = new AbortController()
    const parked = broker.get('Fetch', broker.fetchRequest(topicId, 0n, { maxWaitMs: 60_000 }), {
      from: connection({ closed: gone.signal })
    })
    gone.abort()
    expect((await parked).responses).toHaveLength(1)
  })

  it('sends the first batch whole however small the limits are, and only it', async () => {
    await using broker = await Harness.start()
    const topicId = await broker.createTopic('t', 2)
    await broker.produce(topicId, batchOf(['a'.repeat(1000)]))
    await broker.produce(topicId, batchOf(['b'.repeat(1000)]), { index: 1 })
    const partitions = [0, 1].map(partition => ({ partition, fetchOffset: 0n, partitionMaxBytes: 10 }))
    const request = broker.fetchRequest(topicId, 0n, { maxBytes: 10, topics: [{ topicId, partitions }] })
    const { responses } = await broker.get('Fetch', request)
    expect(responses[0]?.partitions.map(({ records }) => valuesIn(records).length)).toEqual([1, 0])
  })

  it('refuses offsets outside the log and epochs of another leader', async () => {
    await using broker = await Harness.start()
    const topicId = await broker.createTopic('t')
    const fetch = async (fetchOffset: bigint, currentLeaderEpoch = -1) => {
      const partitions = [{ partition: 0, fetchOffset, currentLeaderEpoch, partitionMaxBytes: 1000 }]
      const answer = await broker.get('Fetch', broker.fetchRequest(topicId, 0n, { topics: [{ topicId, partitions }] }))
      return answer.responses[0]?.partitions[0]?.errorCode
    }
    expect(await fetch(1n)).toBe('OFFSET_OUT_OF_RANGE')
    expect(await fetch(0n, 7)).toBe('UNKNOWN_LEADER_EPOCH')
    expect(await fetch(0n, 0)).toBe('NONE')
  })

  it('keeps a session: partitions once named are fetched again, and only news are sent', async () => {
    await using broker = await Harness.start()
    const topicId = await broker.createTopic('t', 2)
    const partitions = [0, 1].map(partition => ({ partition, fetchOffset: 0n, partitionMaxBytes: 1000 }))
    const opened = await broker.get(
      'Fetch',
      broker.fetchRequest(topicId, 0n, { sessionEpoch: 0, topics: [{ topicId, partitions }] })
    )
    expect(opened.sessionId).not.toBe(0)
    await broker.produce(topicId, batchOf(['x']), { index: 1 })
    const next = { sessionId: opened.sessionId, sessionEpoch: 1, topics: [] }
    const { responses } = await broker.get('Fetch', broker.fetchRequest(topicId, 0n, next))
    expect(responses[0]?.partitions.map(({ partitionIndex }) => partitionIndex)).toEqual([1])
    expect((await broker.get('Fetch', broker.fetchRequest(topicId, 0n, next))).errorCode).toBe(
      'INVALID_FETCH_SESSION_EPOCH'
    )
  })
})
