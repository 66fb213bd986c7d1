// Metadata logs that this broker cannot serve, and their error messages.
import { describe, expect, it } from 'vitest'
import { type MetadataRecord, metadataRecord } from '../../../src/metadata/records.ts'
import { DIRECTORY, FOLDER, LOG_FILE, MetadataLogDriver, VOTERS_FILE } from './metadata-log-driver.ts'

describe('a metadata log from elsewhere', () => {
  const frame = (...bytes: number[]) => Buffer.from(bytes)

  it.each([
    ['offset 4: the metadata record type 99 is unknown', [frame(1, 99, 0, 0)]],
    ['offset 4: the version 3 of TopicRecord is unknown', [frame(1, 2, 3, 0)]],
    ['offset 5: a metadata transaction ends that has not begun', [frame(1, 20, 0, 0), frame(1, 24, 0, 0)]],
    ['offset 4: 1 bytes are required at position 3, but 0 remain', [frame(1, 20, 0)]]
  ])('is refused with a sentence that names the position: %s', (message, values) => {
    const driver = new MetadataLogDriver()
    driver.append(values)
    expect(() => driver.open()).toThrow(`${FOLDER}, ${message}`)
  })

  it.each([6, 31])('is refused when its metadata.version is %i', level => {
    const driver = new MetadataLogDriver()
    const record = metadataRecord('FeatureLevelRecord', { name: 'metadata.version', featureLevel: level })
    driver.open().metadata.append([record])
    expect(() => driver.open()).toThrow(
      `the level of metadata.version is ${level}, but this broker supports levels 7 to 30`
    )
  })

  it('is refused when it has another voter', () => {
    const driver = new MetadataLogDriver()
    driver.open(1)
    expect(() => driver.open(2)).toThrow(
      'the metadata belongs to a quorum of the nodes 1, but only a quorum of node 2 alone is supported'
    )
  })

  const TOPIC = 'AAECAwQFBgcICQoLDA0ODw'
  const OTHER_DIRECTORY = 'ICEiIyQlJicoKSorLC0uLw'
  const registered = (brokerId: number, fenced: boolean) =>
    metadataRecord('RegisterBrokerRecord', {
      brokerId,
      incarnationId: TOPIC,
      brokerEpoch: 1n,
      endPoints: [],
      features: [],
      rack: null,
      fenced
    })
  const partition = (replicas: number[], directory: string) => [
    metadataRecord('TopicRecord', { name: 't', topicId: TOPIC }),
    metadataRecord('PartitionRecord', {
      partitionId: 0,
      topicId: TOPIC,
      replicas,
      isr: replicas,
      leader: 1,
      leaderEpoch: 0,
      partitionEpoch: 0,
      directories: replicas.map(() => directory)
    })
  ]

  it.each<[string, MetadataRecord[]]>([
    ['partition t-0 has replicas on the brokers 1,2, but must have only one on broker 1', partition([1, 2], DIRECTORY)],
    [`partition t-0 is in the data directory with id ${OTHER_DIRECTORY}`, partition([1], OTHER_DIRECTORY)],
    ['broker 2 is registered in the metadata and may be alive', [registered(2, false)]],
    [
      'the level of share.version is 2, but this broker supports levels 0 to 1',
      [metadataRecord('FeatureLevelRecord', { name: 'share.version', featureLevel: 2 })]
    ],
    [
      'the level of new.version is 1, but this broker supports levels 0 to 0',
      [metadataRecord('FeatureLevelRecord', { name: 'new.version', featureLevel: 1 })]
    ]
  ])('is refused and stays unchanged: %s', (message, records) => {
    const driver = new MetadataLogDriver()
    const { log, metadata } = driver.open()
    metadata.append(records)
    const before = [driver.storage.size(LOG_FILE), driver.text(`${FOLDER}/quorum-state`), log.logEndOffset]
    expect(() => driver.open()).toThrow(message)
    expect([driver.storage.size(LOG_FILE), driver.text(`${FOLDER}/quorum-state`), log.logEndOffset]).toEqual(before)
  })

  it('is accepted with fenced brokers and unassigned directories', () => {
    const driver = new MetadataLogDriver()
    const { metadata } = driver.open()
    metadata.append([registered(2, true), ...partition([1], 'AAAAAAAAAAAAAAAAAAAAAQ')])
    expect(driver.open().metadata.image).toEqual(metadata.image)
  })

  it('is accepted with the fenced registration of this broker from an earlier process', () => {
    const driver = new MetadataLogDriver()
    driver.open().metadata.append([registered(1, false)])
    const { log, metadata } = driver.open()
    expect(metadata.brokerEpoch).toBe(1n)
    expect([...metadata.image.others.values()]).toMatchObject([{ brokerId: 1, fenced: true }])
    expect(driver.open().log.logEndOffset).toBe(log.logEndOffset + 1n)
  })

  it('is refused when records between two of its files are missing', () => {
    const driver = new MetadataLogDriver({}, { segmentBytes: 1000 })
    const { log, metadata } = driver.open()
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']) driver.createTopics(metadata, name)
    const [, lost, after] = log.segments
    for (const suffix of ['log', 'index', 'timeindex']) {
      driver.storage.removeNow(`${FOLDER}/${String(lost?.baseOffset).padStart(20, '0')}.${suffix}`)
    }
    expect(() => driver.open()).toThrow(
      `${FOLDER} has no records from offset ${lost?.baseOffset} to ${(after?.baseOffset ?? 0n) - 1n}`
    )
  })

  it('is refused when its snapshot is damaged', () => {
    const driver = new MetadataLogDriver()
    driver.open()
    driver.storage.truncate(VOTERS_FILE, 100)
    expect(() => driver.open()).toThrow('ends in the middle of a batch')
  })
})
