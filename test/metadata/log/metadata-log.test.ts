// The metadata log: the records of a new one, the next start, and failed appends.
import { describe, expect, it } from 'vitest'
import { ProducerIds } from '../../../src/idempotence/producer-ids.ts'
import { MetadataError } from '../../../src/metadata/metadata-error.ts'
import { type MetadataRecord, metadataRecord } from '../../../src/metadata/records.ts'
import { controlTypeOf } from '../../../src/protocol/records/control.ts'
import { recordsOf } from '../../../src/protocol/records/record.ts'
import { StorageError } from '../../../src/storage/storage.ts'
import { DIRECTORY, FOLDER, LOG_FILE, MetadataLogDriver, topicIdOf, VOTERS_FILE } from './metadata-log-driver.ts'

describe('a new metadata log', () => {
  it('begins with the feature levels of Kafka 4.0, metadata.version first', () => {
    const { metadata } = new MetadataLogDriver().open()
    expect([...metadata.image.features]).toEqual([
      ['metadata.version', 25],
      ['group.version', 1],
      ['transaction.version', 2]
    ])
  })

  it('advertises only supported features to clients', () => {
    const { metadata } = new MetadataLogDriver().open()
    expect(metadata.features()).toEqual({
      supported: [
        { name: 'metadata.version', minVersion: 7, maxVersion: 30 },
        { name: 'group.version', minVersion: 0, maxVersion: 1 },
        { name: 'transaction.version', minVersion: 0, maxVersion: 2 }
      ],
      finalized: [
        { name: 'metadata.version', maxVersionLevel: 25, minVersionLevel: 25 },
        { name: 'group.version', maxVersionLevel: 1, minVersionLevel: 1 },
        { name: 'transaction.version', maxVersionLevel: 2, minVersionLevel: 2 }
      ],
      epoch: 3n
    })
  })

  it("makes this node the only voter, with Kafka's bytes", () => {
    const driver = new MetadataLogDriver()
    driver.open()
    const bytes = driver.storage.read(VOTERS_FILE, 0, driver.storage.size(VOTERS_FILE))
    expect(bytes.length).toBe(12 + 0x9a + 12 + 0x3f)
    expect(bytes.subarray(57, 12 + 0x9a).toString('hex')).toBe(
      '000000032a0000000800000003160000' +
        '0000018bcfe56800' +
        '00001e00000208000000050a00000001000082010000040800000006' +
        '6e000002000000011011121314151617' +
        '18191a1b1c1d1e1f020b434f4e54524f4c4c45520a6c6f63616c686f737423850000000001' +
        '00000000'
    )
    expect(bytes.subarray(12 + 0x9a).readBigInt64BE(0)).toBe(3n)
  })

  it('has this node as leader in epoch 1', () => {
    const driver = new MetadataLogDriver()
    const { log } = driver.open()
    const [first] = [...log.batches(0n)]
    expect(first?.isControl).toBe(true)
    expect(first?.partitionLeaderEpoch).toBe(1)
    const [record] = first ? recordsOf(first) : []
    expect(controlTypeOf(record?.key ?? null)).toBe('LEADER_CHANGE')
    expect(record?.value?.toString('hex')).toBe('00000000000102000000010002000000010000')
    expect(driver.text(`${FOLDER}/quorum-state`)).toBe(
      '{"leaderId":1,"leaderEpoch":1,"votedId":-1,"votedDirectoryId":"AAAAAAAAAAAAAAAAAAAAAA","data_version":1}'
    )
  })
})

