/**
 * Transactions below which the last stable offset stays: ongoing ones, and ended ones whose marker is above the high watermark.
 */

import type { TxnResult } from '../protocol/records/control.ts'

/** A transaction that has ended: its first record, its marker, and how. */
export interface CompletedTxn {
  readonly producerId: bigint
  readonly firstOffset: bigint
  /** Of the marker. */
  readonly lastOffset: bigint
  readonly result: TxnResult
  /** What was stable once it had ended, as if all other ends were safe: where a reader need look no further for aborts. */
  readonly lastStableOffset: bigint
}

export class OngoingTransactions {
  /** Producers by the first offset of their transaction. Offsets only grow, so the first is the least. */
  readonly #ongoingTxns = new Map<bigint, bigint>()
  /** Unreplicated: first offset to the offset of the marker, in the order of the markers. */
  readonly #unreplicatedTxns = new Map<bigint, bigint>()

  begin(producerId: bigint, firstOffset: bigint): void {
    this.#ongoingTxns.set(firstOffset, producerId)
  }

  /** Gives what was stable from then on, where the marker is at `lastOffset`. */
  end(firstOffset: bigint, lastOffset: bigint): bigint {
    this.#ongoingTxns.delete(firstOffset)
    this.#unreplicatedTxns.set(firstOffset, lastOffset)
    return firstKey(this.#ongoingTxns) ?? lastOffset + 1n
  }

  /** Removes unreplicated transactions whose marker is below `highWatermark`. */
  settle(highWatermark: bigint): void {
    for (const [firstOffset, lastOffset] of this.#unreplicatedTxns) {
      if (lastOffset >= highWatermark) return
      this.#unreplicatedTxns.delete(firstOffset)
    }
  }

  /** The offset of the first record that is not decided for readers who may see what lies before `highWatermark`. */
  firstUnstable(highWatermark: bigint): bigint | undefined {
    this.settle(highWatermark)
    let first = firstKey(this.#ongoingTxns)
    for (const firstOffset of this.#unreplicatedTxns.keys()) {
      if (first === undefined || firstOffset < first) first = firstOffset
    }
    return first
  }

  clear(): void {
    this.#ongoingTxns.clear()
    this.#unreplicatedTxns.clear()
  }
}

function firstKey(map: ReadonlyMap<bigint, unknown>): bigint | undefined {
  return map.keys().next().value
}
