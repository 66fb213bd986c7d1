// Snapshots of the metadata log: their conditions, their content, and crashes while they are written.
import { describe, expect, it } from 'vitest'
import type { MetadataLog } from '../../../src/metadata/log/metadata-log.ts'
import { readSnapshot } from '../../../src/metadata/log/snapshots.ts'
import { type MetadataRecord, metadataRecord } from '../../../src/metadata/records.ts'
import type { RecordBatch } from '../../../src/protocol/records/batch.ts'
import { controlTypeOf } from '../../../src/protocol/records/control.ts'
import { recordsOf } from '../../../src/protocol/records/record.ts'
import { yieldToEventLoop } from '../../../src/runtime/pace.ts'
import { seededRandom } from '../../../src/runtime/random.ts'
import type { MemoryStorage, StorageOperation } from '../../../src/storage/memory-storage.ts'
import { StorageError } from '../../../src/storage/storage.ts'
import { begin, checkpoints, HOUR, nameOf, newest, SEGMENT } from './compaction-fixture.ts'
import { contentOf, FOLDER, MetadataLogDriver, topicIdOf, VOTERS_FILE } from './metadata-log-driver.ts'

const TOPIC = 'AAECAwQFBgcICQoLDA0ODw'

/** One record of every type that this broker stores without an effect. */
function foreignRecords(): MetadataRecord[] {
  const broker = { incarnationId: TOPIC, endPoints: [], features: [] }
  const acl = { resourceType: 2, resourceName: 'a', patternType: 3, host: '*', operation: 3, permissionType: 3 }
  const token = { issueTimestamp: 1n, maxTimestamp: 3n, expirationTimestamp: 2n, tokenId: 'token' }
  const bytes = Buffer.from('secret')
  const scram = { mechanism: 1, salt: bytes, storedKey: bytes, serverKey: bytes, iterations: 4096 }
  const user = [{ entityType: 'user', entityName: null }]
  return [
    metadataRecord('RegisterBrokerRecord', { ...broker, brokerId: 1, brokerEpoch: 7n, rack: 'r', fenced: true }),
    metadataRecord('RegisterControllerRecord', { ...broker, controllerId: 1, zkMigrationReady: false }),
    metadataRecord('AccessControlEntryRecord', { ...acl, id: TOPIC, principal: 'User:a' }),
    metadataRecord('UserScramCredentialRecord', { ...scram, name: 'a' }),
    metadataRecord('ClientQuotaRecord', { entity: user, key: 'producer_byte_rate', value: 1.5, remove: false }),
    metadataRecord('ClientQuotaRecord', { entity: user, key: 'request_percentage', value: 50, remove: false }),
    metadataRecord('DelegationTokenRecord', { ...token, owner: 'User:a', requester: 'User:a', renewers: ['User:b'] }),
    metadataRecord('ConfigRecord', { resourceType: 4, resourceName: '', name: 'log.retention.ms', value: '5' }),
    metadataRecord('FeatureLevelRecord', { name: 'eligible.leader.replicas.version', featureLevel: 1 })
  ]
}

/** Records of all types, some of them changed later. */
function fill(driver: MetadataLogDriver, metadata: MetadataLog): void {
  driver.createTopics(metadata, 'a', 'b', 'c')
  metadata.allocateProducerIds()
  metadata.append(foreignRecords())
  const topicId = topicIdOf(metadata, 'b')
  const change = { isr: [], eligibleLeaderReplicas: [1], lastKnownElr: [1] }
  const cordoned = { version: 3, cordonedLogDirs: [TOPIC] }
  metadata.append([
    metadataRecord('RemoveTopicRecord', { topicId: topicIdOf(metadata, 'a') }),
    metadataRecord('PartitionChangeRecord', { partitionId: 1, topicId, leader: 1, ...change }),
    { ...metadataRecord('BrokerRegistrationChangeRecord', { brokerId: 1, brokerEpoch: 7n }), ...cordoned }
  ])
}