describe('a metadata log opened again', () => {
  it('has the same image in a new epoch', () => {
    const driver = new MetadataLogDriver()
    const first = driver.open()
    driver.createTopics(first.metadata, 'a', 'b')
    first.metadata.allocateProducerIds()
    first.metadata.append([metadataRecord('RemoveTopicRecord', { topicId: topicIdOf(first.metadata, 'a') })])
    const second = driver.open()
    expect(second.metadata.image).toEqual(first.metadata.image)
    expect(second.log.leaderEpochs.latest).toEqual({ epoch: 2, startOffset: first.log.logEndOffset })
    expect(driver.text(`${FOLDER}/quorum-state`)).toContain('"leaderEpoch":2')
  })

  it('has all appended records, also after a power failure', () => {
    const driver = new MetadataLogDriver()
    const { metadata } = driver.open()
    driver.createTopics(metadata, 'a')
    metadata.allocateProducerIds()
    driver.storage.loseUnsynced()
    expect(driver.open().metadata.image).toEqual(metadata.image)
  })

  it('has all records of a torn batch or none, at every cut', () => {
    const whole = new MetadataLogDriver()
    const { metadata } = whole.open()
    const before = metadata.image
    const sizeBefore = whole.storage.size(LOG_FILE)
    whole.createTopics(metadata, 'torn')
    const batchBytes = whole.storage.size(LOG_FILE) - sizeBefore
    for (let kept = 0; kept <= batchBytes; kept += 7) {
      const driver = new MetadataLogDriver()
      driver.createTopics(driver.open().metadata, 'torn')
      driver.storage.tearLastAppend(kept)
      expect(driver.open().metadata.image.topicsByName.has('torn')).toBe(kept >= batchBytes)
      expect(driver.open().metadata.image.features).toEqual(before.features)
    }
  })

  it('starts as a new one after a crash at any point of the first start', () => {
    const operations = new MetadataLogDriver()
    operations.open()
    for (let number = 1; number <= operations.storage.operationCount; number++) {
      let died = false
      const driver = new MetadataLogDriver({
        fault: operation => {
          if (operation.number < number || died) return undefined
          died = true
          return { error: new StorageError('other', 'the process died'), writtenBytes: 5 }
        }
      })
      expect(() => driver.open()).toThrow('the process died')
      expect(driver.open().metadata.image.features.get('metadata.version')).toBe(25)
    }
  })

  it('drops an unfinished metadata transaction and writes a log line', () => {
    const driver = new MetadataLogDriver()
    const { metadata } = driver.open()
    driver.createTopics(metadata, 'a')
    const topicId = 'AAECAwQFBgcICQoLDA0ODw'
    metadata.append([
      metadataRecord('BeginTransactionRecord', {}),
      metadataRecord('TopicRecord', { name: 'b', topicId })
    ])
    const second = driver.open()
    expect([...second.metadata.image.topicsByName.keys()]).toEqual(['a'])
    driver.createTopics(second.metadata, 'b')
    expect([...driver.open().metadata.image.topicsByName.keys()]).toEqual(['a', 'b'])
  })

  it('elects a leader for partitions that Kafka left without one', () => {
    const driver = new MetadataLogDriver()
    const { metadata } = driver.open()
    driver.createTopics(metadata, 'a')
    const topicId = topicIdOf(metadata, 'a')
    metadata.append([metadataRecord('PartitionChangeRecord', { partitionId: 1, topicId, leader: -1 })])
    const partitions = driver.open().metadata.image.topicsByName.get('a')?.partitions
    expect(partitions?.map(({ leader, leaderEpoch }) => [leader, leaderEpoch])).toEqual([
      [1, 0],
      [1, 2],
      [1, 0]
    ])
    const ofPartition = { type: 'LeaderChanged', topicPartition: 'a-1' }
    expect(driver.events.of('LeaderChanged')).toEqual([
      { ...ofPartition, oldLeader: 1, leader: -1, leaderEpoch: 1 },
      { ...ofPartition, oldLeader: -1, leader: 1, leaderEpoch: 2 }
    ])
  })

  it('elects a leader for a partition with an empty ISR', () => {
    const driver = new MetadataLogDriver()
    const { metadata } = driver.open()
    driver.createTopics(metadata, 'a')
    const topicId = topicIdOf(metadata, 'a')
    const gone = { leader: -1, isr: [], lastKnownElr: [1] }
    metadata.append([metadataRecord('PartitionChangeRecord', { partitionId: 1, topicId, ...gone })])
    expect(driver.open().metadata.image.topicsByName.get('a')?.partitions[1]).toMatchObject({
      leader: 1,
      isr: [1],
      lastKnownElr: []
    })
  })

  it('never assigns a producer id twice', () => {
    const driver = new MetadataLogDriver()
    const given: bigint[] = []
    for (let start = 0; start < 3; start++) {
      const { metadata } = driver.open()
      const ids = new ProducerIds(() => metadata.allocateProducerIds())
      for (let count = 0; count < 1001; count++) given.push(ids.next())
    }
    expect(new Set(given).size).toBe(3003)
    expect(given.slice(999, 1002)).toEqual([999n, 1000n, 2000n])
  })
})

