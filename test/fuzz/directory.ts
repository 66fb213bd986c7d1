/** A data directory of a broker as input for damage. */

import { BATCH_OVERHEAD, RecordBatch } from '../../src/protocol/records/batch.ts'
import { crc32c } from '../../src/protocol/records/checksum.ts'
import type { Random } from '../../src/runtime/random.ts'
import type { MemoryStorage } from '../../src/storage/memory-storage.ts'
import { batchOf, Harness } from '../../src/testing/harness.ts'
import { TransactionalProducer } from '../broker/transactional.ts'
import { BoundedStorage, copyOf, filesOf, mutated } from './mutations.ts'

const STAGES = ['.swap', '.cleaned', '.deleted', '.tmp', '.part']

/** The topics in it. */
export const TOPICS = ['orders', 'people']

/** Partitions of the internal topics whose many folders need no search. */
const SMALL = { 'offsets.topic.num.partitions': 2, 'transaction.state.log.num.partitions': 2 }

/** A directory with rolled segments, idempotent and transactional producers and groups, after a clean stop or a kill. */
export async function writtenDirectory(): Promise<{ clean: MemoryStorage; killed: MemoryStorage }> {
  const clean = new BoundedStorage()
  const harness = await Harness.start({ storage: clean, config: SMALL })
  const ids = [
    await harness.createTopic('orders', 2, { 'segment.ms': '1', 'index.interval.bytes': '0' }),
    await harness.createTopic('people', 1, { 'cleanup.policy': 'delete', 'retention.ms': '-1' })
  ]
  for (const [at, topicId] of ids.entries()) {
    for (let sequence = 0; sequence < 8; sequence++) {
      const producer = { producerId: BigInt(at), producerEpoch: 0, baseSequence: sequence }
      await harness.produce(topicId, batchOf([`value ${sequence}`], producer, 1_700_000_000_000n + BigInt(sequence)))
    }
  }
  await harness.request('FindCoordinator', { keyType: 0, coordinatorKeys: ['g'] }, { version: 4 })
  await harness.request('OffsetCommit', commitRequest(5n), { version: 8 })
  await transact(harness, ids[0] ?? '')
  const killed = copyOf(clean)
  await harness.stop()
  return { clean, killed }
}

/** Aborted, committed and open transactions. */
async function transact(harness: Harness, topicId: string): Promise<void> {
  const producer = new TransactionalProducer(harness, 'tx')
  await producer.init()
  const topic = { name: 'orders', topicId }
  for (const end of ['abort', 'commit', 'abort'] as const) {
    await producer.send(topic, 1, [end])
    await producer.sendOffset('g', 'orders', 0, 3n)
    await producer[end]()
  }
  await producer.send(topic, 1, ['open'])
}

/** An offset commit of group g. */
export function commitRequest(committedOffset: bigint) {
  const partitions = [{ partitionIndex: 0, committedOffset, committedMetadata: '' }]
  return { groupId: 'g', generationIdOrMemberEpoch: -1, memberId: '', topics: [{ name: 'orders', partitions }] }
}

/** Damages one to three files of a copy. */
export function damaged(original: MemoryStorage, random: Random): { storage: BoundedStorage; paths: string[] } {
  const files = filesOf(original)
  const changes = new Map<string, Buffer | null>()
  for (let count = 1 + random.below(3); count > 0; count--) {
    const path = files[random.below(files.length)] ?? ''
    const bytes = Buffer.from(original.read(path, 0, original.size(path)))
    const kind = random.below(8)
    if (kind === 0) changes.set(path, null)
    if (kind === 1) changes.set(`${path}${STAGES[random.below(STAGES.length)]}`, bytes)
    // Traces of crashes and restores: a missing file, a copied file, a file with the bytes of another one.
    if (kind === 2) changes.set(files[random.below(files.length)] ?? '', bytes)
    if (kind < 3 || bytes.length === 0) continue
    const changed = Buffer.from(mutated(bytes, random))
    if (random.below(2) === 0) mend(path, changed)
    changes.set(path, changed)
  }
  return { storage: copyOf(original, changes), paths: [...changes.keys()] }
}

/** Recomputes checksums, so that damage passes their check. */
function mend(path: string, bytes: Buffer): void {
  if (path.endsWith('.snapshot') && bytes.length >= 10) bytes.writeUInt32BE(crc32c(bytes.subarray(6)), 2)
  if (!/\.(log|checkpoint)$/.test(path)) return
  for (let at = 0; bytes.length - at >= BATCH_OVERHEAD; ) {
    const size = bytes.readInt32BE(at + 8) + 12
    if (size < BATCH_OVERHEAD || at + size > bytes.length) return
    new RecordBatch(bytes.subarray(at, at + size)).seal()
    at += size
  }
}
