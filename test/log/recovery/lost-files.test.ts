/** Files and folders that were lost between a stop and the next start: a warning reports them, and the rest is served. */

import { expect, test } from 'vitest'
import type { Events } from '../../../src/events/event.ts'
import { LogDirectory } from '../../../src/log/directory/log-directory.ts'
import { segmentPath } from '../../../src/log/segment/segment-names.ts'
import { seededRandom } from '../../../src/runtime/random.ts'
import { MemoryStorage } from '../../../src/storage/memory-storage.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { RecordingEvents } from '../../../src/testing/recording-events.ts'
import { DEFAULT_LOG_CONFIG, DIRECTORY_SETTINGS } from '../default-log-config.ts'
import { batchOf, contents } from '../log-fixture.ts'

const OWNER = { topicId: 'J5MVhC4LQ4u3oPUZ3z2vyA', config: () => DEFAULT_LOG_CONFIG }
const ofTopic = (topic: string) => ({ topic, partition: 0 })
const BATCH_BYTES = batchOf([1n]).sizeInBytes

async function opened(storage: MemoryStorage, events: Events = new RecordingEvents()) {
  const ports = { storage, clocks: new ManualClock(), random: seededRandom(5), events, identity: { nodeId: 1 } }
  const directory = await LogDirectory.open({ ...DIRECTORY_SETTINGS, ...ports })
  const topics = ['t', 'u', 'empty']
  await directory.load({ owned: ({ topic }) => (topics.includes(topic) ? OWNER : undefined) })
  return { directory, log: (topic = 't') => directory.log(ofTopic(topic), OWNER.topicId, DEFAULT_LOG_CONFIG) }
}

/** A closed directory of three topics: two of ten batches and an empty one. */
async function written(): Promise<MemoryStorage> {
  const storage = new MemoryStorage()
  const { directory, log } = await opened(storage)
  for (const topic of ['t', 'u']) for (let step = 0n; step < 10n; step++) log(topic).append(batchOf([step]), 0)
  log('empty')
  await directory.close()
  return storage
}

test('a lost folder is reported, unless its log was empty', async () => {
  const storage = await written()
  for (const folder of ['t-0', 'empty-0']) storage.removeNow(folder)
  const events = new RecordingEvents()
  const { log } = await opened(storage, events)
  expect(events.all).toEqual([{ type: 'PartitionFolderMissing', topicPartition: 't-0' }])
  expect([log().logEndOffset, log('u').logEndOffset]).toEqual([0n, 10n])
})

test('a lost folder of a deleted topic is not reported', async () => {
  const storage = await written()
  const before = await opened(storage)
  before.directory.deleteLog(ofTopic('t'), 0)
  await before.directory.close()
  const events = new RecordingEvents()
  await opened(storage, events)
  expect(events.all).toEqual([])
})

test('a folder whose partition number begins with a zero is no partition and stays as it is', async () => {
  const storage = await written()
  storage.rename('t-0', 't-00')
  const events = new RecordingEvents()
  const { log } = await opened(storage, events)
  expect(events.all).toEqual([
    { type: 'PartitionFolderMissing', topicPartition: 't-0' },
    { type: 'FolderIgnored', folder: 't-00' }
  ])
  expect(log().logEndOffset).toBe(0n)
  expect(storage.size(segmentPath('t-00', 0n, 'log'))).toBe(10 * BATCH_BYTES)
})

test('a log that has lost its end is reported when it is opened', async () => {
  const storage = await written()
  storage.truncate(segmentPath('t-0', 0n, 'log'), 7 * BATCH_BYTES)
  const events = new RecordingEvents()
  const { log } = await opened(storage, events)
  expect(contents(log())).toHaveLength(7)
  expect(events.all).toEqual([{ type: 'RecordsLost', topicPartition: 't-0', logEndOffset: 7n, recoveryPoint: 10n }])
})
