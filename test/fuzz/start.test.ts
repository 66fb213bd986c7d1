/**
 * A data directory with damaged files: the broker starts and serves the remaining data, or gives one sentence with the reason.
 */
import { beforeAll, expect, test } from 'vitest'
import { isUserError } from '../../src/cli/user-error.ts'
import { batchesIn } from '../../src/protocol/records/batch.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import type { MemoryStorage } from '../../src/storage/memory-storage.ts'
import { batchOf, Harness } from '../../src/testing/harness.ts'
import { RecordingLogger } from '../../src/testing/recording-logger.ts'
import { commitRequest, damaged, TOPICS, writtenDirectory } from './directory.ts'
import { ROUNDS, TIMEOUT_MS } from './mutations.ts'

/** One start takes as long as many parses. */
const STARTS = Math.ceil(ROUNDS / 2)
let clean: MemoryStorage
let killed: MemoryStorage

beforeAll(async () => {
  const written = await writtenDirectory()
  clean = written.clean
  killed = written.killed
})

/** The logged errors, as text with stacks. */
function errorsIn({ lines }: RecordingLogger): string[] {
  return lines.filter(({ level }) => level === 'error').map(line => JSON.stringify(line, replaced))
}

function replaced(_: string, value: unknown): unknown {
  if (typeof value === 'bigint') return String(value)
  return value instanceof Error ? value.stack : value
}

/** Sends all kinds of client requests, then stops the broker. Their responses must be sound. */
async function use(harness: Harness): Promise<void> {
  const { topics } = await harness.request('Metadata', { topics: null, allowAutoTopicCreation: false })
  for (const { name, topicId, partitions } of topics) {
    if (!TOPICS.includes(name ?? '')) continue
    for (const { partitionIndex } of partitions) {
      for (const isolationLevel of [0, 1]) {
        const answer = await harness.request(
          'Fetch',
          harness.fetchRequest(topicId, 0n, { isolationLevel }, partitionIndex)
        )
        const data = answer.responses[0]?.partitions[0]
        for (const batch of batchesIn(data?.records ?? Buffer.alloc(0))) {
          expect(batch.hasValidCrc()).toBe(true)
        }
      }
      for (const timestamp of [-1n, -2n, -3n, 1_700_000_000_003n]) {
        const partition = { partitionIndex, timestamp, currentLeaderEpoch: -1 }
        await harness.request('ListOffsets', {
          replicaId: -1,
          isolationLevel: 0,
          topics: [{ name: name ?? '', partitions: [partition] }]
        })
      }
      await harness.produce(topicId, batchOf(['more']), { index: partitionIndex })
    }
  }
  await harness.request('FindCoordinator', { keyType: 0, coordinatorKeys: ['g'] }, { version: 4 })
  await harness.request('OffsetCommit', commitRequest(6n), { version: 8 })
}

test.each([
  ['stopped clean', () => clean],
  ['killed', () => killed]
] as const)(
  'a start succeeds or fails with one sentence on a directory that was %s, then damaged',
  { timeout: TIMEOUT_MS },
  async (name, original) => {
    const random = seededRandom(name.length)
    let starts = 0
    for (let round = 0; round < STARTS; round++) {
      const { storage, paths } = damaged(original(), random)
      const logger = new RecordingLogger()
      try {
        const harness = await Harness.start({ storage, logger })
        starts++
        await use(harness)
        await harness.stop()
        // Repaired damage stays repaired.
        await (await Harness.start({ storage, logger })).stop()
      } catch (error) {
        const where = `round ${round}, ${paths.join()}`
        if (!isUserError(error)) throw new Error(`${where}: ${error}`, { cause: error })
        expect(error.message, where).not.toMatch(/\n|undefined|\[object/)
      }
      expect(
        errorsIn(logger).filter(text => /TypeError|RangeError|AssertionError/.test(text)),
        paths.join()
      ).toEqual([])
    }
    expect(starts).toBeGreaterThan(STARTS / 2)
  }
)
