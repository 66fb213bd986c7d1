import { describe, expect, it } from 'vitest'
import { deltaOf } from '../../../src/metadata/image/delta.ts'
import { evolve } from '../../../src/metadata/image/evolve.ts'
import { EMPTY_IMAGE, type MetadataImage } from '../../../src/metadata/image/image.ts'
import { type MetadataRecord, metadataRecord } from '../../../src/metadata/records.ts'

const FOO = 'AAECAwQFBgcICQoLDA0ODw'
const BAR = 'EBESExQVFhcYGRobHB0eHw'

const topic = (name: string, topicId: string) => metadataRecord('TopicRecord', { name, topicId })
const removal = (topicId: string) => metadataRecord('RemoveTopicRecord', { topicId })
const partition = (topicId: string, partitionId: number) =>
  metadataRecord('PartitionRecord', {
    ...{ partitionId, topicId, replicas: [1], isr: [1], leader: 1 },
    ...{ leaderEpoch: 0, partitionEpoch: 0 }
  })
const config = (resourceType: number, resourceName: string, name: string, value: string | null) =>
  metadataRecord('ConfigRecord', { resourceType, resourceName, name, value })

function changed(previous: MetadataImage, ...records: MetadataRecord[]) {
  const image = evolve(previous, records)
  return { image, delta: deltaOf(previous, image, records) }
}

const { image: withFoo, delta: fooCreated } = changed(EMPTY_IMAGE, topic('foo', FOO), partition(FOO, 0))

describe('the delta of a change', () => {
  it('has created topics in their final state, and none of their partitions as added', () => {
    expect(fooCreated.createdTopics).toEqual([withFoo.topicsById.get(FOO)])
    expect(fooCreated.previous).toBe(EMPTY_IMAGE)
    expect(fooCreated).toMatchObject({ deletedTopics: [], addedPartitions: [], changedConfigs: [] })
  })

  it('has deleted topics in their previous state', () => {
    const { delta } = changed(withFoo, removal(FOO))
    expect(delta.deletedTopics).toEqual([withFoo.topicsById.get(FOO)])
    expect(delta).toMatchObject({ createdTopics: [], addedPartitions: [], changedConfigs: [] })
  })

  it('has a topic that is deleted and created again with the same name as both', () => {
    const { delta } = changed(withFoo, removal(FOO), topic('foo', BAR))
    expect(delta.deletedTopics.map(({ topicId }) => topicId)).toEqual([FOO])
    expect(delta.createdTopics.map(({ topicId }) => topicId)).toEqual([BAR])
  })

  it('has no topic that the change creates and deletes', () => {
    const { delta } = changed(withFoo, topic('bar', BAR), partition(BAR, 0), removal(BAR))
    expect(delta).toMatchObject({ createdTopics: [], deletedTopics: [], addedPartitions: [] })
  })

  it('has the partitions that the change adds to a topic', () => {
    const { image, delta } = changed(withFoo, partition(FOO, 1), partition(FOO, 2))
    const foo = image.topicsById.get(FOO)
    expect(delta.addedPartitions).toEqual([{ topic: foo, partitions: foo?.partitions.slice(1) }])
    expect(delta.createdTopics).toEqual([])
  })

  it('has each partition whose leader or ISR changes once, in its final state', () => {
    const change = (leader: number) => metadataRecord('PartitionChangeRecord', { partitionId: 0, topicId: FOO, leader })
    const { image, delta } = changed(withFoo, change(2), partition(FOO, 1), change(3))
    const foo = image.topicsById.get(FOO)
    expect(delta.changedPartitions).toEqual([{ topic: foo, partitions: [foo?.partitions[0]] }])
    expect(foo?.partitions[0]).toMatchObject({ leader: 3, leaderEpoch: 2 })
    expect(changed(withFoo, change(2), removal(FOO)).delta.changedPartitions).toEqual([])
    expect(changed(EMPTY_IMAGE, topic('foo', FOO), partition(FOO, 0), change(2)).delta.changedPartitions).toEqual([])
  })

  it('has each resource with changed configs once', () => {
    const records = [config(2, 'foo', 'a', '1'), config(2, 'foo', 'b', '2'), config(4, '', 'a', null)]
    expect(changed(withFoo, ...records).delta.changedConfigs).toEqual([
      { resourceType: 2, resourceName: 'foo' },
      { resourceType: 4, resourceName: '' }
    ])
  })
})
