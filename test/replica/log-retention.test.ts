import { pino } from 'pino'
import { describe, expect, it } from 'vitest'
import { yieldToEventLoop } from '../../src/runtime/pace.ts'
import { MemoryStorage } from '../../src/storage/memory-storage.ts'
import { StorageError } from '../../src/storage/storage.ts'
import { batchOf, Harness } from '../../src/testing/harness.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { RecordingEvents } from '../../src/testing/recording-events.ts'

const FIRST_CHECK_MS = 30_000
const CHECK_MS = 300_000
/** A record more than a millisecond after the first record of its segment rolls a new segment. */
const SMALL = { 'segment.ms': '1', 'retention.ms': '1000' }

async function started(configs: Record<string, string>) {
  const broker = await Harness.start()
  const topicId = await broker.createTopic('orders', 1, configs)
  return { broker, topicId }
}

async function produce(broker: Harness, topicId: string, count: number) {
  for (let index = 0; index < count; index++) {
    const timestamp = BigInt(broker.clock.wall.now() + index * 10)
    const { errorCode } = await broker.produce(topicId, batchOf([`value ${index}`], {}, timestamp))
    expect(errorCode).toBe('NONE')
  }
}

async function check({ clock }: Harness, ms: number) {
  clock.advance(ms)
  await yieldToEventLoop()
}

async function logStartOf(broker: Harness): Promise<bigint> {
  const { topics } = await broker.request('ListOffsets', {
    replicaId: -1,
    isolationLevel: 0,
    topics: [{ name: 'orders', partitions: [{ partitionIndex: 0, timestamp: -2n }] }]
  })
  return topics[0]?.partitions[0]?.offset ?? -1n
}

const files = ({ storage }: Harness, ending: string) =>
  storage.list('orders-0').filter(({ name }) => name.endsWith(ending)).length

describe('retention', () => {
  it('retention removes old segments at each check and deletes their files after file.delete.delay.ms', async () => {
    const { broker, topicId } = await started(SMALL)
    await produce(broker, topicId, 3)
    await check(broker, FIRST_CHECK_MS)
    expect(await logStartOf(broker)).toBe(3n)
    const fetched = await broker.request('Fetch', broker.fetchRequest(topicId, 0n))
    expect(fetched.responses[0]?.partitions[0]).toMatchObject({ errorCode: 'OFFSET_OUT_OF_RANGE' })
    expect(files(broker, '.log.deleted')).toBe(3)
    await check(broker, 60_000)
    expect(files(broker, '.deleted')).toBe(0)
    await broker.stop()
  })

  it('retention uses the current configs', async () => {
    const { broker, topicId } = await started({ 'segment.ms': '1' })
    await produce(broker, topicId, 3)
    await check(broker, FIRST_CHECK_MS)
    expect(await logStartOf(broker)).toBe(0n)
    await broker.request('IncrementalAlterConfigs', {
      resources: [
        {
          resourceType: 2,
          resourceName: 'orders',
          configs: [{ name: 'retention.ms', configOperation: 0, value: '1000' }]
        }
      ],
      validateOnly: false
    })
    await check(broker, CHECK_MS)
    expect(await logStartOf(broker)).toBe(3n)
    await broker.stop()
  })

  it('retention reaches partitions without requests since the start, and reports the reason of each deletion', async () => {
    const { broker, topicId } = await started(SMALL)
    await produce(broker, topicId, 3)
    const events = new RecordingEvents()
    const again = await broker.restart({ sinks: [events] })
    await check(again, FIRST_CHECK_MS)
    expect(files(broker, '.log.deleted')).toBe(3)
    const deletion = { topicPartition: 'orders-0', reason: { cause: 'retention.ms', limit: 1000 } }
    // The active segment is deleted in a later step: only then a full disk has room for its successor.
    expect(events.of('SegmentsDeleted')).toMatchObject([
      { ...deletion, count: 2, logStartOffset: 2n },
      { ...deletion, count: 1, logStartOffset: 3n }
    ])
    await again.stop()
    expect(files(broker, '.log.deleted')).toBe(3)
    // The stop leaves these files; the next start deletes them.
    await using last = await again.restart()
    expect(await logStartOf(last)).toBe(3n)
    await yieldToEventLoop()
    expect(files(broker, '.deleted')).toBe(0)
  })

  it('retention keeps the producer state, so that a retry is a duplicate after its record is deleted', async () => {
    const { broker, topicId } = await started(SMALL)
    const sent = batchOf(
      ['once'],
      { producerId: 5n, producerEpoch: 0, baseSequence: 0 },
      BigInt(broker.clock.wall.now())
    )
    await broker.produce(topicId, Buffer.from(sent))
    await check(broker, FIRST_CHECK_MS)
    expect(await logStartOf(broker)).toBe(1n)
    await using again = await broker.restart()
    expect(await again.produce(topicId, Buffer.from(sent))).toMatchObject({ errorCode: 'NONE', baseOffset: 0n })
    expect(await logStartOf(again)).toBe(1n)
  })

  it('retention deletes only the records below the log start offset of a topic with an empty cleanup.policy', async () => {
    const { broker, topicId } = await started({ ...SMALL, 'cleanup.policy': '' })
    await produce(broker, topicId, 3)
    await check(broker, FIRST_CHECK_MS)
    expect(await logStartOf(broker)).toBe(0n)
    await broker.request('DeleteRecords', {
      topics: [{ name: 'orders', partitions: [{ partitionIndex: 0, offset: 2n }] }],
      timeoutMs: 1000
    })
    await check(broker, CHECK_MS)
    expect(files(broker, '.log.deleted')).toBe(2)
    await broker.stop()
  })

  it('a failed deletion of segments is logged with the message and the stack of the error', async () => {
    const clock = new ManualClock(1_700_000_000_000)
    const refused = new StorageError('other', 'the rename is not permitted')
    let isRefused = false
    const storage = new MemoryStorage({
      now: () => clock.wall.now(),
      fault: ({ name, path }) =>
        isRefused && name === 'rename' && path.endsWith('.log') ? { error: refused } : undefined
    })
    const lines: string[] = []
    const logger = pino({ level: 'warn' }, { write: line => void lines.push(line) })
    await using broker = await Harness.start({ clock, storage, logger })
    const topicId = await broker.createTopic('orders', 1, SMALL)
    await produce(broker, topicId, 2)
    isRefused = true
    await check(broker, FIRST_CHECK_MS)
    isRefused = false
    expect(lines.map(line => JSON.parse(line))).toMatchObject([
      { topicPartition: 'orders-0', err: { message: refused.message, stack: refused.stack } }
    ])
  })
})
