/**
 * Allocation of producer ids, each unique in the cluster (Kafka's ProducerIdManager). Ids come in blocks. A block is written
 * to the metadata log before its first id is used, so a crash loses ids but never repeats one.
 */

/** A block of `size` producer ids, from `firstProducerId` upwards. */
export interface ProducerIdBlock {
  readonly firstProducerId: bigint
  readonly size: number
}

/** The unused ids of the current block. */
export class ProducerIds {
  readonly #allocateBlock: () => ProducerIdBlock
  #next = 0n
  #end = 0n

  /** `allocateBlock` writes the block to the metadata log before it returns, and throws if the write fails. */
  constructor(allocateBlock: () => ProducerIdBlock) {
    this.#allocateBlock = allocateBlock
  }

  /** Returns an unused id. Throws the errors of `allocateBlock`; the next call then tries again. */
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
