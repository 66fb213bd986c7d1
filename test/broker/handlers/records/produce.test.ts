// Validation, appends and responses of Produce.

import { describe, expect, it } from 'vitest'
import { LogDirectory } from '../../../../src/log/directory/log-directory.ts'
import { METADATA_TOPIC_ID, MetadataLog } from '../../../../src/metadata/log/metadata-log.ts'
import { metadataRecord } from '../../../../src/metadata/records.ts'
import { CloseConnection } from '../../../../src/net/dispatch.ts'
import { batchesIn } from '../../../../src/protocol/records/batch.ts'
import { seededRandom } from '../../../../src/runtime/random.ts'
import { MemoryStorage } from '../../../../src/storage/memory-storage.ts'
import { batchOf, Harness, valuesIn } from '../../../../src/testing/harness.ts'
import { ManualClock } from '../../../../src/testing/manual-clock.ts'
import { RecordingEvents } from '../../../../src/testing/recording-events.ts'
import { DEFAULT_LOG_CONFIG, DIRECTORY_SETTINGS } from '../../../log/default-log-config.ts'

/** Writes metadata that a cluster of several nodes can leave: a leader whose ISR has lost all other replicas. */
async function shrinkIsr(storage: MemoryStorage, topicId: string): Promise<void> {
  const clocks = new ManualClock()
  const identity = { nodeId: 1 }
  const ports = { storage, clocks, random: seededRandom(1), events: new RecordingEvents() }
  const directory = await LogDirectory.open({ ...DIRECTORY_SETTINGS, ...ports, identity })
  const log = directory.log({ topic: '__cluster_metadata', partition: 0 }, METADATA_TOPIC_ID, DEFAULT_LOG_CONFIG)
  const { directoryId } = directory.meta
  const metadata = new MetadataLog({ log, ...ports, nodeId: 1, directoryId, failed: () => {} })
  metadata.append([metadataRecord('PartitionChangeRecord', { partitionId: 0, topicId, isr: [] })])
  await directory.close()
}

const idempotent = (baseSequence: number, producerEpoch = 0) => ({ producerId: 5n, producerEpoch, baseSequence })

/** A batch with a wrong checksum. */
function spoilt(batch: Buffer): Buffer {
  return batch.fill(0xff, batch.length - 1)
}

