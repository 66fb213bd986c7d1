// Compares the handling of compressed batches with a real Apache Kafka: both give each frame the same response, and
// Kafka's consumer reads the accepted batches. Runs also with the zstd of Node's zlib and with that of WebAssembly.
import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { BATCH_OVERHEAD, HEADER, LOG_OVERHEAD, RecordBatch } from '../../../src/protocol/records/batch.ts'
import { buildBatch } from '../../../src/protocol/records/builder.ts'
import { seededRandom } from '../../../src/runtime/random.ts'
import { install } from '../../cli/installation.ts'
import { ROOT } from '../../cli/minikafka.ts'
import type { Frame } from '../../protocol/records/compression/frames.ts'
import { type RunningBroker, reference, startMinikafka, subject } from '../brokers.ts'
import { javaTask } from '../java/client.ts'
import { installTools, nodeBinary } from '../package/projects.ts'
import { FRAMES } from './frames.ts'
import { TopicSession } from './topic-session.ts'

const run = promisify(execFile)

const CODECS = ['gzip', 'snappy', 'lz4', 'zstd'] as const
const JAVA = '4.4.0'
/** Record counts: one batch that fits into every buffer of Kafka's readers, and two that do not. */
const COUNTS = [3, 300, 900]

const BATCHES = COUNTS.map(count => {
  const random = seededRandom(count)
  return Array.from({ length: count }, (_, index) => ({
    timestamp: 1_700_000_000_000n + BigInt(index),
    key: Buffer.from(`key ${index}`),
    value: Buffer.from(Array.from({ length: 50 }, () => random.below(2 ** 16).toString(36)).join(' '))
  }))
})

let kafka: RunningBroker
let directory: string

beforeAll(async () => {
  kafka = await reference.share()
  directory = await mkdtemp(join(tmpdir(), 'minikafka-'))
})
afterAll(async () => {
  await kafka?.stop()
  await rm(directory, { recursive: true })
})

/** minikafka without zstd-napi, on the given Node. */
async function startWithoutNapi(node: string): Promise<RunningBroker> {
  return startMinikafka([], { node, executable: install(await mkdtemp(join(directory, 'package-'))) })
}

const SUBJECTS: readonly { name: string; start: () => Promise<RunningBroker> }[] = [
  { name: 'a broker with zstd-napi', start: () => subject.share() },
  { name: 'a broker on Node 20 without zstd-napi', start: () => startWithoutNapi(process.execPath) },
  {
    name: "a broker on Node 22, with that Node's own zstd",
    start: async () => startWithoutNapi(nodeBinary(await installTools(), '22'))
  }
]

describe.each(SUBJECTS)('$name', ({ name, start }) => {
  let broker: RunningBroker
  beforeAll(async () => {
    broker = await start()
  })
  afterAll(() => broker?.stop())

  test.each(CODECS)(
    `${name} gives each frame of %s the same response as Kafka, and Kafka's consumer reads the accepted batches`,
    async codec => {
      const topic = `compression-${codec}-${SUBJECTS.findIndex(other => other.name === name)}`
      const ours = await TopicSession.open(broker.bootstrapServers, topic)
      const theirs = await TopicSession.open(kafka.bootstrapServers, topic)
      const answers = new Map<string, string[]>()
      const taken: Batch[] = []
      for (const [frameName, frame] of Object.entries(FRAMES[codec])) {
        for (const records of BATCHES) {
          const bytes = framed(records, codec, frame)
          const pair = [await ours.produce(bytes), await theirs.produce(bytes)]
          if (pair[0] === 'NONE') taken.push(records)
          answers.set(`${frameName}, ${records.length} records`, pair)
        }
      }
      expect([...answers].filter(([, [our, their]]) => our !== their)).toEqual([])
      expect(taken.length).toBeGreaterThan(COUNTS.length)
      expect(await consumed(broker, topic, taken)).toEqual(digestOf(taken))
      await Promise.all([ours.close(), theirs.close()])
    }
  )

  test.each(CODECS)(
    `${name} compresses batches of every codec with compression.type=%s, and Kafka's consumer reads them`,
    async codec => {
      const topic = `recompression-${codec}-${SUBJECTS.findIndex(other => other.name === name)}`
      const session = await TopicSession.open(broker.bootstrapServers, topic, { 'compression.type': codec })
      const sent: Batch[] = []
      for (const source of ['none', ...CODECS] as const) {
        for (const records of BATCHES) {
          expect(await session.produce(buildBatch(records, { codec: source }).bytes)).toBe('NONE')
          sent.push(records)
        }
      }
      expect(await consumed(broker, topic, sent)).toEqual(digestOf(sent))
      await session.close()
    }
  )
})

test('the tests of the codecs pass on Node 22, including those of the zstd in its zlib', async () => {
  const vitest = [join(ROOT, 'node_modules/vitest/vitest.mjs'), 'run', 'test/protocol/records/compression']
  const { stdout } = await run(nodeBinary(await installTools(), '22'), [...vitest, '--reporter=verbose'], {
    cwd: ROOT,
    env: { ...process.env, MINIKAFKA_DIST: 'built' }
  })
  expect(stdout).toContain('zstd by node:zlib round-trips 1000000 bytes')
})

type Batch = (typeof BATCHES)[number]

/** A batch with the frame as its compressed records. */
function framed(records: Batch, codec: (typeof CODECS)[number], frame: Frame): Buffer {
  const plain = buildBatch(records).bytes.subarray(BATCH_OVERHEAD)
  const bytes = Buffer.concat([buildBatch(records, { codec }).bytes.subarray(0, BATCH_OVERHEAD), frame(plain)])
  bytes.writeInt32BE(bytes.length - LOG_OVERHEAD, HEADER.length)
  new RecordBatch(bytes).seal()
  return bytes
}

async function consumed(broker: RunningBroker, topic: string, batches: readonly Batch[]): Promise<object> {
  const count = batches.reduce((sum, records) => sum + records.length, 0)
  return javaTask(JAVA, 'values', broker.bootstrapServers, topic, count)
}

/** The output that the `values` task must print for these batches. */
function digestOf(batches: readonly Batch[]): object {
  const hash = createHash('sha256')
  for (const { value } of batches.flat()) hash.update(value)
  return { records: batches.flat().length, sha256: hash.digest('hex') }
}
