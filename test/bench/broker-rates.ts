/** Start time of a broker, and its throughput with kafkajs. The client takes most of the time. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { Kafka, logLevel } from 'kafkajs'
import { firstOutput, startBroker } from './broker-process.ts'
import { median, secondsOf, show, whole } from './figures.ts'

const STARTS = 11
const RECORDS = 1_000_000
const RECORD_BYTES = 100
const BATCH = 8000

/** Start time of a broker on an empty directory, next to that of a bare Node process. */
export async function bareStart(dataDir: string): Promise<void> {
  const bare: number[] = []
  const ready: number[] = []
  for (let round = 0; round < STARTS; round++) {
    bare.push(await bareNode())
    const broker = await startBroker(dataDir)
    ready.push(broker.readyMs)
    await broker.end()
  }
  const [node, minikafka] = [median(bare), median(ready)]
  show(`bare node to its first output, median of ${STARTS}`, `${whole(node)} ms`)
  show('minikafka start to ready', `${whole(minikafka)} ms`, `node + ${whole(minikafka - node)} ms`)
}

/** Milliseconds until the first output of a bare Node process. */
async function bareNode(): Promise<number> {
  const began = performance.now()
  const child = spawn(process.execPath, ['-e', 'process.stdout.write("x")'])
  await firstOutput(child)
  const tookMs = performance.now() - began
  await once(child, 'exit')
  return tookMs
}

/** Throughput of one client with one connection, and the memory of the broker. */
export async function clientRates(dataDir: string): Promise<void> {
  const broker = await startBroker(dataDir)
  show('resident when ready', residentMemory(broker.pid))
  const kafka = new Kafka({ brokers: [broker.bootstrapServers], logLevel: logLevel.ERROR })
  await produce(kafka)
  show(`resident after ${whole(RECORDS)} records`, residentMemory(broker.pid))
  await consume(kafka)
  await broker.end()
}

async function produce(kafka: Kafka): Promise<void> {
  const admin = kafka.admin()
  await admin.connect()
  await admin.createTopics({ topics: [{ topic: 'bench', numPartitions: 1 }] })
  await admin.disconnect()
  const producer = kafka.producer()
  await producer.connect()
  const seconds = await secondsOf(async () => {
    for (let first = 0; first < RECORDS; first += BATCH) {
      const messages = Array.from({ length: BATCH }, (_, index) => ({
        value: String(first + index).padStart(RECORD_BYTES, '.')
      }))
      await producer.send({ topic: 'bench', acks: -1, messages })
    }
  })
  show('kafkajs produce, acks=all', `${whole(RECORDS / seconds)} records/s`)
  await producer.disconnect()
}

async function consume(kafka: Kafka): Promise<void> {
  const consumer = kafka.consumer({ groupId: 'bench', maxBytesPerPartition: 10_000_000 })
  await consumer.connect()
  await consumer.subscribe({ topic: 'bench', fromBeginning: true })
  const seconds = await secondsOf(
    () =>
      new Promise<void>((resolve, reject) => {
        let seen = 0
        void consumer.run({
          eachBatch: async ({ batch }) => {
            for (const { offset } of batch.messages)
              if (Number(offset) !== seen++) reject(new Error(`lost a record at ${seen}`))
            if (seen === RECORDS) resolve()
          }
        })
      })
  )
  show('kafkajs consume in a group', `${whole(RECORDS / seconds)} records/s`)
  await consumer.disconnect()
}

function residentMemory(pid: number): string {
  const [, kilobytes] = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? []
  return `${whole(Number(kilobytes) / 1024)} MB`
}
