/**
 * Producer ids, each handed out once in the life of a cluster. They come in blocks: a block is on record before its
 * first id is used, so that a crash loses ids but never repeats one.
 */

/** Ids from `firstProducerId` on, `size` of them. */
export interface ProducerIdBlock {
  readonly firstProducerId: bigint
  readonly size: number
}

/** The next ids of the block in hand. */
export class ProducerIds {
  readonly #allocateBlock: () => ProducerIdBlock
  #next = 0n
  #end = 0n

  /** `allocateBlock` puts the block on record before it returns, and throws where it cannot. */
  constructor(allocateBlock: () => ProducerIdBlock) {
    this.#allocateBlock = allocateBlock
  }

  /** An id that nobody ever had. What `allocateBlock` throws comes through, and the next call tries again. */
  next(): bigint {
    if (this.#next === this.#end) {
      const { firstProducerId, size } = this.#allocateBlock()
      this.#next = firstProducerId
      this.#end = firstProducerId + BigInt(size)
    }
    const producerId = this.#next
    this.#next += 1n
    return producerId
  }
}
