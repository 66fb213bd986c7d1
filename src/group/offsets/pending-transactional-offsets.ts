/**
 * Offsets that producers committed in open transactions. They are kept by producer until the transaction marker (KIP-98), and
 * indexed by group and partition for fetches of stable offsets (KIP-447).
 */
import type { OffsetCommitKey, OffsetCommitValue } from '../records.ts'

/** A pending commit, and its position among all commits of the partition. */
export interface PendingTransactionalOffset {
  readonly key: OffsetCommitKey
  readonly value: OffsetCommitValue
  readonly position: number
}

/** Commits by producer. */
type ByProducer = Map<bigint, PendingTransactionalOffset>

export class PendingTransactionalOffsets {
  readonly #byProducer = new Map<bigint, Map<string, PendingTransactionalOffset>>()
  /** By group, then by partition. */
  readonly #byGroup = new Map<string, Map<string, ByProducer>>()

  hold(producerId: bigint, pending: PendingTransactionalOffset): void {
    const name = nameOf(pending.key)
    const ofProducer = this.#byProducer.get(producerId) ?? new Map<string, PendingTransactionalOffset>()
    this.#byProducer.set(producerId, ofProducer.set(`${name}/${pending.key.group}`, pending))
    const ofGroup = this.#byGroup.get(pending.key.group) ?? new Map<string, ByProducer>()
    this.#byGroup.set(pending.key.group, ofGroup.set(name, (ofGroup.get(name) ?? new Map()).set(producerId, pending)))
  }

  /** Removes and returns the pending commits of a producer whose transaction has ended. */
  release(producerId: bigint): PendingTransactionalOffset[] {
    const released = [...(this.#byProducer.get(producerId)?.values() ?? [])]
    for (const { key } of released) this.#remove(producerId, key)
    return released
  }

  /** Drops all pending commits for a partition of a group. */
  drop(key: OffsetCommitKey): void {
    for (const producerId of [...(this.#byGroup.get(key.group)?.get(nameOf(key))?.keys() ?? [])]) {
      this.#remove(producerId, key)
    }
  }

  /** All pending commits of a group. */
  *of(group: string): Iterable<PendingTransactionalOffset> {
    for (const pending of this.#byGroup.get(group)?.values() ?? []) yield* pending.values()
  }

  /** True if an open transaction has committed an offset of the group for this partition. */
  isPending(group: string, topic: string, partition: number): boolean {
    return this.#byGroup.get(group)?.has(nameOf({ topic, partition })) ?? false
  }

  /** True if an open transaction has committed any offset of the group. */
  hasPending(group: string): boolean {
    return this.#byGroup.has(group)
  }

  #remove(producerId: bigint, key: OffsetCommitKey): void {
    const name = nameOf(key)
    prune(this.#byProducer, producerId, ofProducer => ofProducer.delete(`${name}/${key.group}`))
    prune(this.#byGroup, key.group, ofGroup => prune(ofGroup, name, byProducer => byProducer.delete(producerId)))
  }
}

/** Removes an entry of an inner map, and an inner map that becomes empty. */
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

/** The key of a partition within a group. Topic names have no slash. */
function nameOf({ topic, partition }: Omit<OffsetCommitKey, 'group'>): string {
  return `${topic}/${partition}`
}
