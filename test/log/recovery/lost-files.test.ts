/** Files and folders that were lost between a stop and the next start: a warning reports them, and the rest is served. */

import { expect, test } from 'vitest'
import { LogDirectory } from '../../../src/log/directory/log-directory.ts'
import { segmentPath } from '../../../src/log/segment/segment-names.ts'
import { type Logger, silentLogger } from '../../../src/runtime/logger.ts'
import { seededRandom } from '../../../src/runtime/random.ts'
import { MemoryStorage } from '../../../src/storage/memory-storage.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { RecordingLogger } from '../../../src/testing/recording-logger.ts'
import { DEFAULT_LOG_CONFIG, DIRECTORY_SETTINGS } from '../default-log-config.ts'
import { batchOf, contents } from '../log-fixture.ts'

const OWNER = { topicId: 'J5MVhC4LQ4u3oPUZ3z2vyA', config: () => DEFAULT_LOG_CONFIG }
const ofTopic = (topic: string) => ({ topic, partition: 0 })
const BATCH_BYTES = batchOf([1n]).sizeInBytes

async function opened(storage: MemoryStorage, logger: Logger = silentLogger) {
  const ports = { storage, clocks: new ManualClock(), random: seededRandom(5), logger, identity: { nodeId: 1 } }
  const directory = await LogDirectory.open({ ...DIRECTORY_SETTINGS, ...ports })
  const topics = ['t', 'u', 'empty']
  await directory.load({ owned: ({ topic }) => (topics.includes(topic) ? OWNER : undefined) })
  return { directory, log: (topic = 't') => directory.log(ofTopic(topic), OWNER.topicId, DEFAULT_LOG_CONFIG) }
}

/** Warnings and errors, each with its folder. */
function problemsIn({ lines }: RecordingLogger): string[] {
  const problems = lines.filter(({ level }) => level === 'warn' || level === 'error')
  return problems.map(({ bindings, message }) => `${bindings.folder ?? ''}: ${message}`)
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
  const logger = new RecordingLogger()
  const { log } = await opened(storage, logger)
  expect(problemsIn(logger)).toEqual(['t-0: the folder of a partition is gone with all that was in it: it begins anew'])
  expect([log().logEndOffset, log('u').logEndOffset]).toEqual([0n, 10n])
})

test('a lost folder of a deleted topic is not reported', async () => {
  const storage = await written()
  const before = await opened(storage)
  before.directory.deleteLog(ofTopic('t'), 0)
  await before.directory.close()
  const logger = new RecordingLogger()
  await opened(storage, logger)
  expect(problemsIn(logger)).toEqual([])
})

test('a folder whose partition number begins with a zero is no partition and stays as it is', async () => {
  const storage = await written()
  storage.rename('t-0', 't-00')
  const logger = new RecordingLogger()
  const { log } = await opened(storage, logger)
  expect(problemsIn(logger)).toEqual([
    't-0: the folder of a partition is gone with all that was in it: it begins anew',
    't-00: a folder of the data directory is no partition in use: it is left alone'
  ])
  expect(log().logEndOffset).toBe(0n)
  expect(storage.size(segmentPath('t-00', 0n, 'log'))).toBe(10 * BATCH_BYTES)
})

test('a log that has lost its end is reported when it is opened', async () => {
  const storage = await written()
  storage.truncate(segmentPath('t-0', 0n, 'log'), 7 * BATCH_BYTES)
  const logger = new RecordingLogger()
  const { log } = await opened(storage, logger)
  expect(contents(log())).toHaveLength(7)
  expect(problemsIn(logger)).toEqual(['t-0: a log ends before what the disk once had of it: records are lost'])
})
