import { describe, expect, it } from 'vitest'
import { MemoryStorage, type MemoryStorageOptions, type StorageOperation } from '../../src/storage/memory-storage.ts'
import { StorageError } from '../../src/storage/storage.ts'
import { batchOf, Harness } from '../../src/testing/harness.ts'

const FOLDER = 'orders-0'
/** Two batches, a millisecond apart, fill a segment. */
const SMALL_SEGMENTS = { 'segment.ms': '1' }

const idempotent = (baseSequence: number, producerEpoch = 0) => {
  const timestamp = 1_700_000_000_000n + BigInt(baseSequence)
  return batchOf([`value ${baseSequence}`], { producerId: 5n, producerEpoch, baseSequence }, timestamp)
}

/** A broker with `count` batches of one record from producer 5. */
async function brokerWith(count: number, configs: Record<string, string> = {}, options: MemoryStorageOptions = {}) {
  const storage = new MemoryStorage(options)
  const harness = await Harness.start({ storage })
  const topicId = await harness.createTopic('orders', 1, configs)
  for (let sequence = 0; sequence < count; sequence++) {
    expect(await harness.produce(topicId, idempotent(sequence))).toMatchObject({ errorCode: 'NONE' })
  }
  return { harness, storage, topicId }
}

const snapshotsOf = (storage: MemoryStorage) =>
  storage.list(FOLDER).flatMap(({ name }) => /^0*(\d+)\.snapshot$/.exec(name)?.[1] ?? [])

const pathOf = (offset: number) => `${FOLDER}/${String(offset).padStart(20, '0')}.snapshot`

/** True if retries of those batches get their original offsets and the log stays unchanged. */
async function expectRecognised(harness: Harness, topicId: string, sequences: number[], end: number) {
  for (const sequence of sequences) {
    const answer = await harness.produce(topicId, idempotent(sequence))
    expect(answer).toMatchObject({ errorCode: 'NONE', baseOffset: BigInt(sequence) })
  }
  expect(await harness.values(topicId, BigInt(end))).toEqual([])
  expect(await harness.produce(topicId, idempotent(end))).toMatchObject({ errorCode: 'NONE', baseOffset: BigInt(end) })
}

describe('after a clean restart', () => {
  it('the retry of a last batch gets its original offset', async () => {
    const { harness, storage, topicId } = await brokerWith(7)
    await harness.stop()
    expect(snapshotsOf(storage)).toEqual(['7'])
    await using again = await Harness.start({ storage })
    await expectRecognised(again, topicId, [6], 7)
  })

  it('a fenced epoch stays fenced, and a gap of sequence numbers is still refused', async () => {
    const { harness, storage, topicId } = await brokerWith(1)
    await harness.produce(topicId, idempotent(0, 1))
    await harness.stop()
    await using again = await Harness.start({ storage })
    expect(await again.produce(topicId, idempotent(1))).toMatchObject({ errorCode: 'INVALID_PRODUCER_EPOCH' })
    expect(await again.produce(topicId, idempotent(2, 1))).toMatchObject({ errorCode: 'OUT_OF_ORDER_SEQUENCE_NUMBER' })
  })

  it('one producer snapshot is enough: an unchanged log writes no other', async () => {
    const { harness, storage, topicId } = await brokerWith(3)
    await harness.stop()
    const second = await Harness.start({ storage })
    await second.produce(topicId, idempotent(3))
    await second.stop()
    const third = await Harness.start({ storage })
    expect(await third.values(topicId, 3n)).toEqual(['value 3'])
    expect(snapshotsOf(storage)).toEqual(['4'])
    await third.stop()
    expect(snapshotsOf(storage)).toEqual(['4'])
  })

  it('an empty partition has no producer snapshot', async () => {
    const { harness, storage, topicId } = await brokerWith(0)
    await harness.values(topicId)
    await harness.stop()
    expect(snapshotsOf(storage)).toEqual([])
  })

  it('an expired producer is unknown', async () => {
    const { harness, storage, topicId } = await brokerWith(1)
    await harness.stop()
    await using again = await Harness.start({
      storage,
      config: { 'producer.id.expiration.ms': 1 },
      clock: harness.clock
    })
    await harness.clock.advance(1)
    expect(await again.produce(topicId, idempotent(41))).toMatchObject({ errorCode: 'NONE', baseOffset: 1n })
  })
})

