/**
 * Hashes of topics, by which a group sees that one of its topics has changed: the very numbers that Kafka 4.3 computes, for
 * they are on disk and a group must not rebalance because another broker has taken over. XXH3 of 64 bits throughout.
 */
import { KafkaError } from '../../protocol/errors.ts'
import { lazyModule } from '../../runtime/lazy.ts'

/** What the hash of a topic depends on. */
export interface HashedTopic {
  readonly topicId: string
  readonly name: string
  /** By index. The racks are those of the partition's replicas, one a replica where that replica's broker has one. */
  readonly partitions: Iterable<{ readonly racks: readonly string[] }>
}

/** The version of the layout that is hashed. */
const MAGIC = Buffer.of(0)

const native = lazyModule<typeof import('@node-rs/xxhash')>('@node-rs/xxhash', reason => {
  throw new KafkaError('UNKNOWN_SERVER_ERROR', `consumer groups need the package @node-rs/xxhash: ${reason}`)
})

/** The hash of a topic that exists. */
export function topicHash({ topicId, name, partitions }: HashedTopic): bigint {
  // Numbers are hashed in little-endian and text in UTF-16: all of it is written as text, which is laid out that way.
  let text = ''
  let count = 0
  for (const { racks } of partitions) {
    text += int32(count++)
    for (const rack of racks.toSorted()) text += int32(rack.length) + string(rack)
  }
  return xxh3(Buffer.concat([MAGIC, Buffer.from(uuid(topicId) + string(name) + int32(count) + text, 'utf16le')]))
}

/** The hash of a group by the names of its topics that exist, 0 if there is none. */
export function groupHash(topicHashes: ReadonlyMap<string, bigint>): bigint {
  if (topicHashes.size === 0) return 0n
  const hashes = [...topicHashes.keys()].sort().map(name => topicHashes.get(name) ?? 0n)
  return xxh3(Buffer.from(BigInt64Array.from(hashes).buffer))
}

function xxh3(bytes: Buffer): bigint {
  return BigInt.asIntN(64, native().xxh3.xxh64(bytes))
}

function int32(value: number): string {
  return String.fromCharCode(value & 0xffff, value >>> 16)
}

/** Its length stands behind it. */
function string(value: string): string {
  return value + int32(value.length)
}

/** Two numbers of 64 bits. */
function uuid(value: string): string {
  return Buffer.from(value, 'base64url').swap64().toString('utf16le')
}
