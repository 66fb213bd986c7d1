// The log cleaner as a broker runs it.
import { beforeEach, describe, expect, it } from 'vitest'
import { batchesIn } from '../../src/protocol/records/batch.ts'
import { type BatchOptions, buildBatch } from '../../src/protocol/records/builder.ts'
import { recordsOf } from '../../src/protocol/records/record.ts'
import { yieldToEventLoop } from '../../src/runtime/pace.ts'
import { MemoryStorage } from '../../src/storage/memory-storage.ts'
import { Harness } from '../../src/testing/harness.ts'
import { RecordingEvents } from '../../src/testing/recording-events.ts'

const T0 = 1_700_000_000_000n
const BACKOFF_MS = 15_000
/** The cleaner yields between slices. After this many yields its round is complete. */
const ENOUGH_YIELDS = 50
/** A record more than a millisecond after the first record of its segment rolls a new segment. */
const COMPACTED = { 'cleanup.policy': 'compact', 'segment.ms': '1', 'file.delete.delay.ms': '0' }
const CHECKPOINT = 'cleaner-offset-checkpoint'

let events: RecordingEvents

beforeEach(() => {
  events = new RecordingEvents()
})

/** A request that changes one config of a topic. */
function alter(resourceName: string, name: string, value: string) {
  return { resources: [{ resourceType: 2, resourceName, configs: [{ name, configOperation: 0, value }] }] }
}

/** Produces records, given as 'key=value', in one batch. Each batch has later timestamps than the batches before it. */
async function produce(broker: Harness, topicId: string, texts: readonly string[], options: BatchOptions = {}) {
  const { responses } = await broker.request('Fetch', broker.fetchRequest(topicId, 0n))
  const timestamp = T0 + 10n * (responses[0]?.partitions[0]?.highWatermark ?? 0n)
  const records = texts.map(text => {
    const [key = '', value] = text.split('=')
    return { key: Buffer.from(key), value: value === undefined ? null : Buffer.from(value), timestamp }
  })
  return broker.produce(topicId, buildBatch(records, options).bytes)
}

async function cleanerPass(broker: Harness, ms = BACKOFF_MS): Promise<void> {
  broker.clock.advance(ms)
  for (let count = 0; count < ENOUGH_YIELDS; count++) await yieldToEventLoop()
}

/** The records of a topic's first partition, as 'offset key=value'. */
async function contents(broker: Harness, topicId: string): Promise<string[]> {
  const found: string[] = []
  for (let offset = 0n; ; ) {
    const response = await broker.request('Fetch', broker.fetchRequest(topicId, offset))
    const batches = [...batchesIn(response.responses[0]?.partitions[0]?.records ?? Buffer.alloc(0))]
    const last = batches.at(-1)
    if (!last) return found
    for (const record of batches.flatMap(batch => recordsOf(batch)))
      found.push(`${record.offset} ${record.key}=${record.value}`)
    offset = last.nextOffset
  }
}

function files({ storage }: Harness, folder: string): string[] {
  return storage.list(folder).map(({ name }) => name)
}

function cleanerCheckpoint({ storage }: Harness): string {
  return storage.exists(CHECKPOINT) ? storage.read(CHECKPOINT, 0, storage.size(CHECKPOINT)).toString() : ''
}

