import { batchesIn } from '../../src/protocol/records/batch.ts'
import { type BatchOptions, buildBatch } from '../../src/protocol/records/builder.ts'
import { recordsOf } from '../../src/protocol/records/record.ts'
import { nextTurn } from '../../src/runtime/clock.ts'
import { MemoryStorage } from '../../src/storage/memory-storage.ts'
import { Harness, type HarnessOptions } from '../../src/testing/harness.ts'
import { ManualClock } from '../../src/testing/manual-clock.ts'
import { RecordingLogger } from '../../src/testing/recording-logger.ts'

export const BACKOFF_MS = 15_000
/** The cleaner lets others go first now and then: so often it is its turn until nothing is left to do. */
const ENOUGH_TURNS = 50
/** Every record more than a millisecond after the first of its segment begins a new one. */
export const COMPACTED = { 'cleanup.policy': 'compact', 'segment.ms': '1', 'file.delete.delay.ms': '0' }

/** A request that changes one setting of a topic. */
export function alter(resourceName: string, name: string, value: string) {
  return { resources: [{ resourceType: 2, resourceName, configs: [{ name, configOperation: 0, value }] }] }
}

export class Rig {
  readonly clock = new ManualClock(1_700_000_000_000)
  readonly storage: MemoryStorage
  readonly logger = new RecordingLogger()
  #harness: Harness | undefined
  #timestamp = BigInt(this.clock.now())

  constructor(storage?: MemoryStorage) {
    this.storage = storage ?? new MemoryStorage({ now: () => this.clock.now() })
  }

  get harness(): Harness {
    if (!this.#harness) throw new Error('the broker has not been started')
    return this.#harness
  }

  async start(config: HarnessOptions['config'] = {}): Promise<void> {
    const { clock, storage, logger } = this
    this.#harness = await Harness.start({ clock, storage, logger, config })
  }

  /** Records as 'key=value', each in a segment of its own but for those of one call. */
  async produce(topicId: string, texts: readonly string[], options: BatchOptions = {}) {
    this.#timestamp += 10n
    const records = texts.map(text => {
      const [key = '', value] = text.split('=')
      return {
        key: Buffer.from(key),
        value: value === undefined ? null : Buffer.from(value),
        timestamp: this.#timestamp
      }
    })
    return await this.harness.produce(topicId, buildBatch(records, options).bytes)
  }

  async cleanerPass(ms = BACKOFF_MS): Promise<void> {
    this.clock.advance(ms)
    for (let turn = 0; turn < ENOUGH_TURNS; turn++) await nextTurn()
  }

  async records(topicId: string): Promise<string[]> {
    const found: string[] = []
    for (let offset = 0n; ; ) {
      const answer = await this.harness.get('Fetch', this.harness.fetchRequest(topicId, offset))
      const batches = [...batchesIn(answer.responses[0]?.partitions[0]?.records ?? Buffer.alloc(0))]
      const last = batches.at(-1)
      if (!last) return found
      for (const record of batches.flatMap(batch => recordsOf(batch)))
        found.push(`${record.offset} ${record.key}=${record.value}`)
      offset = last.nextOffset
    }
  }

  files(folder: string): string[] {
    return this.storage.list(folder).map(({ name }) => name)
  }

  cleanerCheckpoint(): string {
    const path = 'cleaner-offset-checkpoint'
    return this.storage.exists(path) ? this.storage.read(path, 0, this.storage.size(path)).toString() : ''
  }
}
