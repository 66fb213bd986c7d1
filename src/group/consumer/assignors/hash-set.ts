/**
 * A set that is walked in the order of Java's HashSet. Kafka's assignors walk hash sets of members, topics and
 * partitions, and who is walked first keeps what there is too much of: with the order comes the assignment. Not followed
 * are the trees that Java makes of a bin of nine keys in a table of 64 bins or more; there the order is ours.
 */

const DEFAULT_CAPACITY = 16
const LOAD_FACTOR = 0.75
/** Java does not suffer more keys in one bin: up to this size of the table it grows for that. */
const MAX_BIN = 8
const MIN_TREE_CAPACITY = 64

/** A set of keys in Java's order. */
export class HashSet<K> implements Iterable<K> {
  readonly #hashOf: (key: K) => number
  #bins: (K[] | undefined)[]
  #size = 0

  /** Empty; `capacity` is what Java's code gives its constructor, for the table never shrinks below it. */
  constructor(hashOf: (key: K) => number, capacity = DEFAULT_CAPACITY) {
    this.#hashOf = hashOf
    this.#bins = new Array(2 ** Math.ceil(Math.log2(Math.max(1, capacity))))
  }

  /** As Java copies a collection: with room for all keys from the start. */
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

  /** Adds a key as Java's computeIfAbsent does: the table grows a key later, and the key goes to the front of its bin. */
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

/** A map's entries in the order of Java's HashMap that was filled with them one by one. */
export function inHashOrder<K, V>(hashOf: (key: K) => number, map: ReadonlyMap<K, V>, capacity?: number): [K, V][] {
  const keys = new HashSet(hashOf, capacity).addAll(map.keys())
  return Array.from(keys, key => [key, map.get(key) as V])
}

/** The capacity that Java's code asks for where it expects `size` keys. */
export function capacityFor(size: number): number {
  return Math.trunc(size / LOAD_FACTOR + 1)
}

/** Java's hash of a string. */
export function hashOfString(text: string): number {
  let hash = 0
  for (let index = 0; index < text.length; index++) hash = (Math.imul(hash, 31) + text.charCodeAt(index)) | 0
  return hash
}

/** Kafka's hash of a uuid. It is remembered: a group of many members asks for that of each topic as many times. */
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

/** Java's hash of a whole number. */
export function hashOfInteger(value: number): number {
  return value
}
