/**
 * The cost of groups in the broker: requests go directly to its dispatch, which writes files; no sockets, no client
 * time. Only the time of a new consumer until its first record is that of kafkajs with the executable.
 */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Kafka, logLevel } from 'kafkajs'
import { NodeStorage } from '../../src/storage/node-storage.ts'
import { Harness } from '../../src/testing/harness.ts'
import { startBroker } from './broker-process.ts'
import { median, secondsOf, show, whole } from './figures.ts'
import { type BenchGroup, type BenchTopic, ClassicMembers, ConsumerMembers } from './group-members.ts'

const CONSUMERS = 11
const GROUP_SIZES = [2, 10, 100]
const REBALANCES = 51
const PARTITIONS = 100
const COMMITS = 5000
const GROUPS = 1000
/** Members, and committed offsets, of each group. */
const SIZE = 2
const OFFSETS = 10
const PROTOCOLS = { classic: ClassicMembers, consumer: ConsumerMembers }

/** Time from the start of a new consumer in a new group to its first record. */
export async function firstRecords(dataDir: string): Promise<void> {
  const broker = await startBroker(dataDir)
  const kafka = new Kafka({ brokers: [broker.bootstrapServers], logLevel: logLevel.ERROR })
  const producer = kafka.producer()
  await producer.connect()
  await producer.send({ topic: 'bench', messages: [{ value: 'x' }] })
  await producer.disconnect()
  const tookMs: number[] = []
  for (let count = 0; count < CONSUMERS; count++) tookMs.push(await firstRecord(broker.bootstrapServers, `${count}`))
  show(`kafkajs consumer to its first record, median of ${CONSUMERS}`, `${whole(median(tookMs))} ms`)
  await broker.end()
}

async function firstRecord(bootstrapServers: string, groupId: string): Promise<number> {
  const began = performance.now()
  const kafka = new Kafka({ brokers: [bootstrapServers], logLevel: logLevel.ERROR })
  const consumer = kafka.consumer({ groupId })
  await consumer.connect()
  await consumer.subscribe({ topic: 'bench', fromBeginning: true })
  await new Promise<void>(resolve => {
    void consumer.run({ eachMessage: async () => resolve() })
  })
  const tookMs = performance.now() - began
  await consumer.disconnect()
  return tookMs
}

/** Rebalances by group size, commits, and memory of groups. */
export async function groupRates(dataDir: string): Promise<void> {
  const harness = await Harness.start({
    storage: new NodeStorage(dataDir),
    // The default interval of one second would hide the time of the broker.
    config: { 'group.consumer.assignment.interval.ms': 0 }
  })
  const topic = { name: 'bench', topicId: await harness.createTopic('bench', PARTITIONS), partitions: PARTITIONS }
  await harness.request('FindCoordinator', { coordinatorKeys: ['bench'] })
  const groups = (protocol: keyof typeof PROTOCOLS) => (groupId: string) =>
    new PROTOCOLS[protocol](harness, `${protocol} ${groupId}`, topic)
  for (const protocol of ['classic', 'consumer'] as const) {
    await rebalance(groups(protocol)('warm'), SIZE)
    for (const size of GROUP_SIZES) {
      const took = await rebalance(groups(protocol)(`${size}`), size)
      show(`${protocol} rebalance, ${size} members, median`, `${took.toFixed(1)} ms`, `${PARTITIONS} partitions`)
    }
  }
  for (const partitions of [1, PARTITIONS]) await commits(harness, topic, partitions)
  for (const protocol of ['classic', 'consumer'] as const) {
    const took = await memory(harness, topic, groups(protocol))
    const each = `${whole(took / GROUPS / 1024)} KB each`
    show(
      `${whole(GROUPS)} ${protocol} groups of ${SIZE}, ${OFFSETS} offsets`,
      `${(took / 2 ** 20).toFixed(1)} MB`,
      each
    )
  }
  await harness.stop()
}

/** Milliseconds from the join of a group's last member until all members have their assignment. */
async function rebalance(group: BenchGroup, size: number): Promise<number> {
  for (let count = 1; count < size; count++) await group.enter()
  const tookMs: number[] = []
  for (let count = 0; count < REBALANCES; count++) {
    tookMs.push(1000 * (await secondsOf(() => group.enter())))
    await group.leave()
  }
  return median(tookMs)
}

async function commits(harness: Harness, topic: BenchTopic, partitions: number): Promise<void> {
  const rounds = COMMITS / Math.sqrt(partitions)
  const seconds = await secondsOf(async () => {
    for (let round = 0; round < rounds; round++) await commit(harness, 'committing', topic, partitions, round)
  })
  const name = `OffsetCommit of ${partitions} partition${partitions > 1 ? 's' : ''}`
  show(name, `${whole(rounds / seconds)} a second`)
}

async function commit(harness: Harness, groupId: string, { topicId }: BenchTopic, partitions: number, offset: number) {
  const each = Array.from({ length: partitions }, (_, partitionIndex) => ({
    partitionIndex,
    committedOffset: BigInt(offset),
    committedMetadata: ''
  }))
  const { topics } = await harness.request('OffsetCommit', { groupId, topics: [{ topicId, partitions: each }] })
  const [first] = topics[0]?.partitions ?? []
  if (first?.errorCode !== 'NONE') throw new Error(`${first?.errorCode}`)
}

/** Memory of groups with members and offsets, in bytes. */
async function memory(harness: Harness, topic: BenchTopic, group: (id: string) => BenchGroup): Promise<number> {
  const before = bytesInUse()
  for (let count = 0; count < GROUPS; count++) {
    const members = group(`group ${count}`)
    await commit(harness, members.groupId, topic, OFFSETS, count)
    for (let entered = 0; entered < SIZE; entered++) await members.enter()
  }
  return bytesInUse() - before
}

/** Heap and buffers in use after a garbage collection. */
function bytesInUse(): number {
  setFlagsFromString('--expose-gc')
  runInNewContext('gc')()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}
