/** The start of a broker on the directory of an earlier broker: cleanly stopped, killed or damaged. */
import { describe, expect, it } from 'vitest'
import type { RecoveryProgress } from '../../src/log/recovery/recovery-progress.ts'
import { MemoryStorage, type MemoryStorageOptions } from '../../src/storage/memory-storage.ts'
import { replaceFile, StorageError } from '../../src/storage/storage.ts'
import { batchOf, Harness } from '../../src/testing/harness.ts'
import { RecordingEvents } from '../../src/testing/recording-events.ts'

const T0 = 1_700_000_000_000n
const LOG = '00000000000000000000.log'

/** A storage that records its operations from the moment at which `watched` is emptied. */
function watchedStorage(): { storage: MemoryStorage; watched: string[] } {
  const watched: string[] = []
  const fault: MemoryStorageOptions['fault'] = ({ name, path }) => void watched.push(`${name} ${path}`)
  return { storage: new MemoryStorage({ fault }), watched }
}

function bytesOf(storage: MemoryStorage, path: string): Buffer {
  return Buffer.from(storage.read(path, 0, storage.size(path)))
}

function filesOf(storage: MemoryStorage, folder: string, suffix: string): Record<string, string> {
  const names = storage.list(folder).map(({ name }) => name)
  return Object.fromEntries(
    names
      .filter(name => name.endsWith(suffix))
      .map(name => [name, bytesOf(storage, `${folder}/${name}`).toString('hex')])
  )
}

/** Flips a bit. */
function damage(storage: MemoryStorage, path: string, position: number): void {
  const bytes = bytesOf(storage, path)
  bytes.writeUInt8(bytes.readUInt8(position) ^ 1, position)
  replaceFile(storage, path, bytes)
}

async function filled(storage: MemoryStorage, topics: readonly string[], batches = 3): Promise<Harness> {
  const harness = await Harness.start({ storage })
  for (const topic of topics) {
    const topicId = await harness.createTopic(topic, 2, { 'index.interval.bytes': '100' })
    for (let count = 0; count < batches; count++) {
      await harness.produce(topicId, batchOf([`${topic} ${count}`], {}, T0 + BigInt(count)))
    }
  }
  return harness
}

async function idOf(harness: Harness, name: string): Promise<string> {
  const { topics } = await harness.request('Metadata', { topics: [{ name }] })
  return topics[0]?.topicId ?? ''
}

describe('a clean start', () => {
  it('opens no partition of a user topic, for any number of them', async () => {
    const { storage, watched } = watchedStorage()
    const first = await filled(storage, ['a', 'b'])
    await first.stop()
    const list = storage.list.bind(storage)
    storage.list = folder => {
      watched.push(`list ${folder}`)
      return list(folder)
    }
    watched.length = 0
    await using second = await Harness.start({ storage })
    expect(watched.filter(line => / [ab]-\d/.test(line))).toEqual([])
    expect(watched.filter(line => line === 'list ').length).toBeLessThan(5)
    expect(await second.values(await idOf(second, 'a'))).toEqual(['a 0', 'a 1', 'a 2'])
  })

  it('moves folders without a topic aside and removes their checkpoint entries', async () => {
    const storage = new MemoryStorage()
    const first = await filled(storage, ['a'])
    await first.stop()
    storage.rename('a-0', 'gone-0')
    const checkpoint = bytesOf(storage, 'recovery-point-offset-checkpoint').toString()
    replaceFile(storage, 'recovery-point-offset-checkpoint', Buffer.from(checkpoint.replace('a 0 3', 'gone 0 3')))
    const second = await Harness.start({ storage })
    expect(storage.list('').filter(({ name }) => /^gone-0\.[0-9a-f]{32}-stray$/.test(name))).toHaveLength(1)
    await second.stop()
    expect(bytesOf(storage, 'recovery-point-offset-checkpoint').toString()).not.toContain('gone')
  })
})

