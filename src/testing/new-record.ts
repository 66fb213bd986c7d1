/** Encodes a record of the option `records`, and chooses its partition as Kafka's producers do. */
import type { NewRecord } from '../protocol/records/encoding.ts'
import type { RecordHeader } from '../protocol/records/record.ts'
import type { HeaderValue, RecordOptions } from './options.ts'

/** The record to add to a batch. `nowMs` is the timestamp of a record without one. */
export function newRecord(options: RecordOptions, nowMs: number): NewRecord {
  const { key, value, headers = {}, timestamp = nowMs } = options
  const timestampMs = typeof timestamp === 'number' ? timestamp : timestamp.getTime()
  return { timestamp: BigInt(timestampMs), key: bytesOf(key), value: bytesOf(value), headers: headersOf(headers) }
}

/** The partitions of a topic to choose from. */
export interface PartitionChoice {
  readonly partitionCount: number
  /** The partition of the next record without a key. */
  nextPartition: number
}

/**
 * Kafka's default for a keyed record: `toPositive(murmur2(key)) % partitionCount`. Records without a key get the partitions
 * in turn, where Kafka's producers choose randomly.
 */
export function choosePartition({ key }: Pick<NewRecord, 'key'>, topic: PartitionChoice): number {
  if (key !== null) return (murmur2(key) & 0x7fff_ffff) % topic.partitionCount
  const partition = topic.nextPartition
  topic.nextPartition = (partition + 1) % topic.partitionCount
  return partition
}

function bytesOf(content: string | Uint8Array | null | undefined): Buffer | null {
  if (content === undefined || content === null) return null
  if (typeof content === 'string') return Buffer.from(content)
  return Buffer.from(content.buffer, content.byteOffset, content.byteLength)
}

function headersOf(headers: NonNullable<RecordOptions['headers']>): RecordHeader[] {
  return Object.entries(headers).flatMap(([key, given]) => {
    if (given === undefined) return []
    const values: readonly HeaderValue[] = isList(given) ? given : [given]
    return values.map(value => ({ key, value: bytesOf(value) }))
  })
}

/** `Array.isArray` does not narrow a readonly array. */
function isList(given: HeaderValue | readonly HeaderValue[]): given is readonly HeaderValue[] {
  return Array.isArray(given)
}

const SEED = 0x9747_b28c
const MULTIPLIER = 0x5bd1_e995
const ROTATION = 24

/** `Utils.murmur2` of Kafka's clients, as a signed int32. */
export function murmur2(bytes: Buffer): number {
  const { length } = bytes
  const tail = length & ~3
  let hash = SEED ^ length
  for (let index = 0; index < tail; index += 4) {
    let word = Math.imul(bytes.readInt32LE(index), MULTIPLIER)
    word ^= word >>> ROTATION
    hash = Math.imul(hash, MULTIPLIER) ^ Math.imul(word, MULTIPLIER)
  }
  if (tail < length) {
    for (let index = length - 1; index >= tail; index--) hash ^= bytes.readUInt8(index) << (8 * (index - tail))
    hash = Math.imul(hash, MULTIPLIER)
  }
  hash = Math.imul(hash ^ (hash >>> 13), MULTIPLIER)
  return hash ^ (hash >>> 15)
}
