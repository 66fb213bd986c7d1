import { describe, expect, it } from 'vitest'
import { MAX_RESPONSE_BYTES } from '../../../../src/group/response-budget.ts'
import { APIS } from '../../../../src/protocol/messages/index.ts'
import { batchesIn } from '../../../../src/protocol/records/batch.ts'
import { ZERO_UUID } from '../../../../src/protocol/wire/bytes.ts'
import { Harness } from '../../../../src/testing/harness.ts'

const UNKNOWN_ID = 'AAECAwQFBgcICQoLDA0ODw'

const versionsOf = ({ versions: [first, last] }: { readonly versions: readonly [number, number] }) =>
  Array.from({ length: last - first + 1 }, (_, index) => first + index)

/** A broker with a loaded group coordinator. */
async function started(options = {}): Promise<Harness> {
  const harness = await Harness.start(options)
  await harness.request('FindCoordinator', { coordinatorKeys: ['g'] })
  return harness
}

describe('committed offsets', () => {
  const partition = (partitionIndex: number, committedMetadata: string | null = 'm') => {
    return { partitionIndex, committedOffset: 42n, committedLeaderEpoch: 0, committedMetadata }
  }
  const commit = (harness: Harness, version: number, topics: readonly object[]) =>
    harness.request('OffsetCommit', { groupId: 'g', topics: topics as never }, { version })

  it.each(versionsOf(APIS.OffsetCommit))('are stored at version %i', async version => {
    await using harness = await started()
    const topicId = await harness.createTopic('foo')
    const { topics } = await commit(harness, version, [{ name: 'foo', topicId, partitions: [partition(0)] }])
    expect(topics).toMatchObject([{ partitions: [{ partitionIndex: 0, errorCode: 'NONE' }] }])
    expect(version < 10 ? topics[0]?.name : topics[0]?.topicId).toBe(version < 10 ? 'foo' : topicId)
  })

  it.each([9, 10])('of missing topics and partitions are refused at version %i, each on its own', async version => {
    await using harness = await started()
    const topicId = await harness.createTopic('foo')
    const { topics } = await commit(harness, version, [
      { name: 'foo', topicId, partitions: [partition(0), partition(7), partition(0, 'x'.repeat(5_000))] },
      { name: 'nope', topicId: UNKNOWN_ID, partitions: [partition(0)] }
    ])
    expect(topics).toMatchObject([
      {
        partitions: [
          { partitionIndex: 7, errorCode: 'UNKNOWN_TOPIC_OR_PARTITION' },
          { partitionIndex: 0, errorCode: 'NONE' },
          { partitionIndex: 0, errorCode: 'OFFSET_METADATA_TOO_LARGE' }
        ]
      },
      { partitions: [{ errorCode: version < 10 ? 'UNKNOWN_TOPIC_OR_PARTITION' : 'UNKNOWN_TOPIC_ID' }] }
    ])
  })

  it('in thousands are limited to a batch of the log, also with repeated partitions', async () => {
    await using harness = await started()
    const topicId = await harness.createTopic('foo')
    const request = (groupId: string, count: number) => ({
      groupId,
      topics: Array.from({ length: count / 10 }, () => ({
        topicId,
        partitions: Array.from({ length: 10 }, () => partition(0))
      }))
    })
    const codes = async (groupId: string, count: number) => {
      const { topics } = await harness.request('OffsetCommit', request(groupId, count))
      const all = topics.flatMap(({ partitions }) => partitions.map(({ errorCode }) => errorCode))
      return [all.length, ...new Set(all)]
    }
    expect(await codes('g', 5_000)).toEqual([5_000, 'NONE'])
    expect(await codes('g'.repeat(30_000), 20_000)).toEqual([20_000, 'UNKNOWN_SERVER_ERROR'])
  })

  it('of a repeated topic are returned together, next to errors of missing ones', async () => {
    await using harness = await started()
    const topicId = await harness.createTopic('foo')
    const { topics } = await commit(
      harness,
      10,
      Array.from({ length: 1_000 }, () => ({ topicId, partitions: [partition(7), partition(0)] }))
    )
    expect(topics).toHaveLength(1)
    const codes = topics[0]?.partitions.map(({ errorCode }) => errorCode)
    expect(codes).toEqual([...Array(1_000).fill('UNKNOWN_TOPIC_OR_PARTITION'), ...Array(1_000).fill('NONE')])
  })

  it.each([
    [1, 'a partition that is named again and again'],
    [7, 'a partition that is named again and again'],
    [8, 'a group that is named again and again']
  ])('are refused at version %i for a request whose response would be too large: %s', async (version, _) => {
    await using harness = await started()
    const topicId = await harness.createTopic('foo')
    await commit(harness, 10, [{ topicId, partitions: [partition(0, 'x'.repeat(4_000))] }])
    const sendRequest = async (times: number) => {
      const partitionIndexes = Array.from({ length: times }, () => 0)
      const groups = Array.from({ length: times }, () => ({ groupId: 'g', topics: null }))
      const request = version < 8 ? { groupId: 'g', topics: [{ name: 'foo', partitionIndexes }] } : { groups }
      const answer = await harness.request('OffsetFetch', request as never, { version })
      const partitions = [answer, ...answer.groups].flatMap(({ topics }) => topics.flatMap(topic => topic.partitions))
      const errors = [answer, ...answer.groups, ...partitions].map(({ errorCode }) => errorCode)
      const bytes = partitions.reduce((sum, { metadata }) => sum + (metadata ?? '').length, 0)
      return { isWhole: bytes === times * 4_000, bytes, errors: [...new Set(errors)].filter(code => code !== 'NONE') }
    }
    expect(await sendRequest(4_000)).toMatchObject({ isWhole: true, errors: [] })
    const refused = await sendRequest(5_000)
    expect(refused.errors).toEqual(['INVALID_REQUEST'])
    expect(refused.bytes).toBeLessThanOrEqual(MAX_RESPONSE_BYTES)
  })

  it.each(versionsOf(APIS.OffsetFetch))('are found at version %i', async version => {
    await using harness = await started()
    const topicId = await harness.createTopic('foo')
    await commit(harness, 10, [{ topicId, partitions: [partition(0)] }])
    const topics = [{ name: 'foo', topicId, partitionIndexes: [0, 1] }]
    const request = version < 8 ? { groupId: 'g', topics } : { groups: [{ groupId: 'g', topics }] }
    const answer = await harness.request('OffsetFetch', request, { version })
    const found = version < 8 ? answer.topics : answer.groups[0]?.topics
    expect(found?.[0]?.partitions).toMatchObject([
      { partitionIndex: 0, committedOffset: 42n, metadata: 'm', errorCode: 'NONE' },
      { partitionIndex: 1, committedOffset: -1n, metadata: '', errorCode: 'NONE' }
    ])
  })

  it.each([2, 7, 8, 9, 10])('are all found at version %i without a list of topics', async version => {
    await using harness = await started()
    const topicId = await harness.createTopic('foo')
    await commit(harness, 10, [{ topicId, partitions: [partition(0)] }])
    const request = version < 8 ? { groupId: 'g', topics: null } : { groups: [{ groupId: 'g', topics: null }] }
    const answer = await harness.request('OffsetFetch', request, { version })
    const [topic] = (version < 8 ? answer.topics : answer.groups[0]?.topics) ?? []
    expect(topic).toMatchObject(version < 10 ? { name: 'foo' } : { topicId })
  })

  it('are written in batches with base sequence 0, as in Kafka, although they have no producer', async () => {
    await using harness = await started()
    const topicId = await harness.createTopic('foo')
    const partitions = [{ partitionIndex: 0, committedOffset: 1n, committedMetadata: '' }]
    const topics = [{ topicId, partitions }]
    await harness.request('OffsetCommit', { groupId: 'g', generationIdOrMemberEpoch: -1, memberId: '', topics })
    const [folder] = harness.storage.list('').filter(({ name }) => name.startsWith('__consumer_offsets-'))
    const path = `${folder?.name}/00000000000000000000.log`
    const [batch] = batchesIn(harness.storage.read(path, 0, harness.storage.size(path)))
    expect(batch).toMatchObject({ baseSequence: 0, producerId: -1n, isTransactional: false })
  })

  it('of several groups are fetched at once', async () => {
    await using harness = await started()
    const topicId = await harness.createTopic('foo')
    await commit(harness, 10, [{ topicId, partitions: [partition(0)] }])
    const topics = [{ topicId: UNKNOWN_ID, partitionIndexes: [3] }]
    const { groups } = await harness.request('OffsetFetch', {
      groups: [
        { groupId: 'g', topics },
        { groupId: 'other', topics: null }
      ]
    })
    expect(groups).toMatchObject([
      {
        groupId: 'g',
        errorCode: 'NONE',
        topics: [{ partitions: [{ partitionIndex: 3, errorCode: 'UNKNOWN_TOPIC_ID' }] }]
      },
      { groupId: 'other', errorCode: 'NONE', topics: [] }
    ])
  })

  it.each([1, 2, 8])(
    'of a group with an error are answered with that error in the field of version %i',
    async version => {
      await using harness = await Harness.start()
      const topics = [{ name: 'foo', topicId: ZERO_UUID, partitionIndexes: [0] }]
      const request = version < 8 ? { groupId: 'g', topics } : { groups: [{ groupId: 'g', topics }] }
      const answer = await harness.request('OffsetFetch', request, { version })
      const inPartition = answer.topics[0]?.partitions[0]?.errorCode
      const inGroup = answer.groups[0]?.errorCode
      expect([inPartition, answer.errorCode, inGroup]).toEqual(
        {
          1: ['NOT_COORDINATOR', 'NONE', undefined],
          2: [undefined, 'NOT_COORDINATOR', undefined],
          8: [undefined, 'NONE', 'NOT_COORDINATOR']
        }[version]
      )
    }
  )

  it('are deleted with their topic, and survive a restart otherwise', async () => {
    const harness = await started()
    const topicId = await harness.createTopic('foo')
    const goneId = await harness.createTopic('gone')
    await commit(
      harness,
      10,
      [topicId, goneId].map(id => ({ topicId: id, partitions: [partition(0)] }))
    )
    await harness.request('DeleteTopics', { topics: [{ name: 'gone', topicId: ZERO_UUID }], timeoutMs: 1_000 })
    await harness.stop()
    await using again = await Harness.start({ storage: harness.storage, clock: harness.clock })
    const { topics } = await again.request('OffsetFetch', { groupId: 'g', topics: null }, { version: 7 })
    expect(topics.map(({ name }) => name)).toEqual(['foo'])
  })
})