it.each(['gone', 'empty'])(
  'the start refuses to create a metadata log next to existing partitions when the log is %s',
  how => {
    const driver = new MetadataLogDriver()
    driver.open()
    driver.storage.makeDirectory('t-0')
    driver.open()
    if (how === 'gone') driver.storage.removeNow(FOLDER)
    else driver.storage.truncate(LOG_FILE, 0)
    for (const _ of [1, 2])
      expect(() => driver.open()).toThrow(/^__cluster_metadata-0 is empty or missing, .* such as t-0/)
    driver.storage.removeNow('t-0')
    expect(driver.open().metadata.image.topicsById.size).toBe(0)
  }
)

describe('subscribers', () => {
  it('are called after each change with the image and its delta, in the order of subscription', () => {
    const driver = new MetadataLogDriver()
    const { metadata } = driver.open()
    const calls: string[] = []
    for (const subscriber of ['first', 'second']) {
      metadata.subscribe((image, { createdTopics, previous }) => {
        expect(image).toBe(metadata.image)
        calls.push(`${subscriber}: ${previous.topicsById.size} + ${createdTopics.map(({ name }) => name).join()}`)
      })
    }
    driver.createTopics(metadata, 'foo')
    driver.createTopics(metadata, 'bar', 'baz')
    metadata.append([])
    expect(calls).toEqual(['first: 0 + foo', 'second: 0 + foo', 'first: 1 + bar,baz', 'second: 1 + bar,baz'])
  })

  it('stop the broker when they throw, without an effect on the change or the other subscribers', () => {
    const driver = new MetadataLogDriver()
    const failures: unknown[] = []
    const { metadata } = driver.open(1, error => failures.push(error))
    const bug = new TypeError('a bug')
    metadata.subscribe(() => {
      throw bug
    })
    let isCalled = false
    metadata.subscribe(() => {
      isCalled = true
    })
    driver.createTopics(metadata, 'foo')
    expect(failures).toEqual([bug])
    expect(isCalled).toBe(true)
    expect(driver.open().metadata.image.topicsByName.has('foo')).toBe(true)
  })

  it('are not called for a failed append', () => {
    const driver = new MetadataLogDriver()
    const { metadata } = driver.open()
    metadata.subscribe(() => expect.unreachable())
    const unknownTopic = metadataRecord('RemoveTopicRecord', { topicId: DIRECTORY })
    expect(() => metadata.append([unknownTopic])).toThrow(MetadataError)
  })
})

describe('an append that fails', () => {
  const unknownTopic = metadataRecord('RemoveTopicRecord', { topicId: 'AAECAwQFBgcICQoLDA0ODw' })

  it.each<['append' | 'sync', 'full' | 'failed']>([
    ['append', 'full'],
    ['sync', 'failed']
  ])('in the %s leaves the image unchanged', (name, kind) => {
    let broken = false
    const driver = new MetadataLogDriver({
      fault: operation =>
        broken && operation.name === name ? { error: new StorageError(kind, 'broken'), writtenBytes: 20 } : undefined
    })
    const { metadata } = driver.open()
    const before = metadata.image
    broken = true
    expect(() => driver.createTopics(metadata, 'a')).toThrow(StorageError)
    expect(metadata.image).toBe(before)
  })

  it('because of a full disk can be retried', () => {
    let isFull = false
    const full = { error: new StorageError('full', 'no room'), writtenBytes: 20 }
    const driver = new MetadataLogDriver({ fault: ({ name }) => (isFull && name === 'append' ? full : undefined) })
    const { metadata } = driver.open()
    isFull = true
    expect(() => metadata.allocateProducerIds()).toThrow('no room')
    isFull = false
    expect(metadata.allocateProducerIds()).toEqual({ firstProducerId: 0n, size: 1000 })
    expect(driver.open().metadata.image).toEqual(metadata.image)
  })

  it('because of invalid records writes no record', () => {
    const { metadata, log } = new MetadataLogDriver().open()
    const end = log.logEndOffset
    const records: MetadataRecord[] = [metadataRecord('NoOpRecord', {}), unknownTopic]
    expect(() => metadata.append(records)).toThrow('no topic has that id')
    expect(log.logEndOffset).toBe(end)
  })
})

it('a metadata log appends and replays twelve thousand partitions', () => {
  const driver = new MetadataLogDriver()
  const { metadata } = driver.open()
  for (let first = 0; first < 4000; first += 1000) {
    driver.createTopics(metadata, ...Array.from({ length: 1000 }, (_, index) => `topic-${first + index}`))
  }
  expect(driver.open().metadata.image.partitionCount).toBe(12_000)
})
