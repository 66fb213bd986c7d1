/**
 * Compares dump-log with Apache Kafka's DumpLogSegments on the same file, including the start of the process or JVM.
 */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { buildBatch } from '../../src/protocol/records/builder.ts'
import { seededRandom } from '../../src/runtime/random.ts'
import { MINIKAFKA, ROOT } from './broker-process.ts'
import { megabytesPerSecond, secondsOf, show } from './figures.ts'

const KAFKA_VERSION = '4.3.1'
const JARS = join(ROOT, `test/interop/kafka-tools/target/kafka-tools-${KAFKA_VERSION}`)
const OURS = [...MINIKAFKA, 'dump-log']
const KAFKAS = ['java', '-Xmx512m', '-cp', join(JARS, '*'), 'org.apache.kafka.tools.DumpLogSegments']

const TOTAL_BYTES = 256 * 1024 * 1024
const RECORD_BYTES = 1000
const RECORDS_PER_BATCH = 16

/** Dumps a log of 1 KB records: batches only, then every record. */
export async function dumpRates(directory: string): Promise<void> {
  const file = join(directory, 'bench-0', '00000000000000000000.log')
  mkdirSync(join(directory, 'bench-0'))
  const bytes = writeLog(file)
  const forms: [string, string[]][] = [
    ['batches', []],
    ['--print-data-log', ['--print-data-log']]
  ]
  for (const [name, options] of forms) {
    const args = ['--files', file, ...options]
    show(`dump-log, ${name}`, megabytesPerSecond(bytes, await secondsOf(() => run([...OURS, ...args]))))
    if (existsSync(JARS)) {
      const seconds = await secondsOf(() => run([...KAFKAS, ...args]))
      show(`DumpLogSegments ${KAFKA_VERSION}, ${name}`, megabytesPerSecond(bytes, seconds))
    }
  }
  if (!existsSync(JARS)) {
    console.log(
      'DumpLogSegments is not measured: its jars come with the interop tests (bash .ci/run), which need Java.'
    )
  }
}

function writeLog(file: string): number {
  const random = seededRandom(3)
  const value = Buffer.from(random.bytes(RECORD_BYTES / 2).toString('hex'))
  const records = Array.from({ length: RECORDS_PER_BATCH }, (_, index) => {
    return { key: Buffer.from(`key ${index}`), value, timestamp: 1_700_000_000_000n }
  })
  const batch = buildBatch(records)
  let written = 0
  for (let offset = 0n; written < TOTAL_BYTES; offset += BigInt(RECORDS_PER_BATCH)) {
    batch.stamp(offset, 0)
    writeFileSync(file, batch.bytes, { flag: 'a' })
    written += batch.bytes.length
  }
  return written
}

/** Runs a command and discards its output. */
function run([command = '', ...args]: readonly string[]): Promise<void> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'ignore'] })
  child.stdout.resume()
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', code => (code === 0 ? resolve() : reject(new Error(`${command} ended with ${code}`))))
  })
}