describe('a start after a kill', () => {
  it('rebuilds the same indexes as a broker without a kill', async () => {
    const killed = new MemoryStorage()
    await filled(killed, ['a'], 20)
    await using after = await Harness.start({ storage: killed })
    expect(await after.values(await idOf(after, 'a'))).toHaveLength(20)
    const closed = new MemoryStorage()
    const uninterrupted = await filled(closed, ['a'], 20)
    await uninterrupted.stop()
    await after.stop()
    for (const suffix of ['.index', '.timeindex']) {
      expect(filesOf(killed, 'a-0', suffix)).toEqual(filesOf(closed, 'a-0', suffix))
      expect(Object.values(filesOf(killed, 'a-0', suffix))[0]?.length).toBeGreaterThan(16)
    }
  })

  it('followed by a clean stop writes the files that Kafka expects, also in unused partitions', async () => {
    const storage = new MemoryStorage()
    const killed = await Harness.start({ storage })
    const topicId = await killed.createTopic('a')
    await killed.produce(topicId, batchOf(['one'], { producerId: 5n, producerEpoch: 0, baseSequence: 0 }))
    const second = await Harness.start({ storage })
    await second.stop()
    expect(storage.exists('.kafka_cleanshutdown')).toBe(true)
    expect(storage.exists('a-0/00000000000000000001.snapshot')).toBe(true)
    expect(bytesOf(storage, 'recovery-point-offset-checkpoint').toString()).toContain('a 0 1\n')
  })

  it('moves a folder without a topic id aside, as Kafka does, unless it is empty', async () => {
    const storage = new MemoryStorage()
    await filled(storage, ['a', 'b', 'c'])
    storage.removeNow('a-0/partition.metadata')
    replaceFile(storage, 'b-0/partition.metadata', Buffer.from('version: 0\ntopic_id: nonsense'))
    storage.removeNow('c-0/partition.metadata')
    storage.truncate(`c-0/${LOG}`, 0)
    await using second = await Harness.start({ storage })
    expect(await second.values(await idOf(second, 'a'))).toEqual([])
    expect(await second.values(await idOf(second, 'b'))).toEqual([])
    const aside = storage.list('').flatMap(({ name }) => /^(.-0).*-stray$/.exec(name)?.[1] ?? [])
    expect(aside).toEqual(['a-0', 'b-0'])
  })

  it('logs its progress in partitions and bytes', async () => {
    const storage = new MemoryStorage()
    await filled(storage, ['a', 'b'])
    const reports: RecoveryProgress[] = []
    await using second = await Harness.start({ storage, progress: progress => reports.push({ ...progress }) })
    const bytes = storage.size(`a-0/${LOG}`) + storage.size(`b-0/${LOG}`)
    expect(reports.at(-1)).toEqual({ partitions: 2, partitionsTotal: 2, bytes, bytesTotal: bytes })
    expect(reports.filter(({ partitions }) => partitions === 1).length).toBeGreaterThan(3)
    expect(second.broker).toBeDefined()
  })

  it('that is aborted leaves the directory unclean for the next start', async () => {
    const storage = new MemoryStorage()
    await filled(storage, ['a', 'b'])
    const controller = new AbortController()
    const progress = ({ partitions }: RecoveryProgress) => void (partitions === 1 && controller.abort())
    await expect(Harness.start({ storage, progress, signal: controller.signal })).rejects.toThrow(
      expect.objectContaining({ name: 'AbortError' })
    )
    expect(storage.exists('.kafka_cleanshutdown')).toBe(false)
    await using third = await Harness.start({ storage })
    expect(await third.values(await idOf(third, 'b'))).toHaveLength(3)
  })

  it('that crashes again at any step of its recovery loses no record', async () => {
    for (let at = 1; ; at++) {
      let left = Number.POSITIVE_INFINITY
      const storage = new MemoryStorage({
        fault: () => (left-- > 0 ? undefined : { error: new StorageError('other', 'the process is gone') })
      })
      const first = await filled(storage, ['a', 'b'])
      const topicId = await idOf(first, 'a')
      storage.append(`a-0/${LOG}`, Buffer.from('torn'))
      left = at
      const isUp = await Harness.start({ storage }).then(
        () => true,
        () => false
      )
      const wasCalm = left > 0
      left = Number.POSITIVE_INFINITY
      await using third = await Harness.start({ storage })
      expect(await third.values(topicId), `after ${at} operations`).toEqual(['a 0', 'a 1', 'a 2'])
      if (wasCalm) {
        expect(isUp).toBe(true)
        break
      }
    }
  })

  it('takes one partition with a failed disk offline, serves the others, and keeps the directory unclean', async () => {
    let isBroken = false
    const storage = new MemoryStorage({
      fault: ({ name, path }) =>
        isBroken && name === 'read' && path === `a-0/${LOG}`
          ? { error: new StorageError('failed', 'input/output error') }
          : undefined
    })
    await filled(storage, ['a', 'b'])
    isBroken = true
    const second = await Harness.start({ storage })
    const answer = await second.request('Fetch', second.fetchRequest(await idOf(second, 'a'), 0n))
    expect(answer.responses[0]?.partitions[0]?.errorCode).toBe('KAFKA_STORAGE_ERROR')
    expect(await second.values(await idOf(second, 'b'))).toHaveLength(3)
    await second.stop()
    expect(storage.exists('.kafka_cleanshutdown')).toBe(false)
    isBroken = false
    await using third = await Harness.start({ storage })
    expect(await third.values(await idOf(third, 'a'))).toHaveLength(3)
  })
})

