import { describe, expect, it } from 'vitest'
import { ProducerIds } from '../../src/idempotence/producer-ids.ts'
import { StorageError } from '../../src/log/storage.ts'
import { type MetadataRecord, metadataRecord } from '../../src/metadata/records.ts'
import { controlTypeOf } from '../../src/protocol/records/control.ts'
import { recordsOf } from '../../src/protocol/records/record.ts'
import { DIRECTORY, FOLDER, LOG_FILE, Rig, topicIdOf, VOTERS_FILE } from './metadata-fixture.ts'

describe('a new metadata log', () => {
  it('begins with the levels of Kafka 4.0, metadata.version first', () => {
    const { metadata } = new Rig().open()
    expect([...metadata.image.features]).toEqual([
      ['metadata.version', 25],
      ['group.version', 1],
      ['transaction.version', 2]
    ])
  })

  it('tells clients only of what works', () => {
    const { metadata } = new Rig().open()
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

  it('makes this node the only voter, with the bytes of Kafka', () => {
    const rig = new Rig()
    rig.open()
    const bytes = rig.storage.read(VOTERS_FILE, 0, rig.storage.size(VOTERS_FILE))
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

  it('is led by this node in epoch 1', () => {
    const rig = new Rig()
    const { log } = rig.open()
    const [first] = [...log.batches(0n)]
    expect(first?.isControl).toBe(true)
    expect(first?.partitionLeaderEpoch).toBe(1)
    const [record] = first ? recordsOf(first) : []
    expect(controlTypeOf(record?.key ?? null)).toBe('LEADER_CHANGE')
    expect(record?.value?.toString('hex')).toBe('00000000000102000000010002000000010000')
    expect(rig.text(`${FOLDER}/quorum-state`)).toBe(
      '{"leaderId":1,"leaderEpoch":1,"votedId":-1,"votedDirectoryId":"AAAAAAAAAAAAAAAAAAAAAA","data_version":1}'
    )
  })
})

describe('a metadata log opened again', () => {
  it('has the same image, in a new epoch', () => {
    const rig = new Rig()
    const first = rig.open()
    rig.topics(first.metadata, 'a', 'b')
    first.metadata.allocateProducerIds()
    first.metadata.append([metadataRecord('RemoveTopicRecord', { topicId: topicIdOf(first.metadata, 'a') })])
    const second = rig.open()
    expect(second.metadata.image).toEqual(first.metadata.image)
    expect(second.log.leaderEpochs.latest).toEqual({ epoch: 2, startOffset: first.log.logEndOffset })
    expect(rig.text(`${FOLDER}/quorum-state`)).toContain('"leaderEpoch":2')
  })

  it('has all that was appended, even after a loss of power', () => {
    const rig = new Rig()
    const { metadata } = rig.open()
    rig.topics(metadata, 'a')
    metadata.allocateProducerIds()
    rig.storage.loseUnsynced()
    expect(rig.open().metadata.image).toEqual(metadata.image)
  })

  it('has all of a torn batch or nothing, wherever it was torn', () => {
    const whole = new Rig()
    const { metadata } = whole.open()
    const before = metadata.image
    const sizeBefore = whole.storage.size(LOG_FILE)
    whole.topics(metadata, 'torn')
    const batchBytes = whole.storage.size(LOG_FILE) - sizeBefore
    for (let kept = 0; kept <= batchBytes; kept += 7) {
      const rig = new Rig()
      rig.topics(rig.open().metadata, 'torn')
      rig.storage.tearLastAppend(kept)
      expect(rig.open().metadata.image.topicsByName.has('torn')).toBe(kept >= batchBytes)
      expect(rig.open().metadata.image.features).toEqual(before.features)
    }
  })

  it('starts as a new one when the first start died at any point', () => {
    const operations = new Rig()
    operations.open()
    for (let number = 1; number <= operations.storage.operationCount; number++) {
      let died = false
      const rig = new Rig({
        fault: operation => {
          if (operation.number < number || died) return undefined
          died = true
          return { error: new StorageError('other', 'the process died'), writtenBytes: 5 }
        }
      })
      expect(() => rig.open()).toThrow('the process died')
      expect(rig.open().metadata.image.features.get('metadata.version')).toBe(25)
    }
  })

  it('drops an unfinished metadata transaction and says so in the log', () => {
    const rig = new Rig()
    const { metadata } = rig.open()
    rig.topics(metadata, 'a')
    const topicId = 'AAECAwQFBgcICQoLDA0ODw'
    metadata.append([
      metadataRecord('BeginTransactionRecord', {}),
      metadataRecord('TopicRecord', { name: 'b', topicId })
    ])
    const second = rig.open()
    expect([...second.metadata.image.topicsByName.keys()]).toEqual(['a'])
    rig.topics(second.metadata, 'b')
    expect([...rig.open().metadata.image.topicsByName.keys()]).toEqual(['a', 'b'])
  })

  it('gives partitions a leader that Kafka has left without one', () => {
    const rig = new Rig()
    const { metadata } = rig.open()
    rig.topics(metadata, 'a')
    const topicId = topicIdOf(metadata, 'a')
    metadata.append([metadataRecord('PartitionChangeRecord', { partitionId: 1, topicId, leader: -1 })])
    const partitions = rig.open().metadata.image.topicsByName.get('a')?.partitions
    expect(partitions?.map(({ leader, leaderEpoch }) => [leader, leaderEpoch])).toEqual([
      [1, 0],
      [1, 2],
      [1, 0]
    ])
  })

  it('gives a partition a leader of whose replicas Kafka has left none in sync', () => {
    const rig = new Rig()
    const { metadata } = rig.open()
    rig.topics(metadata, 'a')
    const topicId = topicIdOf(metadata, 'a')
    const gone = { leader: -1, isr: [], lastKnownElr: [1] }
    metadata.append([metadataRecord('PartitionChangeRecord', { partitionId: 1, topicId, ...gone })])
    expect(rig.open().metadata.image.topicsByName.get('a')?.partitions[1]).toMatchObject({
      leader: 1,
      isr: [1],
      lastKnownElr: []
    })
  })

  it('never hands a producer id out twice', () => {
    const rig = new Rig()
    const given: bigint[] = []
    for (let start = 0; start < 3; start++) {
      const { metadata } = rig.open()
      const ids = new ProducerIds(() => metadata.allocateProducerIds())
      for (let count = 0; count < 1001; count++) given.push(ids.next())
    }
    expect(new Set(given).size).toBe(3003)
    expect(given.slice(999, 1002)).toEqual([999n, 1000n, 2000n])
  })
})

describe('a metadata log that this broker cannot serve', () => {
  const frame = (...bytes: number[]) => Buffer.from(bytes)

  it.each([
    ['offset 4: a metadata record of unknown type 99', [frame(1, 99, 0, 0)]],
    ['offset 4: a TopicRecord of unknown version 3', [frame(1, 2, 3, 0)]],
    ['offset 5: a metadata transaction ends that never began', [frame(1, 20, 0, 0), frame(1, 24, 0, 0)]],
    ['offset 4: 1 bytes wanted at position 3, 0 left', [frame(1, 20, 0)]]
  ])('is refused in a sentence with the place: %s', (message, values) => {
    const rig = new Rig()
    rig.write(values)
    expect(() => rig.open()).toThrow(`${FOLDER}, ${message}`)
  })

  it.each([6, 31])('is refused when its metadata.version is %i', level => {
    const rig = new Rig()
    const record = metadataRecord('FeatureLevelRecord', { name: 'metadata.version', featureLevel: level })
    rig.open().metadata.append([record])
    expect(() => rig.open()).toThrow(`metadata.version is ${level}, but this broker reads levels 7 to 30`)
  })

  it('is refused when another node votes', () => {
    const rig = new Rig()
    rig.open(1)
    expect(() => rig.open(2)).toThrow('the metadata belongs to a quorum of nodes 1, not 2 alone')
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
    ['partition t-0 has replicas on brokers 1,2, not on 1 alone', partition([1, 2], DIRECTORY)],
    [`partition t-0 lies in the data directory of id ${OTHER_DIRECTORY}`, partition([1], OTHER_DIRECTORY)],
    ['broker 2 is registered in the metadata and may be alive', [registered(2, false)]],
    [
      'share.version is 2, but this broker reads levels 0 to 1',
      [metadataRecord('FeatureLevelRecord', { name: 'share.version', featureLevel: 2 })]
    ],
    [
      'new.version is 1, but this broker reads levels 0 to 0',
      [metadataRecord('FeatureLevelRecord', { name: 'new.version', featureLevel: 1 })]
    ]
  ])('is refused, and left as it is: %s', (message, records) => {
    const rig = new Rig()
    const { log, metadata } = rig.open()
    metadata.append(records)
    const before = [rig.storage.size(LOG_FILE), rig.text(`${FOLDER}/quorum-state`), log.logEndOffset]
    expect(() => rig.open()).toThrow(message)
    expect([rig.storage.size(LOG_FILE), rig.text(`${FOLDER}/quorum-state`), log.logEndOffset]).toEqual(before)
  })

  it('is not refused for brokers that are fenced and directories not chosen yet', () => {
    const rig = new Rig()
    const { metadata } = rig.open()
    metadata.append([registered(2, true), ...partition([1], 'AAAAAAAAAAAAAAAAAAAAAQ')])
    expect(rig.open().metadata.image).toEqual(metadata.image)
  })

  it('is not refused for its own registration, which is fenced: that process is no more', () => {
    const rig = new Rig()
    rig.open().metadata.append([registered(1, false)])
    const { log, metadata } = rig.open()
    expect(metadata.brokerEpoch).toBe(1n)
    expect([...metadata.image.others.values()]).toMatchObject([{ brokerId: 1, fenced: true }])
    expect(rig.open().log.logEndOffset).toBe(log.logEndOffset + 1n)
  })

  it('is refused when records between two of its files are missing', () => {
    const rig = new Rig({}, { segmentBytes: 1000 })
    const { log, metadata } = rig.open()
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']) rig.topics(metadata, name)
    const [, lost, after] = log.segments
    for (const suffix of ['log', 'index', 'timeindex']) {
      rig.storage.removeNow(`${FOLDER}/${String(lost?.baseOffset).padStart(20, '0')}.${suffix}`)
    }
    expect(() => rig.open()).toThrow(
      `${FOLDER} lacks the records from offset ${lost?.baseOffset} to ${(after?.baseOffset ?? 0n) - 1n}`
    )
  })

  it('is refused when its snapshot is damaged', () => {
    const rig = new Rig()
    rig.open()
    rig.storage.truncate(VOTERS_FILE, 100)
    expect(() => rig.open()).toThrow('ends in the middle of a batch')
  })
})

describe('an append that fails', () => {
  const unknownTopic = metadataRecord('RemoveTopicRecord', { topicId: 'AAECAwQFBgcICQoLDA0ODw' })

  it.each<['append' | 'sync', 'full' | 'failed']>([
    ['append', 'full'],
    ['sync', 'failed']
  ])('in the %s leaves the image as it was', (name, kind) => {
    let broken = false
    const rig = new Rig({
      fault: operation =>
        broken && operation.name === name ? { error: new StorageError(kind, 'broken'), writtenBytes: 20 } : undefined
    })
    const { metadata } = rig.open()
    const before = metadata.image
    broken = true
    expect(() => rig.topics(metadata, 'a')).toThrow(StorageError)
    expect(metadata.image).toBe(before)
  })

  it('because the disk is full may be tried again', () => {
    let isFull = false
    const full = { error: new StorageError('full', 'no room'), writtenBytes: 20 }
    const rig = new Rig({ fault: ({ name }) => (isFull && name === 'append' ? full : undefined) })
    const { metadata } = rig.open()
    isFull = true
    expect(() => metadata.allocateProducerIds()).toThrow('no room')
    isFull = false
    expect(metadata.allocateProducerIds()).toEqual({ firstProducerId: 0n, size: 1000 })
    expect(rig.open().metadata.image).toEqual(metadata.image)
  })

  it('because records do not fit writes none of them', () => {
    const { metadata, log } = new Rig().open()
    const end = log.logEndOffset
    const records: MetadataRecord[] = [metadataRecord('NoOpRecord', {}), unknownTopic]
    expect(() => metadata.append(records)).toThrow('no topic has it')
    expect(log.logEndOffset).toBe(end)
  })
})

it('twelve thousand partitions are appended and replayed', () => {
  const rig = new Rig()
  const { metadata } = rig.open()
  for (let first = 0; first < 4000; first += 1000) {
    rig.topics(metadata, ...Array.from({ length: 1000 }, (_, index) => `topic-${first + index}`))
  }
  expect(rig.open().metadata.image.partitionCount).toBe(12_000)
})
