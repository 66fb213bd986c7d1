/** A log of several segments that its broker has closed or that a kill has left, and the next start of a broker. */

import type { Events } from '../../../src/events/event.ts'
import { LogDirectory } from '../../../src/log/directory/log-directory.ts'
import { segmentPath } from '../../../src/log/segment/segment-names.ts'
import { seededRandom } from '../../../src/runtime/random.ts'
import { MemoryStorage } from '../../../src/storage/memory-storage.ts'
import { replaceFile } from '../../../src/storage/storage.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { RecordingEvents } from '../../../src/testing/recording-events.ts'
import { DEFAULT_LOG_CONFIG, DIRECTORY_SETTINGS } from '../default-log-config.ts'
import { batchOf, contents, FOLDER, T0 } from '../log-fixture.ts'

export const TOPIC_ID = 'J5MVhC4LQ4u3oPUZ3z2vyA'
export const PARTITION = { topic: 't', partition: 0 }
export const BATCH_BYTES = batchOf([T0]).sizeInBytes

/** Segments of ten batches, with an index entry for every other one. */
export const CONFIG = { ...DEFAULT_LOG_CONFIG, segmentBytes: 10 * BATCH_BYTES, indexIntervalBytes: BATCH_BYTES }

export async function opened(storage: MemoryStorage, events: Events = new RecordingEvents()) {
  const ports = { storage, clocks: new ManualClock(), random: seededRandom(5), events }
  const directory = await LogDirectory.open({ ...DIRECTORY_SETTINGS, ...ports, identity: { nodeId: 1 } })
  return { directory, log: () => directory.log(PARTITION, TOPIC_ID, CONFIG) }
}

/** A directory with a log of 35 batches in four segments, and its contents. */
export async function written(end: 'closed' | 'killed') {
  const storage = new MemoryStorage()
  const { directory, log } = await opened(storage)
  for (let step = 0n; step < 35n; step++) log().append(batchOf([T0 + step]), 0)
  const before = contents(log())
  const indexes = indexesOf(storage)
  directory.checkpoint()
  if (end === 'closed') await directory.close()
  return { storage, before, indexes: end === 'closed' ? indexesOf(storage) : indexes }
}

export function indexesOf(storage: MemoryStorage): Record<string, string> {
  const names = storage.list(FOLDER).map(({ name }) => name)
  const found = names.filter(name => name.endsWith('index')).map(name => [name, bytesOf(storage, `${FOLDER}/${name}`)])
  return Object.fromEntries(found.map(([name, bytes]) => [name, bytes?.toString('hex')]))
}

export function bytesOf(storage: MemoryStorage, path: string): Buffer {
  return Buffer.from(storage.read(path, 0, storage.size(path)))
}

export const index = (base: bigint) => segmentPath(FOLDER, base, 'index')

export function checkpoint(storage: MemoryStorage, name: string, content: string): void {
  replaceFile(storage, `${name}-checkpoint`, Buffer.from(content))
}
