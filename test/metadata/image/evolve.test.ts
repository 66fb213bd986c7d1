import { describe, expect, it } from 'vitest'
import { evolve, ImageDraft } from '../../../src/metadata/image/evolve.ts'
import { configsOf, EMPTY_IMAGE, type MetadataImage } from '../../../src/metadata/image/image.ts'
import { MetadataError } from '../../../src/metadata/metadata-error.ts'
import { type MetadataRecord, metadataRecord } from '../../../src/metadata/records.ts'

const FOO = 'AAECAwQFBgcICQoLDA0ODw'
const BAR = 'EBESExQVFhcYGRobHB0eHw'
const DIRECTORY = 'ICEiIyQlJicoKSorLC0uLw'
const MIGRATING = 'AAAAAAAAAAAAAAAAAAAAAA'

const topic = (name: string, topicId: string) => metadataRecord('TopicRecord', { name, topicId })
const partition = (topicId: string, partitionId: number) =>
  metadataRecord('PartitionRecord', {
    partitionId,
    topicId,
    replicas: [1],
    isr: [1],
    leader: 1,
    leaderEpoch: 4,
    partitionEpoch: 9,
    directories: [DIRECTORY]
  })
const config = (resourceName: string, name: string, value: string | null) =>
  metadataRecord('ConfigRecord', { resourceType: 2, resourceName, name, value })
const change = (fields: Partial<Extract<MetadataRecord, { type: 'PartitionChangeRecord' }>>) =>
  metadataRecord('PartitionChangeRecord', { partitionId: 0, topicId: FOO, ...fields })

const made = evolve(EMPTY_IMAGE, [topic('foo', FOO), partition(FOO, 1), partition(FOO, 0), config('foo', 'a', '1')])
const foo = (image: MetadataImage) => image.topicsByName.get('foo')

describe('evolve', () => {
  it('stores partitions by their index in any order of records', () => {
    expect(foo(made)?.partitions.map(({ partitionId }) => partitionId)).toEqual([0, 1])
    expect(made.topicsById.get(FOO)).toBe(foo(made))
    expect(made.partitionCount).toBe(2)
  })

  it('does not change the previous image', () => {
    const next = evolve(made, [metadataRecord('RemoveTopicRecord', { topicId: FOO }), topic('bar', BAR)])
    expect([...next.topicsByName.keys()]).toEqual(['bar'])
    expect([...made.topicsByName.keys()]).toEqual(['foo'])
    expect(EMPTY_IMAGE.topicsByName.size).toBe(0)
  })

  it('shares unchanged parts with the previous image', () => {
    const next = evolve(made, [metadataRecord('ProducerIdsRecord', { brokerId: 1, nextProducerId: 1000n })])
    expect(next.topicsByName).toBe(made.topicsByName)
    expect(next.configs).toBe(made.configs)
  })

  it('removes the partitions and configs of a deleted topic', () => {
    const next = evolve(made, [metadataRecord('RemoveTopicRecord', { topicId: FOO })])
    expect(next).toEqual(EMPTY_IMAGE)
  })

  it('accepts a new topic with the name of a deleted one and another id', () => {
    const next = evolve(made, [
      metadataRecord('RemoveTopicRecord', { topicId: FOO }),
      topic('foo', BAR),
      partition(BAR, 0)
    ])
    expect(foo(next)).toMatchObject({ topicId: BAR, partitions: [{ partitionId: 0 }] })
    expect(configsOf(next, 2, 'foo').size).toBe(0)
  })

  it('removes a config whose value is null', () => {
    const two = evolve(made, [config('foo', 'b', '2'), config('foo', 'a', null)])
    expect([...configsOf(two, 2, 'foo')]).toEqual([['b', '2']])
    expect(evolve(two, [config('foo', 'b', null)]).configs.size).toBe(0)
  })

  it('removes a feature of level 0', () => {
    const level = (featureLevel: number) =>
      metadataRecord('FeatureLevelRecord', { name: 'group.version', featureLevel })
    const on = evolve(EMPTY_IMAGE, [level(1)])
    expect(on.features.get('group.version')).toBe(1)
    expect(evolve(on, [level(0)]).features.size).toBe(0)
  })

  it.each([
    [
      'a change of the ISR keeps the leader epoch',
      { isr: [] },
      { isr: [], leader: 1, leaderEpoch: 4, partitionEpoch: 10 }
    ],
    ['naming the same leader begins an epoch', { leader: 1 }, { leader: 1, leaderEpoch: 5, partitionEpoch: 10 }],
    ['a partition may lose its leader', { leader: -1 }, { leader: -1, leaderEpoch: 5, partitionEpoch: 10 }],
    ['replicas change', { replicas: [1, 2], addingReplicas: [2] }, { replicas: [1, 2], addingReplicas: [2], isr: [1] }],
    ['recovery state changes', { leaderRecoveryState: 1 }, { leaderRecoveryState: 1, leaderEpoch: 4 }],
    ['eligible leaders change', { eligibleLeaderReplicas: [3] }, { eligibleLeaderReplicas: [3], lastKnownElr: [] }]
  ])('applies PartitionChange: %s', (_, fields, expected) => {
    expect(foo(evolve(made, [change(fields)]))?.partitions[0]).toMatchObject({ directories: [DIRECTORY], ...expected })
  })

  it('clears eligible leader replicas, of one topic or of all topics', () => {
    const elr = evolve(made, [change({ eligibleLeaderReplicas: [3], lastKnownElr: [4] })])
    for (const topicName of ['', 'foo']) {
      const next = evolve(elr, [metadataRecord('ClearElrRecord', { topicName })])
      expect(foo(next)?.partitions[0]).toMatchObject({ eligibleLeaderReplicas: [], lastKnownElr: [] })
    }
  })

  it('gives unassigned directories to a partition record without directories', () => {
    const old = { ...partition(FOO, 2), version: 0, directories: [] }
    expect(foo(evolve(made, [old]))?.partitions[2]?.directories).toEqual([MIGRATING])
  })

  it.each<[string, MetadataRecord[]]>([
    ['topic foo is created, but already exists', [topic('foo', BAR)]],
    [`topic bar has the id ${FOO} of another topic`, [topic('bar', FOO)]],
    [`a record has the topic id ${BAR}, but no topic has that id`, [partition(BAR, 0)]],
    [
      `a record has the topic id ${BAR}, but no topic has that id`,
      [metadataRecord('RemoveTopicRecord', { topicId: BAR })]
    ],
    ['partition 7 of topic foo changes, but does not exist', [change({ partitionId: 7 })]],
    ['the partition numbers of topic foo have a gap', [partition(FOO, 3)]],
    ['topic foo has a partition with the invalid number -1', [partition(FOO, -1)]],
    ['topic foo has a partition with the invalid number 2147483647', [partition(FOO, 2_147_483_647)]],
    ['a metadata transaction ends that has not begun', [metadataRecord('EndTransactionRecord', {})]],
    [
      'a metadata transaction begins within another one',
      [metadataRecord('BeginTransactionRecord', {}), metadataRecord('BeginTransactionRecord', {})]
    ],
    [
      'the next producer id is 1000, not above the previous 1000',
      [1000n, 1000n].map(nextProducerId => metadataRecord('ProducerIdsRecord', { brokerId: 1, nextProducerId }))
    ],
    [
      'the registration of broker 3 changes, but the broker is not registered',
      [metadataRecord('FenceBrokerRecord', { id: 3, epoch: 1n })]
    ]
  ])('refuses an invalid record: %s', (message, records) => {
    expect(() => evolve(made, records)).toThrow(new MetadataError(message))
  })
})

