/**
 * Transactions that hold back the last stable offset: ongoing ones, and completed ones whose marker is not below the high
 * watermark (`ongoingTxns` and `unreplicatedTxns` of Kafka's ProducerStateManager).
 */

import type { TxnResult } from '../protocol/records/control.ts'

/** A completed transaction: the offset of its first record, the offset of its marker, and its result. */
export interface CompletedTxn {
  readonly producerId: bigint
  readonly firstOffset: bigint
  /** Offset of the marker. */
  readonly lastOffset: bigint
  readonly result: TxnResult
  /**
   * The last stable offset after the completion, without regard to unreplicated transactions. A read_committed fetch stops
   * its search of the transaction index at an entry whose value is at or above the end of the fetch.
   */
  readonly lastStableOffset: bigint
}

export class OngoingTransactions {
  /** Producer ids by the first offset of their transaction, in ascending order, because offsets only grow. */
  readonly #ongoingTxns = new Map<bigint, bigint>()
  /** Marker offsets by first offset, in the order of the markers. */
  readonly #unreplicatedTxns = new Map<bigint, bigint>()

  begin(producerId: bigint, firstOffset: bigint): void {
    this.#ongoingTxns.set(firstOffset, producerId)
  }

  /** Completes the transaction with the marker at `lastOffset`. Returns `lastStableOffset` of the completed transaction. */
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

  /** The first offset of the transactions that are open or whose marker is not below `highWatermark`; undefined without any. */
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
