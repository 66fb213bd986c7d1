/** A broker with a slow disk: syncs wait until the test releases them. */

import { yieldToEventLoop } from '../../src/runtime/pace.ts'
import { StorageError } from '../../src/storage/storage.ts'
import { batchOf, Harness } from '../../src/testing/harness.ts'
import { HeldStorage } from '../log/partition-log/held-storage.ts'

export const EIO = new StorageError('failed', 'the device is gone')
const LATEST = -1n

export const idempotent = (value: string, baseSequence: number, producerEpoch = 0) =>
  batchOf([value], { producerId: 5n, producerEpoch, baseSequence })

/** A broker with a topic of flush.messages=1 and one record, 'first'. From now on its syncs wait. */
export async function heldBroker(config = {}, faults: ConstructorParameters<typeof HeldStorage>[0] = {}) {
  const storage = new HeldStorage(faults)
  const broker = await Harness.start({ storage, config })
  const topicId = await broker.createTopic('t', 2, { 'flush.messages': '1' })
  await broker.produce(topicId, idempotent('first', 0))
  storage.hold()
  return { storage, broker, topicId }
}

/** The present state of a promise. */
export async function sofar<T>(promise: Promise<T>): Promise<T | 'waits'> {
  await yieldToEventLoop()
  return Promise.race([promise, yieldToEventLoop().then(() => 'waits' as const)])
}

export async function latest(broker: Harness, partitionIndex = 0) {
  const topics = [{ name: 't', partitions: [{ partitionIndex, timestamp: LATEST }] }]
  const answer = await broker.request('ListOffsets', { topics })
  return answer.topics[0]?.partitions[0]
}
