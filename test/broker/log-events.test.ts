/** Events of topics and segments that requests cause. */
import { expect, it } from 'vitest'
import { batchOf, Harness } from '../../src/testing/harness.ts'
import { RecordingEvents } from '../../src/testing/recording-events.ts'

it('a topic that is created, extended and deleted gives one event each', async () => {
  const events = new RecordingEvents()
  await using broker = await Harness.start({ sinks: [events] })
  const topicId = await broker.createTopic('t', 2)
  await broker.request('CreatePartitions', { topics: [{ name: 't', count: 3 }], timeoutMs: 1000 })
  await broker.request('DeleteTopics', { topics: [{ name: 't' }], timeoutMs: 1000 })
  const ofTopic = events.all.filter(event => 'topicId' in event)
  expect(ofTopic).toEqual([
    { type: 'TopicCreated', topic: 't', topicId, partitions: 2 },
    { type: 'PartitionsAdded', topic: 't', topicId, partitions: 3 },
    { type: 'TopicDeleted', topic: 't', topicId }
  ])
})

it('a rolled segment gives an event with its base offset', async () => {
  const events = new RecordingEvents()
  await using broker = await Harness.start({ sinks: [events] })
  const topicId = await broker.createTopic('t', 1, { 'segment.ms': '1' })
  for (const timestamp of [1000n, 2000n]) await broker.produce(topicId, batchOf(['a'], {}, timestamp))
  expect(events.of('SegmentRolled')).toEqual([{ type: 'SegmentRolled', topicPartition: 't-0', baseOffset: 1n }])
})
