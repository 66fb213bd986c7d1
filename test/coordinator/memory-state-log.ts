/** The log of a state topic's partition in memory, which can fail. Its records survive a restart of the coordinator. */
import type { StateLog, StateProducer, StateReader } from '../../src/coordinator/state-log.ts'
import type { KeyValue } from '../../src/protocol/keyed-record.ts'
import type { Steps } from '../../src/runtime/pace.ts'

export class MemoryStateLog implements StateLog {
  coordinatorEpoch = 0
  readonly batches: KeyValue[][] = []
  /** The producers of the transactional batches, by batch. */
  readonly producers: (StateProducer | undefined)[] = []
  /** Thrown by every append while it is set. */
  failure: Error | undefined
  /** Called at every append, after the decision whether it fails. */
  attempted: (() => void) | undefined
  maxBytes = 1_048_588
  /** Pending responses wait for this promise. */
  syncing: Promise<void> | undefined

  append(records: readonly KeyValue[], producer?: StateProducer): void {
    const { failure } = this
    if (!failure) {
      this.batches.push([...records])
      this.producers.push(producer)
    }
    this.attempted?.()
    if (failure) throw failure
  }

  maxBatchBytes(): number {
    return this.maxBytes
  }

  *replay(reader: StateReader): Steps {
    for (const [index, batch] of this.batches.entries()) {
      for (const record of batch) reader.record(record, this.producers[index]?.producerId)
      yield
    }
  }

  settled(): Promise<void> | undefined {
    return this.syncing
  }
}
