/** A journal in memory that can fail. What was written outlives the coordinator that wrote it. */
import type { JournalProducer, StateJournal, StateReader } from '../../src/coordinator/journal.ts'
import type { KeyValue } from '../../src/protocol/keyed-record.ts'
import type { Steps } from '../../src/runtime/pace.ts'

export class MemoryJournal implements StateJournal {
  coordinatorEpoch = 0
  readonly batches: KeyValue[][] = []
  /** In whose transaction each of the batches was written. */
  readonly producers: (JournalProducer | undefined)[] = []
  /** Thrown by every append while it is set. */
  failure: Error | undefined
  /** Called at every append, after it was decided whether that fails. */
  attempted: (() => void) | undefined
  maxBytes = 1_048_588
  /** Answers wait for it. */
  syncing: Promise<void> | undefined

  append(records: readonly KeyValue[], producer?: JournalProducer): void {
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
