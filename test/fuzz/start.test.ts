/**
 * A data directory of which files are damaged: the broker starts and serves what is left, or says in one sentence why it
 * does not. Nothing else may come of it.
 */
import { beforeAll, expect, test } from 'vitest'
import { isUserError } from '../../src/cli/user-error.ts'
import { MemoryStorage } from '../../src/log/memory-storage.ts'
import { BATCH_OVERHEAD, batchesIn, RecordBatch } from '../../src/protocol/records/batch.ts'
import { crc32c } from '../../src/protocol/records/checksum.ts'
import type { Logger } from '../../src/runtime/logger.ts'
import { silentLogger } from '../../src/runtime/logger.ts'
import { type Random, seededRandom } from '../../src/runtime/random.ts'
import { batchOf, Harness } from '../broker/harness.ts'
import { type BoundedStorage, copyOf, filesOf, mutated, ROUNDS, TIMEOUT_MS } from './mutations.ts'

/** One start takes as long as many parses. */
const STARTS = Math.ceil(ROUNDS / 2)
const TOPICS = ['orders', 'people']
let clean: MemoryStorage
let killed: MemoryStorage

/** A directory with rolled segments, a compacted topic, idempotent producers and groups; stopped clean, and not. */
beforeAll(async () => {
  clean = new MemoryStorage()
  const harness = await Harness.start({ storage: clean, config: { 'offsets.topic.num.partitions': 2 } })
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
  await harness.get('FindCoordinator', { keyType: 0, coordinatorKeys: ['g'] }, { version: 4 })
  await harness.get('OffsetCommit', commitRequest(5n), { version: 8 })
  killed = copyOf(clean)
  await harness.broker.stop()
})

function commitRequest(committedOffset: bigint) {
  const partitions = [{ partitionIndex: 0, committedOffset, committedMetadata: '' }]
  return { groupId: 'g', generationIdOrMemberEpoch: -1, memberId: '', topics: [{ name: 'orders', partitions }] }
}

/** A logger that fails for what is our own mistake. */
function watching(problems: string[]): Logger {
  return { ...silentLogger, error: (...args: unknown[]) => void problems.push(JSON.stringify(args, replaced)) }
}

function replaced(_: string, value: unknown): unknown {
  if (typeof value === 'bigint') return String(value)
  return value instanceof Error ? value.stack : value
}

/** Damages one to three files of a copy. */
function damaged(original: MemoryStorage, random: Random): { storage: BoundedStorage; paths: string[] } {
  const files = filesOf(original)
  const changes = new Map<string, Buffer>()
  for (let count = 1 + random.below(3); count > 0; count--) {
    const path = files[random.below(files.length)] ?? ''
    const bytes = Buffer.from(original.read(path, 0, original.size(path)))
    if (bytes.length === 0) continue
    const changed = Buffer.from(mutated(bytes, random))
    if (random.below(2) === 0) mend(path, changed)
    changes.set(path, changed)
  }
  return { storage: copyOf(original, changes), paths: [...changes.keys()] }
}

/** Makes checksums fit again, so that damage gets past them. */
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

/** Asks for everything a client may ask, and stops. What is answered must be sound. */
async function use(harness: Harness): Promise<void> {
  const { topics } = await harness.get('Metadata', { topics: null, allowAutoTopicCreation: false })
  for (const { name, topicId, partitions } of topics) {
    if (!TOPICS.includes(name ?? '')) continue
    for (const { partitionIndex } of partitions) {
      const answer = await harness.get('Fetch', harness.fetchRequest(topicId, 0n, {}, partitionIndex))
      const data = answer.responses[0]?.partitions[0]
      for (const batch of batchesIn(data?.records ?? Buffer.alloc(0))) {
        expect(batch.hasValidCrc()).toBe(true)
      }
      for (const timestamp of [-1n, -2n, -3n, 1_700_000_000_003n]) {
        const partition = { partitionIndex, timestamp, currentLeaderEpoch: -1 }
        await harness.get('ListOffsets', {
          replicaId: -1,
          isolationLevel: 0,
          topics: [{ name: name ?? '', partitions: [partition] }]
        })
      }
      await harness.produce(topicId, batchOf(['more']), { index: partitionIndex })
    }
  }
  await harness.get('FindCoordinator', { keyType: 0, coordinatorKeys: ['g'] }, { version: 4 })
  await harness.get('OffsetCommit', commitRequest(6n), { version: 8 })
}

test.each([
  ['stopped clean', () => clean],
  ['killed', () => killed]
] as const)('a directory that was %s, and damaged since', { timeout: TIMEOUT_MS }, async (name, original) => {
  const random = seededRandom(name.length)
  let starts = 0
  for (let round = 0; round < STARTS; round++) {
    const { storage, paths } = damaged(original(), random)
    const problems: string[] = []
    try {
      const harness = await Harness.start({ storage, logger: watching(problems) })
      starts++
      await use(harness)
      await harness.broker.stop()
      // What was repaired stays so.
      await (await Harness.start({ storage, logger: watching(problems) })).broker.stop()
    } catch (error) {
      const where = `round ${round}, ${paths.join()}`
      if (!isUserError(error)) throw new Error(`${where}: ${error}`, { cause: error })
      expect(error.message, where).not.toMatch(/\n|undefined|\[object/)
    }
    expect(
      problems.filter(text => /TypeError|RangeError|AssertionError/.test(text)),
      paths.join()
    ).toEqual([])
  }
  expect(starts).toBeGreaterThan(STARTS / 2)
})
