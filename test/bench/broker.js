/**
 * Prints the figures of the README: `npm run build && npm run bench`. It asserts nothing and fails only when records are
 * lost. Rates are those of kafkajs against the broker, one client, one connection; most of the time is the client's.
 */
import { spawn } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import kafkajs from 'kafkajs'

const { Kafka, logLevel } = kafkajs
const executable = fileURLToPath(new URL('../../bin/minikafka.js', import.meta.url))
const STARTS = 11
const RECORDS = 1_000_000
const RECORD_BYTES = 100
const BATCH = 8000

const median = values => [...values].sort((a, b) => a - b)[values.length >> 1]
const residentMb = pid =>
  Math.round(Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]) / 1024)

/** Milliseconds until a bare Node that does nothing has come and gone to its first output. */
async function bareNode() {
  const began = performance.now()
  const child = spawn(process.execPath, ['-e', 'process.stdout.write("x")'])
  await new Promise(resolve => child.stdout.once('data', resolve))
  const tookMs = performance.now() - began
  await new Promise(resolve => child.once('exit', resolve))
  return tookMs
}

/** Starts a broker on a directory; resolves when it says that it is ready. */
async function start(dataDir) {
  const began = performance.now()
  const child = spawn(process.execPath, [
    executable,
    'start',
    '--port',
    '0',
    '--json',
    '--data-dir',
    dataDir,
    '--log-level',
    'warn'
  ])
  const line = await new Promise(resolve => child.stdout.once('data', resolve))
  const readyMs = performance.now() - began
  const stop = async () => {
    child.kill('SIGTERM')
    await new Promise(resolve => child.once('exit', resolve))
  }
  return { readyMs, stop, ...JSON.parse(line) }
}

async function startTimes(dataDir) {
  const bare = []
  const ready = []
  for (let round = 0; round < STARTS; round++) {
    bare.push(await bareNode())
    const broker = await start(dataDir)
    ready.push(broker.readyMs)
    await broker.stop()
  }
  const [node, minikafka] = [median(bare), median(ready)]
  console.log(`bare node to its first output   ${node.toFixed(0)} ms (median of ${STARTS})`)
  console.log(
    `minikafka start to ready        ${minikafka.toFixed(0)} ms (bare node + ${(minikafka - node).toFixed(0)} ms)`
  )
}

async function rates(dataDir) {
  const broker = await start(dataDir)
  console.log(`resident when ready             ${residentMb(broker.pid)} MB`)
  const kafka = new Kafka({ brokers: [broker.bootstrapServers], logLevel: logLevel.ERROR })
  await produce(kafka)
  console.log(`resident after ${RECORDS} records  ${residentMb(broker.pid)} MB`)
  await consume(kafka)
  await broker.stop()
}

async function produce(kafka) {
  const admin = kafka.admin()
  await admin.connect()
  await admin.createTopics({ topics: [{ topic: 'bench', numPartitions: 1 }] })
  await admin.disconnect()
  const producer = kafka.producer()
  await producer.connect()
  const began = performance.now()
  for (let first = 0; first < RECORDS; first += BATCH) {
    const messages = Array.from({ length: BATCH }, (_, index) => ({
      value: String(first + index).padStart(RECORD_BYTES, '.')
    }))
    await producer.send({ topic: 'bench', acks: -1, messages })
  }
  console.log(`kafkajs produce, acks=all       ${rate(began)} records/s`)
  await producer.disconnect()
}

async function consume(kafka) {
  const consumer = kafka.consumer({ groupId: 'bench', maxBytesPerPartition: 10_000_000 })
  await consumer.connect()
  await consumer.subscribe({ topic: 'bench', fromBeginning: true })
  const began = performance.now()
  let seen = 0
  await new Promise((resolve, reject) =>
    consumer.run({
      eachBatch: async ({ batch }) => {
        for (const { offset } of batch.messages)
          if (Number(offset) !== seen++) reject(new Error(`lost a record at ${seen}`))
        if (seen === RECORDS) resolve()
      }
    })
  )
  console.log(`kafkajs consume in a group      ${rate(began)} records/s`)
  await consumer.disconnect()
}

const rate = began => Math.round(RECORDS / ((performance.now() - began) / 1000)).toLocaleString('en')

const directory = mkdtempSync(join(tmpdir(), 'minikafka-bench-'))
try {
  await startTimes(join(directory, 'starts'))
  await rates(join(directory, 'rates'))
} finally {
  rmSync(directory, { recursive: true, force: true })
}
