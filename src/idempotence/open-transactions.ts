/**
 * The transactions of one partition that readers of committed data must not pass: those that are open, and those whose
 * end is not safe yet. What lies before the first of them is stable.
 */

/** A transaction that has ended: its first record, its marker, and how. */
export interface CompletedTxn {
  readonly producerId: bigint
  readonly firstOffset: bigint
  /** Of the marker. */
  readonly lastOffset: bigint
  readonly isAborted: boolean
  /** What was stable once it had ended, as if all other ends were safe: where a reader need look no further for aborts. */
  readonly lastStableOffset: bigint
}

export class OpenTransactions {
  /** Producers by the first offset of their transaction. Offsets only grow, so the first is the least. */
  readonly #open = new Map<bigint, bigint>()
  /** Ended, first offsets with the offset of the marker, in the order of the markers. */
  readonly #unsafe = new Map<bigint, bigint>()

  begin(producerId: bigint, firstOffset: bigint): void {
    this.#open.set(firstOffset, producerId)
  }

  /** Gives what was stable from then on, where the marker is at `lastOffset`. */
  end(firstOffset: bigint, lastOffset: bigint): bigint {
    this.#open.delete(firstOffset)
    this.#unsafe.set(firstOffset, lastOffset)
    return firstKey(this.#open) ?? lastOffset + 1n
  }

  /** Ends before `highWatermark` are safe. */
  settle(highWatermark: bigint): void {
    for (const [firstOffset, lastOffset] of this.#unsafe) {
      if (lastOffset >= highWatermark) return
      this.#unsafe.delete(firstOffset)
    }
  }

  /** The offset of the first record that is not decided for readers who may see what lies before `highWatermark`. */
  firstUnstable(highWatermark: bigint): bigint | undefined {
    this.settle(highWatermark)
    let first = firstKey(this.#open)
    for (const firstOffset of this.#unsafe.keys()) {
      if (first === undefined || firstOffset < first) first = firstOffset
    }
    return first
  }

  clear(): void {
    this.#open.clear()
    this.#unsafe.clear()
  }
}

function firstKey(map: ReadonlyMap<bigint, unknown>): bigint | undefined {
  return map.keys().next().value
}