describe('a snapshot', () => {
  it('is written after metadata.log.max.record.bytes.between.snapshots since the last one', async () => {
    const driver = new MetadataLogDriver()
    const { log, metadata } = begin(driver, { 'metadata.log.max.record.bytes.between.snapshots': 3000 })
    const sizeBefore = log.sizeInBytes
    for (let topic = 0; log.sizeInBytes < sizeBefore + 3000; topic++) {
      expect(newest(driver)?.offset).toBe(0n)
      driver.createTopics(metadata, `topic-${topic}`)
      await yieldToEventLoop()
    }
    expect(checkpoints(driver)).toEqual([nameOf(0n, 0), nameOf(log.logEndOffset, 1)])
  })

  it('is written again after enough bytes that were appended during the previous one', async () => {
    const driver = new MetadataLogDriver()
    const { log, metadata } = begin(driver, { 'metadata.log.max.record.bytes.between.snapshots': 1 })
    driver.createTopics(metadata, 'a')
    driver.createTopics(metadata, 'b')
    await yieldToEventLoop()
    expect(newest(driver)?.offset).toBe(log.logEndOffset)
  })

  it('is written when the bytes of earlier starts and of this one reach the limit', async () => {
    const driver = new MetadataLogDriver()
    driver.createTopics(driver.open().metadata, 'a', 'b', 'c')
    const { log } = begin(driver, { 'metadata.log.max.record.bytes.between.snapshots': 500 })
    await yieldToEventLoop()
    expect(newest(driver)).toMatchObject({ offset: log.logEndOffset, epoch: 2 })
  })

  it('is written when the last one is old and records follow it, and not otherwise', async () => {
    const driver = new MetadataLogDriver()
    const { log, metadata } = begin(driver)
    driver.clock.advance(HOUR - 1)
    await yieldToEventLoop()
    expect(checkpoints(driver)).toHaveLength(1)
    driver.clock.advance(1)
    await yieldToEventLoop()
    expect(newest(driver)?.offset).toBe(log.logEndOffset)
    driver.clock.advance(HOUR)
    await yieldToEventLoop()
    const names = checkpoints(driver)
    metadata.allocateProducerIds()
    driver.clock.advance(HOUR)
    await yieldToEventLoop()
    expect(newest(driver)?.offset).toBe(log.logEndOffset)
    expect(checkpoints(driver)).not.toEqual(names)
  })

  it('is never written by time when the interval is 0', async () => {
    const driver = new MetadataLogDriver()
    begin(driver, { 'metadata.log.max.snapshot.interval.ms': 0 })
    driver.clock.advance(1000 * HOUR)
    await yieldToEventLoop()
    expect(checkpoints(driver)).toHaveLength(1)
  })

  it('holds the whole image, and a log without the records before it replays to the same image', async () => {
    const driver = new MetadataLogDriver()
    const { metadata } = begin(driver)
    fill(driver, metadata)
    driver.clock.advance(HOUR)
    await yieldToEventLoop()
    const { path } = newest(driver) ?? { path: '' }
    driver.createTopics(metadata, 'later')
    const expected = contentOf(metadata.image)
    expect(contentOf(driver.open().metadata.image)).toEqual(expected)
    for (const file of driver.files()) {
      if (`${FOLDER}/${file}` !== path) driver.storage.removeNow(`${FOLDER}/${file}`)
    }
    driver.createTopics(driver.open().metadata, 'later')
    expect(driver.open().metadata.image.topicsByName.size).toBe(3)
    expect([...metadata.image.others.values()][0]).toMatchObject({ brokerId: 1, cordonedLogDirs: [TOPIC] })
    expect(new Map(driver.open().metadata.image.others)).toEqual(new Map(metadata.image.others))
    expect(contentOf(driver.open().metadata.image).filter(text => text.startsWith('User'))).toHaveLength(1)
  })

  it("has a header with the voters, the image in Kafka's order and a footer", async () => {
    const driver = new MetadataLogDriver()
    const { metadata } = begin(driver)
    fill(driver, metadata)
    const writtenAt = BigInt(driver.clock.wall.now())
    driver.clock.advance(HOUR)
    await yieldToEventLoop()
    const batches = readNewest(driver)
    const [header, data, footer] = batches
    expect(batches.map(batch => [batch.isControl, batch.partitionLeaderEpoch])).toEqual([
      [true, 1],
      [false, 1],
      [true, 1]
    ])
    expect(header?.baseOffset).toBe(0n)
    expect(data?.baseOffset).toBe(3n)
    expect(footer?.baseOffset).toBe(data?.nextOffset)
    const types = header ? recordsOf(header).map(({ key }) => controlTypeOf(key)) : []
    expect(types).toEqual(['SNAPSHOT_HEADER', 'KRAFT_VERSION', 'KRAFT_VOTERS'])
    expect(header && recordsOf(header)[0]?.value?.readBigInt64BE(2)).toBe(writtenAt)
    const [voters] = [...readSnapshot(driver.storage, { offset: 0n, epoch: 0, path: VOTERS_FILE })]
    expect(header && recordsOf(header)[2]?.value).toEqual(voters && recordsOf(voters)[2]?.value)
    const keys = data ? recordsOf(data).map(({ value }) => value?.readUInt8(1)) : []
    expect(keys).toEqual([12, 12, 12, 12, 0, 27, 2, 3, 3, 3, 2, 3, 3, 3, 4, 4, 4, 14, 14, 15, 18, 11, 10])
  })

  it('is written in batches of moderate size', async () => {
    const driver = new MetadataLogDriver()
    const { metadata } = begin(driver)
    for (let first = 0; first < 2000; first += 500) {
      driver.createTopics(metadata, ...Array.from({ length: 500 }, (_, index) => `topic-${first + index}`))
    }
    driver.clock.advance(HOUR)
    await yieldToEventLoop()
    const sizes = readNewest(driver).map(({ sizeInBytes }) => sizeInBytes)
    expect(sizes.length).toBeGreaterThan(5)
    expect(Math.max(...sizes)).toBeLessThan(300_000)
    expect(contentOf(driver.open().metadata.image)).toEqual(contentOf(metadata.image))
  })

  it('is retried at the next due time after a failed write', async () => {
    let isFull = false
    const driver = new MetadataLogDriver({
      fault: ({ name, path }) =>
        isFull && name === 'append' && path.endsWith('.part')
          ? { error: new StorageError('full', 'no room'), writtenBytes: 10 }
          : undefined
    })
    const { log, metadata } = begin(driver)
    isFull = true
    driver.clock.advance(HOUR)
    await yieldToEventLoop()
    expect(checkpoints(driver)).toHaveLength(1)
    driver.createTopics(metadata, 'a')
    isFull = false
    driver.clock.advance(HOUR)
    await yieldToEventLoop()
    expect(newest(driver)?.offset).toBe(log.logEndOffset)
  })

  it('is cancelled by the close of the log and leaves no file', async () => {
    const driver = new MetadataLogDriver()
    const { compaction } = begin(driver)
    driver.clock.advance(HOUR)
    await driver.background.stop()
    await compaction.close()
    expect(checkpoints(driver)).toHaveLength(1)
    driver.clock.advance(1000 * HOUR)
    expect(driver.clock.pendingAlarms).toBe(0)
    driver.open()
    expect(driver.files().filter(name => name.endsWith('.part'))).toEqual([])
  })
})

