// A Kafka Connect cluster. Its workers are a group with another protocol type, and keep their state in compacted
// topics. They copy the lines of files in transactions to a topic, which a sink with two tasks reads. One worker
// leaves, another joins, one is killed; each line is still copied exactly once.
import { appendFile, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { RunningBroker } from '../brokers.ts'
import { type ConnectConfig, type ConnectWorker, startWorker } from '../java/connect.ts'
import { groupBrokers } from './brokers.ts'

const SESSION_MS = 6000
const SOURCES = ['one', 'two']
/** Lines written to each source at a time. */
const LINES = 50
const TOPIC = 'lines'

const SINK: ConnectConfig = {
  'connector.class': 'FileStreamSink',
  'tasks.max': 2,
  topics: TOPIC,
  // The transform adds partition and offset to a line. A line that was copied twice has two offsets; a line that only
  // the sink received twice has one.
  transforms: 'hoist,place',
  'transforms.hoist.type': 'org.apache.kafka.connect.transforms.HoistField$Value',
  'transforms.hoist.field': 'line',
  'transforms.place.type': 'org.apache.kafka.connect.transforms.InsertField$Value',
  'transforms.place.partition.field': 'partition',
  'transforms.place.offset.field': 'offset'
}
const source = (file: string): ConnectConfig => ({
  'connector.class': 'FileStreamSource',
  file,
  topic: TOPIC,
  'topic.creation.default.partitions': 4,
  'topic.creation.default.replication.factor': 1
})

let folder: string
let broker: RunningBroker | undefined
const workers = new Set<ConnectWorker>()
let lines: Lines

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'connect-'))
  lines = new Lines()
})
afterEach(async () => {
  for (const worker of workers) await end(worker, 'SIGKILL')
  await broker?.stop()
  await rm(folder, { recursive: true })
})

test.each(groupBrokers)(
  'Connect workers on %s take over from each other, and no line is lost or copied twice',
  async (_, share) => {
    broker = await share()
    const config = workerConfig(broker.bootstrapServers)
    const [first, second] = await Promise.all([begin(config), begin(config)])
    await first.create('sink', SINK)
    for (const name of SOURCES) await second.create(`source-${name}`, source(fileOf(name)))
    await copyUntilBusy(first, second)

    await end(first, 'SIGTERM')
    await lines.copy()
    const third = await begin(config)
    await copyUntilBusy(second, third)

    await end(second, 'SIGKILL')
    await lines.copy()
    expect(lines.copied().sort()).toEqual(lines.written().sort())
  }
)

function workerConfig(servers: string): ConnectConfig {
  const storage = ['config', 'offset', 'status'].flatMap(kind => [
    [`${kind}.storage.topic`, `connect-${kind}`],
    [`${kind}.storage.replication.factor`, 1]
  ])
  return {
    ...Object.fromEntries(storage),
    'bootstrap.servers': servers,
    'group.id': 'connect',
    'key.converter': 'org.apache.kafka.connect.storage.StringConverter',
    'value.converter': 'org.apache.kafka.connect.storage.StringConverter',
    'plugin.discovery': 'service_load',
    'session.timeout.ms': SESSION_MS,
    'heartbeat.interval.ms': SESSION_MS / 6,
    'scheduled.rebalance.max.delay.ms': 0,
    'offset.flush.interval.ms': 500,
    'exactly.once.source.support': 'enabled',
    'consumer.isolation.level': 'read_committed',
    'consumer.session.timeout.ms': SESSION_MS,
    'consumer.heartbeat.interval.ms': SESSION_MS / 6
  }
}

async function begin(config: ConnectConfig): Promise<ConnectWorker> {
  const worker = await startWorker(config, line => lines.sunk(line))
  workers.add(worker)
  return worker
}

async function end(worker: ConnectWorker, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  workers.delete(worker)
  await worker.end(signal)
}

async function copyUntilBusy(...those: ConnectWorker[]): Promise<void> {
  do await lines.copy()
  while ((await Promise.all(those.map(worker => worker.tasks()))).includes(0))
}

function fileOf(name: string): string {
  return join(folder, `${name}.txt`)
}

/** The lines of the source files, and the lines that the sink has received. */
class Lines {
  #count = 0
  readonly #sunk = new Set<string>()
  readonly #missing = new Set<string>()
  #allSunk: () => void = () => {}

  /** Appends lines to each file, and waits until a sink has received them. */
  async copy(): Promise<void> {
    const allSunk = new Promise<void>(resolve => {
      this.#allSunk = resolve
    })
    const from = this.#count
    this.#count += LINES
    for (const name of SOURCES) {
      const added = lineNumbers(name, from, this.#count)
      for (const line of added) this.#missing.add(line)
      await appendFile(fileOf(name), `${added.join('\n')}\n`)
    }
    await allSunk
  }

  /** Records a line with its partition and offset, as the sink prints it. */
  sunk(placed: string): void {
    this.#sunk.add(placed)
    this.#missing.delete(textOf(placed))
    if (this.#missing.size === 0) this.#allSunk()
  }

  /** All copied lines: a line repeats for each offset at which it is stored. */
  copied(): string[] {
    return Array.from(this.#sunk, textOf)
  }

  written(): string[] {
    return SOURCES.flatMap(name => lineNumbers(name, 0, this.#count))
  }
}

function lineNumbers(name: string, from: number, to: number): string[] {
  return Array.from({ length: to - from }, (_, index) => `${name} ${from + index}`)
}

function textOf(placed: string): string {
  return /^Struct\{line=(.*),partition=\d+,offset=\d+\}$/.exec(placed)?.[1] ?? placed
}