describe('the log cleaner', () => {
  it('the log cleaner compacts a dirty log after its back-off, emits one event and checkpoints the cleaned offset', async () => {
    const broker = await Harness.start({ sinks: [events] })
    const topicId = await broker.createTopic('t', 1, COMPACTED)
    for (const text of ['a=1', 'a=2', 'b=1', 'a=3', 'c=1']) await produce(broker, topicId, [text])
    await cleanerPass(broker, BACKOFF_MS - 1)
    expect(await contents(broker, topicId)).toHaveLength(5)
    await cleanerPass(broker, 1)
    expect(await contents(broker, topicId)).toEqual(['2 b=1', '3 a=3', '4 c=1'])
    expect(cleanerCheckpoint(broker)).toBe('0\n1\nt 0 4\n')
    expect(events.of('LogCompacted')).toMatchObject([{ topicPartition: 't-0', bytesBefore: 280, recordsDropped: 2 }])
    await broker.stop()
    expect(files(broker, 't-0').filter(name => name.endsWith('.cleaned') || name.endsWith('.swap'))).toEqual([])
  })

  it('the log cleaner sleeps while no log is dirty enough, and cleans logs that become dirty', async () => {
    const broker = await Harness.start({ sinks: [events] })
    const topicId = await broker.createTopic('t', 1, COMPACTED)
    for (const text of ['a=1', 'a=2', 'b=1']) await produce(broker, topicId, [text])
    await cleanerPass(broker)
    await cleanerPass(broker)
    expect(events.of('LogCompacted')).toHaveLength(1)
    for (const text of ['a=3', 'a=4', 'b=2']) await produce(broker, topicId, [text])
    await cleanerPass(broker)
    expect(events.of('LogCompacted')).toHaveLength(2)
    expect(await contents(broker, topicId)).toEqual(['2 b=1', '4 a=4', '5 b=2'])
    await broker.stop()
  })

  it('the log cleaner skips logs with the delete policy, and all logs when it is disabled', async () => {
    let broker = await Harness.start({ sinks: [events], config: { 'log.cleaner.enable': false } })
    const topicId = await broker.createTopic('t', 1, COMPACTED)
    for (const text of ['a=1', 'a=2', 'b=1']) await produce(broker, topicId, [text])
    await cleanerPass(broker)
    broker = await broker.restart()
    const deleted = await broker.createTopic('u', 1, { 'segment.ms': '1' })
    for (const text of ['a=1', 'a=2', 'b=1']) await produce(broker, deleted, [text])
    expect(await contents(broker, topicId)).toHaveLength(3)
    await cleanerPass(broker)
    expect(await contents(broker, deleted)).toHaveLength(3)
    await broker.stop()
  })

  it('the log cleaner finds logs without requests since the start', async () => {
    let broker = await Harness.start({ sinks: [events] })
    const topicId = await broker.createTopic('t', 1, COMPACTED)
    for (const text of ['a=1', 'a=2', 'b=1']) await produce(broker, topicId, [text])
    broker = await broker.restart()
    await cleanerPass(broker)
    expect(events.of('LogCompacted')).toHaveLength(1)
    expect(await contents(broker, topicId)).toEqual(['1 a=2', '2 b=1'])
    await broker.stop()
  })

  it('the log cleaner does not open unused logs without dirty records', async () => {
    const storage = new MemoryStorage()
    const broker = await Harness.start({ storage })
    const topicId = await broker.createTopic('t', 20, COMPACTED)
    for (let index = 0; index < 20; index++) {
      await broker.produce(topicId, buildBatch([{ key: Buffer.from('k'), value: null, timestamp: 0n }]).bytes, {
        index
      })
    }
    await broker.stop()
    const read: string[] = []
    const watched = storage.die({ fault: ({ name, path }) => void (name === 'read' && read.push(path)) })
    await using later = await broker.restart({ storage: watched })
    await cleanerPass(later)
    expect(read.filter(path => path.startsWith('t-') && !path.endsWith('partition.metadata'))).toEqual([])
  })

  it('the log cleaner follows a changed cleanup.policy and forgets a deleted topic', async () => {
    const broker = await Harness.start({ sinks: [events] })
    const topicId = await broker.createTopic('t', 1, { ...COMPACTED, 'cleanup.policy': 'delete' })
    for (const text of ['a=1', 'a=2', 'b=1']) await produce(broker, topicId, [text])
    await cleanerPass(broker)
    expect(await contents(broker, topicId)).toHaveLength(3)
    await broker.request('IncrementalAlterConfigs', alter('t', 'cleanup.policy', 'compact'))
    await cleanerPass(broker)
    expect(await contents(broker, topicId)).toEqual(['1 a=2', '2 b=1'])
    await broker.request('DeleteTopics', { topics: [{ name: 't' }], timeoutMs: 1000 })
    await cleanerPass(broker, 120_000)
    expect(cleanerCheckpoint(broker)).not.toContain('t 0')
    await broker.stop()
  })

  it('the log cleaner compacts logs of both policies, and retention deletes their old segments', async () => {
    const broker = await Harness.start({ sinks: [events] })
    const configs = { ...COMPACTED, 'cleanup.policy': 'compact,delete', 'retention.ms': '60000' }
    const topicId = await broker.createTopic('t', 1, configs)
    for (const text of ['a=1', 'a=2', 'b=1']) await produce(broker, topicId, [text])
    await cleanerPass(broker)
    expect(await contents(broker, topicId)).toEqual(['1 a=2', '2 b=1'])
    await cleanerPass(broker, 75_000)
    await cleanerPass(broker)
    expect(await contents(broker, topicId)).toEqual([])
    await broker.stop()
  })

  it('the log cleaner skips a log with a damaged batch, reports it once and cleans the other logs', async () => {
    let broker = await Harness.start({ sinks: [events] })
    const ids = [await broker.createTopic('bad', 1, COMPACTED), await broker.createTopic('good', 1, COMPACTED)]
    for (const id of ids) for (const text of ['a=1', 'a=2', 'b=1']) await produce(broker, id, [text])
    await broker.stop()
    const path = 'bad-0/00000000000000000000.log'
    const bytes = Buffer.from(broker.storage.read(path, 0, broker.storage.size(path)))
    bytes.writeUInt8(0xff, bytes.length - 1)
    broker.storage.truncate(path, 0)
    broker.storage.append(path, bytes)
    broker = await broker.restart()
    await cleanerPass(broker)
    await cleanerPass(broker)
    expect(events.of('LogUncleanable')).toMatchObject([{ topicPartition: 'bad-0' }])
    expect(events.of('LogCompacted')).toMatchObject([{ topicPartition: 'good-0' }])
    await broker.stop()
  })

  it('the log cleaner works in slices: the broker answers requests between them, and a stop ends the round', async () => {
    let broker = await Harness.start({ sinks: [events], config: { 'log.cleaner.io.buffer.size': 100 } })
    const topicId = await broker.createTopic('t', 1, COMPACTED)
    for (let number = 0; number < 40; number++) await produce(broker, topicId, [`a=${number}`])
    broker.clock.advance(BACKOFF_MS)
    await produce(broker, topicId, ['b=1'])
    expect(events.of('LogCompacted')).toEqual([])
    await broker.stop()
    expect(events.of('LogCompacted')).toEqual([])
    expect(files(broker, 't-0').filter(name => name.endsWith('.cleaned'))).toEqual([])
    broker = await broker.restart()
    await cleanerPass(broker)
    expect(await contents(broker, topicId)).toEqual(['39 a=39', '40 b=1'])
    await broker.stop()
  })

  it('the log cleaner limits its bytes per second', async () => {
    const broker = await Harness.start({
      sinks: [events],
      config: { 'log.cleaner.io.buffer.size': 70, 'log.cleaner.io.max.bytes.per.second': 70 }
    })
    const topicId = await broker.createTopic('t', 1, COMPACTED)
    for (let number = 0; number < 6; number++) await produce(broker, topicId, [`a=${number}`])
    broker.clock.advance(BACKOFF_MS)
    let seconds = 0
    while (events.of('LogCompacted').length === 0) {
      await yieldToEventLoop()
      broker.clock.advance(1000)
      seconds++
    }
    // The cleaner reads about 350 bytes twice.
    expect(seconds).toBeGreaterThanOrEqual(9)
    await broker.stop()
  })

  it('a partition recognises retries of compacted batches, also after a restart', async () => {
    let broker = await Harness.start({ sinks: [events] })
    const topicId = await broker.createTopic('t', 1, COMPACTED)
    const { producerId, producerEpoch } = await broker.request('InitProducerId', {
      transactionalId: null,
      transactionTimeoutMs: 1000,
      producerId: -1n,
      producerEpoch: -1
    })
    const batch = (baseSequence: number) => ({ producerId, producerEpoch, baseSequence })
    await produce(broker, topicId, ['a=1'], batch(0))
    await produce(broker, topicId, ['a=2', 'b=1'], batch(1))
    for (const text of ['a=3', 'b=2', 'c=1']) await produce(broker, topicId, [text])
    await cleanerPass(broker)
    expect(await contents(broker, topicId)).toEqual(['3 a=3', '4 b=2', '5 c=1'])
    for (const isRestarted of [false, true]) {
      if (isRestarted) {
        await broker.stop()
        for (const name of files(broker, 't-0')) if (name.endsWith('.snapshot')) broker.storage.removeNow(`t-0/${name}`)
        broker = await broker.restart()
      }
      expect(await produce(broker, topicId, ['a=2', 'b=1'], batch(1))).toMatchObject({
        errorCode: 'NONE',
        baseOffset: 1n
      })
      expect(await produce(broker, topicId, ['z=1'], batch(9))).toMatchObject({
        errorCode: 'OUT_OF_ORDER_SEQUENCE_NUMBER'
      })
    }
    expect(await produce(broker, topicId, ['d=1'], batch(3))).toMatchObject({ errorCode: 'NONE', baseOffset: 6n })
    await broker.stop()
  })

  it('the log cleaner shrinks __consumer_offsets, and a restart finds the same offsets', async () => {
    const config = { 'offsets.topic.num.partitions': 1 }
    let broker = await Harness.start({ config })
    const topicId = await broker.createTopic('t', 3)
    await broker.request('FindCoordinator', { keyType: 0, coordinatorKeys: ['g'] })
    await broker.request('IncrementalAlterConfigs', alter('__consumer_offsets', 'segment.ms', '1000'))
    const commit = async (offset: bigint) => {
      broker.clock.advance(20)
      const partitions = [0, 1, 2].map(partitionIndex => ({
        partitionIndex,
        committedOffset: offset + BigInt(partitionIndex),
        committedMetadata: ''
      }))
      const { topics } = await broker.request('OffsetCommit', { groupId: 'g', topics: [{ topicId, partitions }] })
      expect(topics[0]?.partitions[0]?.errorCode).toBe('NONE')
    }
    for (let offset = 0n; offset < 200n; offset++) await commit(offset)
    const sizeOf = () =>
      files(broker, '__consumer_offsets-0')
        .filter(name => name.endsWith('.log'))
        .reduce((sum, name) => sum + broker.storage.size(`__consumer_offsets-0/${name}`), 0)
    const before = sizeOf()
    await cleanerPass(broker)
    expect(sizeOf()).toBeLessThan(before / 3)
    broker = await broker.restart()
    const { groups } = await broker.request('OffsetFetch', { groups: [{ groupId: 'g', topics: null }] })
    const offsets = groups[0]?.topics[0]?.partitions.map(({ committedOffset }) => committedOffset)
    expect(offsets?.sort()).toEqual([199n, 200n, 201n])
    await broker.stop()
  })
})
