/**
 * A set with the iteration order of Java's HashSet. Kafka's assignors iterate over hash sets of members, topics and partitions,
 * and the order decides which member keeps surplus partitions. In a table of 64 bins or more, Java turns a bin with more than
 * eight keys into a tree. The order of such trees is not reproduced.
 */

const DEFAULT_CAPACITY = 16
const LOAD_FACTOR = 0.75
/** The table grows if a bin gets more keys than this, while it has fewer bins than MIN_TREE_CAPACITY. */
const MAX_BIN = 8
const MIN_TREE_CAPACITY = 64

/** A set of keys in Java's order. */
export class HashSet<K> implements Iterable<K> {
  readonly #hashOf: (key: K) => number
  #bins: (K[] | undefined)[]
  #size = 0

  /** An empty set. `capacity` is the constructor argument in Java's code; the table is never smaller. */
  constructor(hashOf: (key: K) => number, capacity = DEFAULT_CAPACITY) {
    this.#hashOf = hashOf
    this.#bins = new Array(2 ** Math.ceil(Math.log2(Math.max(1, capacity))))
  }

  /** A copy of a collection, as Java makes it: the initial capacity fits all keys. */
  static copyOf<K>(hashOf: (key: K) => number, keys: Iterable<K> & { readonly size: number }): HashSet<K> {
    return new HashSet(hashOf, Math.max(DEFAULT_CAPACITY, capacityFor(keys.size))).addAll(keys)
  }

  get size(): number {
    return this.#size
  }

  add(key: K): void {
    const bin = this.#binOf(key)
    if (bin.includes(key)) return
    bin.push(key)
    if (bin.length > MAX_BIN && this.#bins.length < MIN_TREE_CAPACITY) this.#grow()
    if (++this.#size > this.#bins.length * LOAD_FACTOR) this.#grow()
  }

  /** Adds a key as Java's computeIfAbsent: the table grows one key later, and the key becomes the first of its bin. */
  addIfAbsent(key: K): void {
    if (this.#size > this.#bins.length * LOAD_FACTOR) this.#grow()
    const bin = this.#binOf(key)
    if (bin.includes(key)) return
    bin.unshift(key)
    this.#size++
  }

  addAll(keys: Iterable<K>): this {
    for (const key of keys) this.add(key)
    return this
  }

  delete(key: K): void {
    const bin = this.#binOf(key)
    if (!bin.includes(key)) return
    bin.splice(bin.indexOf(key), 1)
    this.#size--
  }

  *[Symbol.iterator](): Iterator<K> {
    for (const bin of this.#bins) if (bin) yield* bin
  }

  #binOf(key: K): K[] {
    const hash = this.#hashOf(key)
    const index = (hash ^ (hash >>> 16)) & (this.#bins.length - 1)
    const bin = this.#bins[index] ?? []
    this.#bins[index] = bin
    return bin
  }

  #grow(): void {
    const keys = [...this]
    this.#bins = new Array(this.#bins.length * 2)
    for (const key of keys) this.#binOf(key).push(key)
  }
}

/** The entries of a map in the order of a Java HashMap to which they were added one by one. */
export function inHashOrder<K, V>(hashOf: (key: K) => number, map: ReadonlyMap<K, V>, capacity?: number): [K, V][] {
  const keys = new HashSet(hashOf, capacity).addAll(map.keys())
  return Array.from(keys, key => [key, map.get(key) as V])
}

/** The initial capacity in Java's code for an expected number of keys. */
export function capacityFor(size: number): number {
  return Math.trunc(size / LOAD_FACTOR + 1)
}

/** Java's hash of a string. */
export function hashOfString(text: string): number {
  let hash = 0
  for (let index = 0; index < text.length; index++) hash = (Math.imul(hash, 31) + text.charCodeAt(index)) | 0
  return hash
}

/** Kafka's hash of a uuid. Hashes are cached, because large groups need that of each topic once per member. */
export function uuidHashing(): (uuid: string) => number {
  const hashes = new Map<string, number>()
  return uuid => {
    const hash = hashes.get(uuid) ?? hashOfUuid(uuid)
    hashes.set(uuid, hash)
    return hash
  }
}

function hashOfUuid(uuid: string): number {
  const bytes = Buffer.from(uuid, 'base64url')
  return bytes.readInt32BE(0) ^ bytes.readInt32BE(4) ^ bytes.readInt32BE(8) ^ bytes.readInt32BE(12)
}

/** Java's hash of an Integer. */
export function hashOfInteger(value: number): number {
  return value
}
