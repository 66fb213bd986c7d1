// The visible state of a cluster as plain data, read by protocol requests that both brokers serve. Two brokers with the
// same state have the same data.
import { createHash } from 'node:crypto'
import type { DecodedResponseOf } from '../../../src/protocol/api.ts'
import { APIS } from '../../../src/protocol/messages/index.ts'
import { batchesIn, type RecordBatch } from '../../../src/protocol/records/batch.ts'
import { recordsOf } from '../../../src/protocol/records/record.ts'
import type { Answer, Session } from '../oracle/session.ts'
import { leaders } from '../oracle/transcripts/topic.ts'

const TOPIC = 2
const BROKER = 4
const GROUP = 32
const NODE = '1'
const EARLIEST = -2n
const LATEST = -1n
const LONGEST_TEXT = 40
/** Config sources of dynamic configs: of the topic, of the broker, of all brokers, of the group. */
const SET = [1, 2, 3, 8]

/** Dynamic configs by name. */
type Settings = Readonly<Record<string, string | null>>

interface TopicView {
  readonly id: string
  readonly settings: Settings
  readonly partitions: readonly { readonly start: bigint; readonly end: bigint; readonly records: readonly string[] }[]
}

export interface ClusterView {
  readonly clusterId: string | null
  readonly topics: Readonly<Record<string, TopicView>>
  readonly brokers: { readonly node: Settings; readonly all: Settings }
  readonly groups: Readonly<Record<string, { readonly committed: object; readonly settings: Settings }>>
}

/** The groups to read. Of `restless` topics, which change all the time, only the configs are compared. */
export interface ViewOptions {
  readonly groups: readonly string[]
  readonly restless: readonly string[]
}

/** All state of the cluster that a client can read. */
export async function viewCluster(session: Session, { groups, restless }: ViewOptions): Promise<ClusterView> {
  const { clusterId, topics } = received(await session.sendRequest(APIS.Metadata, 12, { topics: null }))
  const views: Record<string, TopicView> = {}
  for (const { name, topicId, partitions } of topics.toSorted((a, b) => compareNames(a.name, b.name))) {
    if (name === null) continue
    await leaders(session, name, partitions.length)
    const quiet = restless.includes(name) ? 0 : partitions.length
    views[name] = {
      id: topicId,
      settings: await settingsOf(session, TOPIC, name),
      partitions: await Promise.all(Array.from({ length: quiet }, (_, index) => partitionOf(session, name, index)))
    }
  }
  const found: Record<string, { committed: object; settings: Settings }> = {}
  for (const groupId of groups) {
    const settings = await settingsOf(session, GROUP, groupId)
    found[groupId] = { committed: await committedBy(session, groupId), settings }
  }
  const brokers = { node: await settingsOf(session, BROKER, NODE), all: await settingsOf(session, BROKER, '') }
  return { clusterId, topics: views, brokers, groups: found }
}

/** The records of a partition from start to end, each as a line with all its fields. */
async function partitionOf(session: Session, topic: string, index: number) {
  const start = await offsetOf(session, topic, index, EARLIEST)
  const end = await offsetOf(session, topic, index, LATEST)
  const batches = await batchesOf(session, topic, index, start, end)
  return { start, end, records: batches.flatMap(batch => linesOf(batch, start)) }
}

/**
 * The batches of a partition between two offsets, by repeated fetches: a response of Kafka contains one segment at
 * most.
 */
export async function batchesOf(session: Session, topic: string, partition: number, start: bigint, end: bigint) {
  const batches: RecordBatch[] = []
  for (let fetchOffset = start; fetchOffset < end; fetchOffset = (batches.at(-1)?.lastOffset ?? end) + 1n) {
    const partitions = [{ partition, fetchOffset, partitionMaxBytes: 10 << 20 }]
    const request = { maxWaitMs: 0, minBytes: 0, topics: [{ topic, partitions }] }
    const { responses } = received(await session.sendRequest(APIS.Fetch, 12, request, `${topic}-${partition}`))
    const [found] = responses[0]?.partitions ?? []
    const read = [...batchesIn(found?.records ?? Buffer.alloc(0))]
    if (read.length === 0) throw new Error(`${topic}-${partition} has nothing at ${fetchOffset}: ${found?.errorCode}`)
    batches.push(...read)
  }
  return batches
}

/** The first or last offset of a partition. */
export async function offsetOf(session: Session, name: string, index: number, timestamp = EARLIEST): Promise<bigint> {
  const partitions = [{ partitionIndex: index, timestamp }]
  const { topics } = received(
    await session.sendRequest(APIS.ListOffsets, 7, { topics: [{ name, partitions }] }, `${name}-${index}`)
  )
  const found = topics[0]?.partitions[0]
  if (found?.errorCode !== 'NONE') throw new Error(`${name}-${index}: ${found?.errorCode}`)
  return found.offset
}

function linesOf(batch: RecordBatch, start: bigint): string[] {
  const { codec, timestampType, producerId, producerEpoch, baseSequence } = batch
  const common = `${timestampType} ${codec} ${producerId}/${producerEpoch}/${baseSequence}`
  return recordsOf(batch)
    .filter(({ offset }) => offset >= start)
    .map(({ offset, timestamp, key, value, headers }) => {
      const shown = headers.map(header => `${header.key}=${text(header.value)}`)
      return `${offset} ${timestamp} ${text(key)}: ${text(value)} [${shown}] ${common}`
    })
}

function text(bytes: Buffer | null): string {
  if (bytes === null) return 'null'
  if (bytes.length <= LONGEST_TEXT) return JSON.stringify(bytes.toString('latin1'))
  return `${bytes.length} bytes ${createHash('sha1').update(bytes).digest('hex')}`
}

async function settingsOf(session: Session, resourceType: number, resourceName: string): Promise<Settings> {
  const { results } = received(
    await session.sendRequest(APIS.DescribeConfigs, 4, { resources: [{ resourceType, resourceName }] })
  )
  const [result] = results
  if (result?.errorCode !== 'NONE') throw new Error(`settings of ${resourceName}: ${result?.errorMessage}`)
  const set = result.configs.filter(({ configSource }) => SET.includes(configSource))
  return Object.fromEntries(set.map(({ name, value }) => [name, value]))
}

async function committedBy(session: Session, groupId: string): Promise<object> {
  const { topics } = await session.requestUntil(
    APIS.OffsetFetch,
    7,
    { groupId, topics: null },
    ({ errorCode }) => errorCode === 'NONE'
  )
  const entries = topics.flatMap(({ name, partitions }) =>
    partitions.map(({ partitionIndex, committedOffset, metadata }) => [
      `${name}-${partitionIndex}`,
      `${committedOffset} ${metadata}`
    ])
  )
  return Object.fromEntries(entries)
}

/** The response; throws if the connection was closed instead. */
export function received<A>(answer: Answer<A>): DecodedResponseOf<A> {
  if (typeof answer === 'string') throw new Error(`the broker ${answer === 'closed' ? 'hung up' : 'kept silent'}`)
  return answer
}

function compareNames(a: string | null, b: string | null): number {
  return (a ?? '').localeCompare(b ?? '', 'en')
}