describe('Produce', () => {
  it('assigns the next offsets to records and returns them', async () => {
    await using broker = await Harness.start()
    const topicId = await broker.createTopic('t')
    expect(await broker.produce(topicId, batchOf(['a', 'b']))).toMatchObject({ errorCode: 'NONE', baseOffset: 0n })
    expect(await broker.produce(topicId, batchOf(['c']))).toMatchObject({ baseOffset: 2n, logAppendTimeMs: -1n })
    expect(await broker.values(topicId)).toEqual(['a', 'b', 'c'])
  })

  it('returns the first offset for a retry and appends no record', async () => {
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

  it('refuses a sequence gap and a fenced epoch, and returns the log start offset', async () => {
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

  it('forgets an idle producer after producer.id.expiration.ms', async () => {
    await using broker = await Harness.start({ config: { 'producer.id.expiration.ms': 60_000 } })
    const topicId = await broker.createTopic('t')
    await broker.produce(topicId, batchOf(['a'], idempotent(0)))
    expect((await broker.produce(topicId, batchOf(['c'], idempotent(7)))).errorCode).toBe(
      'OUT_OF_ORDER_SEQUENCE_NUMBER'
    )
    broker.clock.advance(600_000)
    expect((await broker.produce(topicId, batchOf(['c'], idempotent(7)))).errorCode).toBe('NONE')
  })

  it('answers each partition on its own', async () => {
    await using broker = await Harness.start()
    const topicId = await broker.createTopic('t', 2)
    const { responses } = await broker.request('Produce', {
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

  it('is refused as a whole for malformed bytes in a partition and for transactional records without a transactional id', async () => {
    await using broker = await Harness.start()
    const topicId = await broker.createTopic('t', 2)
    const transactional = batchOf(['bad'], { ...idempotent(0), isTransactional: true })
    const answers = [Buffer.from('this is no record batch at all, but bytes'), transactional].map(records =>
      broker.request('Produce', {
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

  it('does not check old message formats for transactions', async () => {
    await using broker = await Harness.start()
    const old = batchOf(['old'])
    old.writeInt8(1, 16)
    old.writeUInt8(0x10, 22)
    expect((await broker.produce(await broker.createTopic('t'), old)).errorCode).toBe('INVALID_RECORD')
  })

  it('uses the last batch for a partition that is named twice, and returns it once', async () => {
    await using broker = await Harness.start()
    const topicId = await broker.createTopic('t', 2)
    const { responses } = await broker.request('Produce', {
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

  it('returns the log start offset with errors of the log, and not with earlier ones', async () => {
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

  it('emits one event for invalid records, with the reason', async () => {
    const events = new RecordingEvents()
    await using broker = await Harness.start({ sinks: [events] })
    const topicId = await broker.createTopic('t')
    const damaged = batchOf(['a'])
    damaged.writeUInt8(damaged.readUInt8(damaged.length - 1) ^ 1, damaged.length - 1)
    const topicData = [{ topicId, partitionData: [{ index: 0, records: damaged }] }]
    const request = { transactionalId: null, acks: 1, timeoutMs: 0, topicData }
    await broker.request('Produce', request)
    expect(events.of('RecordsRefused')).toMatchObject([
      { remotePort: 50_000, errorCode: 'CORRUPT_MESSAGE', detail: expect.stringContaining('checksum') }
    ])
  })

  it('answers an unknown id and an unknown name with the error of each', async () => {
    await using broker = await Harness.start()
    expect((await broker.produce('AAECAwQFBgcICQoLDA0ODw', batchOf(['a']))).errorCode).toBe('UNKNOWN_TOPIC_ID')
    const byName = await broker.request(
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

  it('sends no response with acks=0 and closes the connection when a partition fails', async () => {
    await using broker = await Harness.start()
    const topicId = await broker.createTopic('t')
    const send = (index: number) =>
      broker.send('Produce', {
        transactionalId: null,
        acks: 0,
        timeoutMs: 0,
        topicData: [{ topicId, partitionData: [{ index, records: batchOf(['a']) }] }]
      })
    expect(await send(0)).toBeUndefined()
    await expect(send(9)).rejects.toThrow(CloseConnection)
    expect(await broker.values(topicId)).toEqual(['a'])
  })

  it("refuses invalid acks, and internal topics except from Kafka's own admin client", async () => {
    await using broker = await Harness.start()
    const topicId = await broker.createTopic('t')
    expect((await broker.produce(topicId, batchOf(['a']), { acks: 2 })).errorCode).toBe('INVALID_REQUIRED_ACKS')
    await broker.request('FindCoordinator', { keyType: 0, coordinatorKeys: ['g'] })
    const { topics } = await broker.request('Metadata', { topics: [{ name: '__consumer_offsets' }] })
    const internal = topics[0]?.topicId ?? ''
    expect((await broker.produce(internal, batchOf(['a']))).errorCode).toBe('INVALID_TOPIC_EXCEPTION')
  })

  it('accepts acks=all for a topic whose min.insync.replicas exceeds its number of replicas', async () => {
    await using broker = await Harness.start()
    const topicId = await broker.createTopic('t', 1, { 'min.insync.replicas': '2' })
    expect((await broker.produce(topicId, batchOf(['a']))).errorCode).toBe('NONE')
  })

  it('refuses acks=all when the ISR in the metadata is too small', async () => {
    const storage = new MemoryStorage()
    const first = await Harness.start({ storage })
    const topicId = await first.createTopic('t')
    await first.stop()
    await shrinkIsr(storage, topicId)
    await using broker = await Harness.start({ storage })
    expect((await broker.produce(topicId, batchOf(['a']))).errorCode).toBe('NOT_ENOUGH_REPLICAS')
    expect((await broker.produce(topicId, batchOf(['a']), { acks: 1 })).errorCode).toBe('NONE')
  })

  it('refuses a transactional id without a producer', async () => {
    await using broker = await Harness.start()
    await broker.request('FindCoordinator', { coordinatorKeys: ['tx'], keyType: 1 })
    const topicId = await broker.createTopic('t')
    const records = batchOf(['a'], { ...idempotent(0), isTransactional: true })
    const topicData = [{ topicId, partitionData: [{ index: 0, records }] }]
    const answer = await broker.request('Produce', { transactionalId: 'tx', acks: -1, timeoutMs: 0, topicData })
    expect(answer.responses[0]?.partitionResponses[0]?.errorCode).toBe('INVALID_PRODUCER_ID_MAPPING')
  })

  it('sets the time of LogAppendTime records and returns it', async () => {
    await using broker = await Harness.start()
    const topicId = await broker.createTopic('t', 1, { 'message.timestamp.type': 'LogAppendTime' })
    const now = BigInt(broker.clock.wall.now())
    expect((await broker.produce(topicId, batchOf(['a'], {}, 5n))).logAppendTimeMs).toBe(now)
  })

  it('returns the records that a compacted topic refuses', async () => {
    await using broker = await Harness.start()
    const topicId = await broker.createTopic('t', 1, { 'cleanup.policy': 'compact' })
    const answer = await broker.produce(topicId, batchOf(['a', 'b']))
    expect(answer).toMatchObject({ errorCode: 'INVALID_RECORD', recordErrors: [{ batchIndex: 0 }, { batchIndex: 1 }] })
    expect(answer.errorMessage).toContain('2 record errors in total')
  })

  it('recompresses batches for a topic with its own compression.type', async () => {
    await using broker = await Harness.start()
    const topicId = await broker.createTopic('t', 1, { 'compression.type': 'gzip' })
    await broker.produce(topicId, batchOf(['a', 'b'], { codec: 'lz4' }))
    const answer = await broker.request('Fetch', broker.fetchRequest(topicId, 0n))
    const records = answer.responses[0]?.partitions[0]?.records ?? null
    expect([...batchesIn(records ?? Buffer.alloc(0))].map(({ codec }) => codec)).toEqual(['gzip'])
    expect(valuesIn(records)).toEqual(['a', 'b'])
  })
})