describe('a crash during snapshots', () => {
  /** A topic with three partitions and a config. */
  const RECORDS_OF_A_TOPIC = 5

  /**
   * Runs until the storage refuses the operation `fatal` and all later ones. `acknowledged` holds the changes that clients got a
   * response for.
   */
  async function live(fatal: number) {
    let died = false
    let acknowledged: string[] | undefined
    const fault = ({ number }: StorageOperation) => {
      died ||= number >= fatal
      return died ? { error: new StorageError('failed', 'dead'), writtenBytes: 7 } : undefined
    }
    const driver = new MetadataLogDriver({ canLosePower: true, fault }, SEGMENT)
    try {
      const { metadata } = begin(driver, {
        'metadata.log.max.record.bytes.between.snapshots': 900,
        'metadata.max.retention.bytes': 3000,
        'metadata.max.retention.ms': HOUR
      })
      acknowledged = contentOf(metadata.image)
      for (let topic = 0; topic < 8; topic++) {
        driver.createTopics(metadata, `topic-${topic}`)
        acknowledged = contentOf(metadata.image)
        await yieldToEventLoop()
        driver.clock.advance(60_000)
        await yieldToEventLoop()
      }
    } catch (error) {
      if (!(error instanceof StorageError)) throw error
    }
    return { driver, died, acknowledged }
  }

  it.each<[string, (storage: MemoryStorage, seed: number) => MemoryStorage]>([
    ['of the process', storage => storage.die({})],
    ['of the machine', (storage, seed) => storage.losePower(seededRandom(seed), 'the last', {})],
    ['of a machine that loses any name', (storage, seed) => storage.losePower(seededRandom(seed), 'any', {})]
  ])('loses no acknowledged change at the next start: a crash %s', async (_, end) => {
    for (let fatal = 1, alive = false; !alive; fatal++) {
      const { driver, died, acknowledged = [] } = await live(fatal)
      driver.storage = end(driver.storage, fatal)
      const content = contentOf(driver.open().metadata.image)
      expect(content).toEqual(expect.arrayContaining(acknowledged))
      // A change in progress during the crash is complete or absent.
      if (acknowledged.length > 0) expect([0, RECORDS_OF_A_TOPIC]).toContain(content.length - acknowledged.length)
      expect(contentOf(driver.open().metadata.image)).toEqual(content)
      alive = !died
    }
  })
})

function readNewest(driver: MetadataLogDriver): RecordBatch[] {
  const snapshot = newest(driver)
  return snapshot ? [...readSnapshot(driver.storage, snapshot)] : []
}
