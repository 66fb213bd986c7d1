/**
 * Metadata hashes, by which a group detects changes of its topics. They equal those of Kafka 4.3, because they are written to
 * disk and a group must not rebalance when another broker takes over. The algorithm is XXH3 with 64 bits.
 */
import { KafkaError } from '../../protocol/errors.ts'
import { lazyModule } from '../../runtime/lazy.ts'

/** The input of a topic's hash. */
export interface HashedTopic {
  readonly topicId: string
  readonly name: string
  /** By partition index. `racks` has the racks of the replicas' brokers, without brokers that have none. */
  readonly partitions: Iterable<{ readonly racks: readonly string[] }>
}

/** The version of the hashed layout. */
const MAGIC = Buffer.of(0)

const native = lazyModule<typeof import('@node-rs/xxhash')>('@node-rs/xxhash', reason => {
  throw new KafkaError('UNKNOWN_SERVER_ERROR', `consumer groups need the package @node-rs/xxhash: ${reason}`)
})

/** The hash of an existing topic. */
export function topicHash({ topicId, name, partitions }: HashedTopic): bigint {
  // Numbers are hashed in little-endian, text in UTF-16LE. All of it is built as UTF-16 text, which has this layout.
  let text = ''
  let count = 0
  for (const { racks } of partitions) {
    text += int32(count++)
    for (const rack of racks.toSorted()) text += int32(rack.length) + string(rack)
  }
  return xxh3(Buffer.concat([MAGIC, Buffer.from(uuid(topicId) + string(name) + int32(count) + text, 'utf16le')]))
}

/** The hash of a group from the hashes of its existing topics, 0 if there are none. */
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

/** The text, followed by its length. */
function string(value: string): string {
  return value + int32(value.length)
}

/** Two 64-bit numbers. */
function uuid(value: string): string {
  return Buffer.from(value, 'base64url').swap64().toString('utf16le')
}
