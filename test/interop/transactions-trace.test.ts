// Two runs of a Java program, each with one record in one transaction of the same transactional id. minikafka and a
// real Kafka write the expected batches byte for byte, as DumpLogSegments and dump-log show them.
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { startMinikafka } from './brokers.ts'
import { javaTask, streamsTask } from './java/client.ts'
import { startKafka } from './kafka/kafka.ts'
import { dumpLog, dumpLogSegments } from './kafka-tools/dump-log-segments.ts'
import { expectSameDump, filesOf } from './kafka-tools/same-dumps.ts'

const VALUE = 'Apache Kafka is a distributed streaming platform - 0'
const WRITERS = {
  minikafka: (dataDir: string) => startMinikafka(['--data-dir', join(dataDir, 'data')]),
  kafka: (dataDir: string) => startKafka({ dataDir, version: '4.3.1' })
}
/**
 * The epochs of the four batches: records and markers in turn. By KIP-890 each end of a transaction increments the
 * epoch.
 */
const EPOCHS = { 1: [0, 0, 1, 1], 2: [0, 1, 2, 3] }
/**
 * The coordinator's records: status, epoch and size of the value, for Empty, Ongoing, PrepareCommit and CompleteCommit.
 */
const STATES = {
  1: ['0:0:45', '1:0:58', '2:0:58', '4:0:45', '0:1:45', '1:1:58', '2:1:58', '4:1:45'],
  2: ['0:0:45', '1:0:62', '2:1:62', '4:1:49', '0:2:49', '1:2:62', '2:3:62', '4:3:49']
}
const CASES = Object.entries(WRITERS).flatMap(([name, start]) =>
  ([1, 2] as const).map(level => ({ name, start, level }))
)

let folder: string
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'trace-'))
})
afterEach(() => rm(folder, { recursive: true, force: true }))

test.each(CASES)(
  'a transaction with transaction.version $level has the known bytes in the files of $name',
  async ({ start, level }) => {
    const broker = await start(folder)
    const servers = broker.bootstrapServers
    await streamsTask('feature', servers, 'transaction.version', level)
    for (let time = 0; time < 2; time++) await javaTask('4.4.0', 'one-transaction', servers, 'traced', 'tracer', VALUE)
    expect(await streamsTask('committed', servers, 'traced', 2)).toEqual({ offsets: '0 2' })
    await broker.stop()
    const files = await filesOf(join(folder, 'data'), /^traced-0\/.*\.log$/)
    for (const dump of [dumpLog, dumpLogSegments]) {
      const { stdout } = await dump(['--print-data-log', '--files', files.join()])
      expect(batches(stdout)).toEqual(
        [0, 120, 198, 318].map((position, offset) => ({
          ...{ position, baseOffset: offset, size: offset % 2 === 0 ? 120 : 78, isControl: offset % 2 === 1 },
          ...{ producerEpoch: EPOCHS[level][offset], isTransactional: true }
        }))
      )
      const marker = 'endTxnMarker: COMMIT coordinatorEpoch: 0'
      expect(stdout.match(/endTxnMarker: \w+ coordinatorEpoch: \d+/g)).toEqual([marker, marker])
    }
    await expectSameDump(files, ['--print-data-log'])
    expect(await states()).toEqual(STATES[level])
  }
)

async function states(): Promise<string[]> {
  const files = await filesOf(join(folder, 'data'), /^__transaction_state-\d+\/.*\.log$/)
  const { stdout } = await dumpLogSegments(['--transaction-log-decoder', '--files', files.join()])
  const state = /valueSize: (\d+).*"producerEpoch":(\d+).*"transactionStatus":(\d)/g
  return [...stdout.matchAll(state)].map(([, size, epoch, status]) => `${status}:${epoch}:${size}`)
}

/** The fields of each batch in a dump that do not depend on the run. */
function batches(dump: string): object[] {
  return [...dump.matchAll(/^baseOffset.*$/gm)].map(([line]) => {
    const word = (name: string) => new RegExp(`${name}: (\\S+)`).exec(line)?.[1] ?? ''
    const [position, baseOffset, size, producerEpoch] = ['position', 'baseOffset', 'size', 'producerEpoch']
      .map(word)
      .map(Number)
    const [isControl, isTransactional] = ['isControl', 'isTransactional'].map(name => word(name) === 'true')
    return { position, baseOffset, size, isControl, producerEpoch, isTransactional }
  })
}