describe('producer state that could not be loaded', () => {
  it('a read error leaves the producer snapshot as it is, and the next start reads it', async () => {
    let isBroken = false
    const fault = ({ name, path }: StorageOperation) =>
      isBroken && name === 'read' && path.endsWith('.snapshot')
        ? { error: new StorageError('other', 'busy') }
        : undefined
    const { harness, storage, topicId } = await brokerWith(3, {}, { fault })
    await harness.stop()
    isBroken = true
    const second = await Harness.start({ storage })
    expect(await second.produce(topicId, idempotent(3))).toMatchObject({ errorCode: 'KAFKA_STORAGE_ERROR' })
    await second.stop()
    isBroken = false
    await using again = await Harness.start({ storage })
    await expectRecognised(again, topicId, [2], 3)
  })

  it('a start that is cancelled while it loads producer state leaves the state to the next start', async () => {
    for (let cancelledRead = 1; ; cancelledRead++) {
      const starting = new AbortController()
      let reads = Number.NEGATIVE_INFINITY
      const fault = ({ name, path }: StorageOperation) => {
        if (name === 'read' && path.startsWith(FOLDER) && ++reads === cancelledRead) starting.abort()
        return undefined
      }
      const { storage, topicId } = await brokerWith(3, {}, { fault })
      reads = 0
      const started = await Harness.start({ storage, signal: starting.signal }).catch(() => undefined)
      if (started) await started.stop()
      reads = Number.NEGATIVE_INFINITY
      await using again = await Harness.start({ storage })
      await expectRecognised(again, topicId, [2], 3)
      if (!starting.signal.aborted) return
    }
  })
})

describe('after a kill', () => {
  it('each retry of the last five batches is recognised', async () => {
    const { storage, topicId } = await brokerWith(9)
    await using again = await Harness.start({ storage })
    await expectRecognised(again, topicId, [4, 5, 6, 7, 8], 9)
  })

  it("producer snapshots of rolled segments have the segments' names, and the log after the newest is replayed", async () => {
    const { storage, topicId } = await brokerWith(7, SMALL_SEGMENTS)
    expect(snapshotsOf(storage)).toEqual(['2', '4', '6'])
    await using again = await Harness.start({ storage })
    await expectRecognised(again, topicId, [5, 6], 7)
  })

  it('a damaged producer snapshot is deleted and an older one is used', async () => {
    const { storage, topicId } = await brokerWith(7, SMALL_SEGMENTS)
    storage.truncate(pathOf(6), 20)
    await using again = await Harness.start({ storage })
    await expectRecognised(again, topicId, [3, 4, 5, 6], 7)
  })

  it('the log alone restores the producer state when every snapshot is damaged', async () => {
    const { storage, topicId } = await brokerWith(7, SMALL_SEGMENTS)
    for (const offset of [2, 4, 6]) storage.truncate(pathOf(offset), 5)
    await using again = await Harness.start({ storage })
    await expectRecognised(again, topicId, [2, 3, 4, 5, 6], 7)
  })

  it('a producer snapshot beyond the end of the log is ignored', async () => {
    const { harness, storage, topicId } = await brokerWith(3)
    await harness.stop()
    storage.rename(pathOf(3), pathOf(9))
    await using again = await Harness.start({ storage })
    await expectRecognised(again, topicId, [0, 1, 2], 3)
    expect(snapshotsOf(storage)).toEqual([])
  })

  it('batches that a power failure lost can be sent again', async () => {
    const { storage, topicId } = await brokerWith(7, SMALL_SEGMENTS)
    storage.loseUnsynced()
    await using again = await Harness.start({ storage })
    let kept = 0
    for (let inSegment = -1; inSegment !== 0; kept += inSegment) {
      inSegment = (await again.values(topicId, BigInt(kept))).length
    }
    expect(kept).toBeLessThan(7)
    expect(await again.produce(topicId, idempotent(kept))).toMatchObject({
      errorCode: 'NONE',
      baseOffset: BigInt(kept)
    })
  })
})

it('an append succeeds even if its producer snapshot cannot be written', async () => {
  const fault = ({ name, path }: StorageOperation) =>
    name === 'append' && path.includes('.snapshot') ? { error: new StorageError('full', 'no room') } : undefined
  const { storage, topicId } = await brokerWith(7, SMALL_SEGMENTS, { fault })
  expect(snapshotsOf(storage)).toEqual([])
  await using again = await Harness.start({ storage })
  await expectRecognised(again, topicId, [2, 3, 4, 5, 6], 7)
})

it('the metadata log has producer snapshots without producers, as in Kafka', async () => {
  const { harness, storage } = await brokerWith(1)
  await harness.stop()
  const snapshots = storage.list('__cluster_metadata-0').filter(({ name }) => name.endsWith('.snapshot'))
  expect(snapshots).toHaveLength(1)
  expect(storage.size(`__cluster_metadata-0/${snapshots[0]?.name}`)).toBe(10)
})
