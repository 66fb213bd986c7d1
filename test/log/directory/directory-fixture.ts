/** A data directory as the broker opens it, with a topic partition and the metadata partition. */

import { LogDirectory } from '../../../src/log/directory/log-directory.ts'
import type { TopicPartition } from '../../../src/log/partition-folder.ts'
import { BackgroundLoops } from '../../../src/runtime/background.ts'
import { seededRandom } from '../../../src/runtime/random.ts'
import type { Storage } from '../../../src/storage/storage.ts'
import { ManualClock } from '../../../src/testing/manual-clock.ts'
import { RecordingEvents } from '../../../src/testing/recording-events.ts'
import { settingsWith } from '../../config/settings-with.ts'
import { DEFAULT_LOG_CONFIG, DIRECTORY_SETTINGS } from '../default-log-config.ts'
import { withHighWatermark } from '../log-fixture.ts'

export const TOPIC_ID = 'J5MVhC4LQ4u3oPUZ3z2vyA'
export const OTHER_ID = 'Zk2yQ1xnSVmyPlYdSWQXdw'
export const ORDERS = { topic: 'my-orders', partition: 3 }
export const METADATA = { topic: '__cluster_metadata', partition: 0 }

export function open(storage: Storage, clock = new ManualClock(), identity: object = {}): Promise<LogDirectory> {
  const options = { storage, clocks: clock, random: seededRandom(5), events: new RecordingEvents() }
  return LogDirectory.open({ ...DIRECTORY_SETTINGS, ...options, identity: { nodeId: 1, ...identity } })
}

/** Opens a data directory that writes its checkpoints at Kafka's intervals. */
export async function openWithCheckpoints(storage: Storage, clock: ManualClock): Promise<LogDirectory> {
  const directory = await open(storage, clock)
  const failed = (error: unknown) => {
    throw error
  }
  directory.writeCheckpoints(new BackgroundLoops({ clocks: clock, failed }), settingsWith())
  return directory
}

/** Reports the topics to the directory, as the broker does after it has loaded the metadata. */
export function load(directory: LogDirectory, ids: (topic: string) => string | undefined): Promise<void> {
  const owned = ({ topic }: TopicPartition) => {
    const topicId = ids(topic)
    return topicId === undefined ? undefined : { topicId, config: () => DEFAULT_LOG_CONFIG }
  }
  return directory.load({ owned })
}

export function logOf(directory: LogDirectory, partition = ORDERS, topicId = TOPIC_ID) {
  return withHighWatermark(observer => directory.log(partition, topicId, DEFAULT_LOG_CONFIG, observer))
}

export function text(storage: Storage, path: string): string {
  return storage.read(path, 0, storage.size(path)).toString()
}

export function names(storage: Storage, folder = ''): string[] {
  return storage.list(folder).map(({ name }) => name)
}