describe('a metadata transaction', () => {
  const begin = metadataRecord('BeginTransactionRecord', {})

  it('takes effect when it ends', () => {
    const next = evolve(made, [begin, topic('bar', BAR), metadataRecord('EndTransactionRecord', {})])
    expect(next.topicsByName.has('bar')).toBe(true)
  })

  it('has no effect when it is aborted', () => {
    const abort = metadataRecord('AbortTransactionRecord', {})
    expect(evolve(made, [begin, topic('bar', BAR), abort, topic('bar', BAR)]).topicsByName.get('bar')?.topicId).toBe(
      BAR
    )
  })

  it('has no effect while it is open', () => {
    const draft = new ImageDraft(made)
    for (const record of [begin, topic('bar', BAR)]) draft.apply(record)
    expect(draft.inTransaction).toBe(true)
    expect(draft.finish()).toEqual(made)
  })
})

describe('stored records without an effect', () => {
  const registration = metadataRecord('RegisterBrokerRecord', {
    brokerId: 1,
    incarnationId: FOO,
    brokerEpoch: 1n,
    endPoints: [],
    features: []
  })
  const changed = metadataRecord('BrokerRegistrationChangeRecord', {
    brokerId: 1,
    brokerEpoch: 1n,
    fenced: -1,
    inControlledShutdown: 1,
    logDirs: [DIRECTORY]
  })
  const scram = metadataRecord('UserScramCredentialRecord', {
    name: 'a',
    mechanism: 1,
    salt: Buffer.from('s'),
    storedKey: Buffer.from('k'),
    serverKey: Buffer.from('v'),
    iterations: 4096
  })
  const quota = (value: number, remove: boolean) =>
    metadataRecord('ClientQuotaRecord', {
      entity: [
        { entityType: 'user', entityName: 'a' },
        { entityType: 'client-id', entityName: null }
      ],
      key: 'producer_byte_rate',
      value,
      remove
    })
  const others = (records: MetadataRecord[]) => [...evolve(EMPTY_IMAGE, records).others.values()]

  it('broker records follow a broker through its registration', () => {
    expect(others([registration, changed])).toEqual([
      { ...registration, fenced: false, inControlledShutdown: true, logDirs: [DIRECTORY] }
    ])
    expect(others([registration, metadataRecord('UnfenceBrokerRecord', { id: 1, epoch: 1n })])).toMatchObject([
      { fenced: false }
    ])
    expect(others([registration, metadataRecord('UnregisterBrokerRecord', { brokerId: 1, brokerEpoch: 1n })])).toEqual(
      []
    )
  })

  it('records replace a record of the same identity, and removal records delete it', () => {
    expect(others([quota(1, false), quota(2, false)])).toMatchObject([{ value: 2 }])
    expect(others([quota(1, false), quota(1, true)])).toEqual([])
    expect(others([scram])).toEqual([scram])
    expect(others([scram, metadataRecord('RemoveUserScramCredentialRecord', { name: 'a', mechanism: 1 })])).toEqual([])
  })
})
