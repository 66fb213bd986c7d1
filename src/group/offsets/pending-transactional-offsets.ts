/**
 * Offsets that producers have committed within transactions that are still open: they wait beside the committed ones, by
 * producer, for the marker that decides (KIP-98). Found by what they are for, too: who wants stable offsets has to wait.
 */
import type { OffsetCommitKey, OffsetCommitValue } from '../records.ts'

/** A commit that waits, and its position among all commits written to the partition. */
export interface PendingTransactionalOffset {
  readonly key: OffsetCommitKey
  readonly value: OffsetCommitValue
  readonly position: number
}

/** Commits by producer. */
type ByProducer = Map<bigint, PendingTransactionalOffset>

export class PendingTransactionalOffsets {
  readonly #byProducer = new Map<bigint, Map<string, PendingTransactionalOffset>>()
  /** By group, then by what is committed. */
  readonly #byGroup = new Map<string, Map<string, ByProducer>>()

  hold(producerId: bigint, pending: PendingTransactionalOffset): void {
    const name = nameOf(pending.key)
    const ofProducer = this.#byProducer.get(producerId) ?? new Map<string, PendingTransactionalOffset>()
    this.#byProducer.set(producerId, ofProducer.set(`${name}/${pending.key.group}`, pending))
    const ofGroup = this.#byGroup.get(pending.key.group) ?? new Map<string, ByProducer>()
    this.#byGroup.set(pending.key.group, ofGroup.set(name, (ofGroup.get(name) ?? new Map()).set(producerId, pending)))
  }

  /** The transaction of a producer is over: what it held waits no more. */
  release(producerId: bigint): PendingTransactionalOffset[] {
    const released = [...(this.#byProducer.get(producerId)?.values() ?? [])]
    for (const { key } of released) this.#remove(producerId, key)
    return released
  }

  /** Whatever waits to become the offset of a partition is dropped. */
  drop(key: OffsetCommitKey): void {
    for (const producerId of [...(this.#byGroup.get(key.group)?.get(nameOf(key))?.keys() ?? [])]) {
      this.#remove(producerId, key)
    }
  }

  /** All that waits for a group. */
  *of(group: string): Iterable<PendingTransactionalOffset> {
    for (const pending of this.#byGroup.get(group)?.values() ?? []) yield* pending.values()
  }

  /** Whether a transaction is open that commits an offset of a group for this partition. */
  isPending(group: string, topic: string, partition: number): boolean {
    return this.#byGroup.get(group)?.has(nameOf({ topic, partition })) ?? false
  }

  /** Whether a transaction is open that commits any offset of a group. */
  hasPending(group: string): boolean {
    return this.#byGroup.has(group)
  }

  #remove(producerId: bigint, key: OffsetCommitKey): void {
    const name = nameOf(key)
    prune(this.#byProducer, producerId, ofProducer => ofProducer.delete(`${name}/${key.group}`))
    prune(this.#byGroup, key.group, ofGroup => prune(ofGroup, name, byProducer => byProducer.delete(producerId)))
  }
}

/** Takes something out of a map within a map; an empty one goes. */
function prune<K, Inner extends ReadonlyMap<unknown, unknown>>(
  outer: Map<K, Inner>,
  key: K,
  remove: (inner: Inner) => void
): void {
  const inner = outer.get(key)
  if (!inner) return
  remove(inner)
  if (inner.size === 0) outer.delete(key)
}

/** A name within a group; topics have no slash. */
function nameOf({ topic, partition }: Omit<OffsetCommitKey, 'group'>): string {
  return `${topic}/${partition}`
}