describe('damage outside the range of recovery', () => {
  async function damaged(): Promise<{ harness: Harness; topicId: string; events: RecordingEvents; position: number }> {
    const storage = new MemoryStorage()
    const first = await filled(storage, ['a'], 4)
    await first.stop()
    const position = storage.size(`a-0/${LOG}`) / 2
    damage(storage, `a-0/${LOG}`, position + 70)
    const events = new RecordingEvents()
    const harness = await Harness.start({ storage, sinks: [events] })
    return { harness, topicId: await idOf(harness, 'a'), events, position }
  }

  it('is never served: a fetch gets the records before and after it, and an error at its position', async () => {
    const { harness, topicId } = await damaged()
    await using _ = harness
    expect(await harness.values(topicId)).toEqual(['a 0', 'a 1'])
    const answer = await harness.request('Fetch', harness.fetchRequest(topicId, 2n))
    expect(answer.responses[0]?.partitions[0]).toMatchObject({ errorCode: 'CORRUPT_MESSAGE' })
    expect(await harness.values(topicId, 3n)).toEqual(['a 3'])
    await harness.produce(topicId, batchOf(['new']))
    expect(await harness.values(topicId, 3n)).toEqual(['a 3', 'new'])
  })

  /** Changes the base offset, which no checksum covers, of the batch with that number. */
  async function misnumbered(batch: number, byte: number): Promise<MemoryStorage> {
    const storage = new MemoryStorage()
    const first = await filled(storage, ['a'], 4)
    await first.stop()
    damage(storage, `a-0/${LOG}`, (storage.size(`a-0/${LOG}`) / 4) * batch + byte)
    return storage
  }

  it('in the base offset of a batch ends a fetch before that batch', async () => {
    await using harness = await Harness.start({ storage: await misnumbered(1, 7) })
    expect(await harness.values(await idOf(harness, 'a'))).toEqual(['a 0'])
  })

  it('in the base offset that leaves no valid next offset takes the partition offline, and the files stay', async () => {
    const storage = await misnumbered(2, 1)
    const found = bytesOf(storage, `a-0/${LOG}`)
    await using harness = await Harness.start({ storage })
    const answer = await harness.request('Fetch', harness.fetchRequest(await idOf(harness, 'a'), 0n))
    expect(answer.responses[0]?.partitions[0]).toMatchObject({ errorCode: 'KAFKA_STORAGE_ERROR' })
    expect(bytesOf(storage, `a-0/${LOG}`)).toEqual(found)
  })

  it('is reported once, with file and position, for any number of reads', async () => {
    const { harness, topicId, events, position } = await damaged()
    await using _ = harness
    for (const _ of [1, 2, 3]) await harness.request('Fetch', harness.fetchRequest(topicId, 2n))
    const message = `a-0/${LOG}, position ${position}: the checksum is wrong`
    expect(events.of('LogDamaged')).toMatchObject([{ topicPartition: 'a-0', error: { message } }])
  })

  it('ends a search by timestamp that must read past it', async () => {
    const { harness } = await damaged()
    await using _ = harness
    const offsetAt = async (timestamp: bigint) => {
      const partitions = [{ partitionIndex: 0, currentLeaderEpoch: -1, timestamp }]
      const request = { replicaId: -1, isolationLevel: 0, topics: [{ name: 'a', partitions }] }
      const { topics } = await harness.request('ListOffsets', request)
      const [partition] = topics[0]?.partitions ?? []
      return partition?.errorCode === 'NONE' ? partition.offset : partition?.errorCode
    }
    expect(await offsetAt(T0 + 1n)).toBe(1n)
    expect(await offsetAt(T0 + 2n)).toBe('CORRUPT_MESSAGE')
  })
})

it('checkpoints are written as often as the settings require', async () => {
  const storage = new MemoryStorage()
  await using harness = await Harness.start({
    storage,
    config: {
      'replica.high.watermark.checkpoint.interval.ms': 1000,
      'log.flush.offset.checkpoint.interval.ms': 3000,
      'log.flush.start.offset.checkpoint.interval.ms': 7000
    }
  })
  const topicId = await harness.createTopic('a')
  for (const value of ['x', 'y', 'z']) await harness.produce(topicId, batchOf([value]))
  await harness.request('DeleteRecords', {
    topics: [{ name: 'a', partitions: [{ partitionIndex: 0, offset: 2n }] }],
    timeoutMs: 1000
  })
  const written = (name: string) => (storage.exists(name) ? bytesOf(storage, name).toString() : '')
  harness.clock.advance(1000)
  expect(written('replication-offset-checkpoint')).toBe('0\n1\na 0 3\n')
  expect(written('recovery-point-offset-checkpoint')).toBe('0\n0\n')
  harness.clock.advance(2000)
  expect(written('recovery-point-offset-checkpoint')).toContain('a 0')
  expect(written('log-start-offset-checkpoint')).toBe('')
  harness.clock.advance(4000)
  expect(written('log-start-offset-checkpoint')).toBe('0\n1\na 0 2\n')
})
